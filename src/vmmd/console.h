/* vmmd's side of consoles: FIFOs and rings are made here, and handed to vmm_console. */
#ifndef VMM_CONSOLE_H
#define VMM_CONSOLE_H

#include "vm.h"

/* Opens VM's FIFO, made anew with FRESH; 0 or -errno. */
int console_open_fifo(struct vm *vm, bool fresh);
/* Hands VM's FIFO and ring to vmm_console. REDEPLOYED: the ring has an earlier VM's lines. 0 or
 * -errno. */
int console_announce(struct vm *vm, bool redeployed);
void console_ended(const struct vm *vm);
/* Tells a vmm_console that has just started of every VM. */
void console_announce_all(struct daemon *d);

#endif
