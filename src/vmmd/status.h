/*
 * The status channel of a VM that starts: its monitor says which of the manifest's devices it binds
 * to which descriptor, that it is ready or what is wrong, and is answered with what follows from
 * the devices' names (doc/monitor.md). A datagram a line, both ways. What it says is believed
 * where it could be so, and ends the start where not.
 */
#ifndef VMM_STATUS_H
#define VMM_STATUS_H

#include "vm.h"

/* Makes VM's channel; *MONITORS is the other end, the caller's. 0 or -errno. */
int status_open(struct vm *vm, int *monitors);
/* Reads it from the event loop; 0 or -ENOMEM. */
int status_watch(struct vm *vm);
/* Reads what there is of it now: VM may be ready or have failed after it. */
void status_read(struct vm *vm);
void status_close(struct vm *vm);

#endif
