/* The state directory: what outlives a reboot. */
#ifndef VMM_STATEDIR_H
#define VMM_STATEDIR_H

#include "daemon.h"

/*
 * Opens it, made if need be, and "revocations" in it, which is vmm_auth's. It is this vmmd's alone
 * as long as it lives. Exits when that fails.
 */
void statedir_open(struct daemon *d);
/*
 * For -n: exits when it is there and not fit; makes nothing. vmm_auth is given an empty directory,
 * for one that works may be writing in the other.
 */
void statedir_check(struct daemon *d);

#endif
