/* What the monitor keeps when the guest runs: confine.c's list, nothing else. */
#ifndef VMM_MONITOR_CONFINE_H
#define VMM_MONITOR_CONFINE_H

#include "attach.h"

/*
 * DEVICES stay in use. STATUS_FD may still be written to and closed, GO_FD read and closed (-1:
 * none). Exits with one line when it fails.
 */
void confine(const struct devices *devices, int status_fd, int go_fd);

#endif
