/*
 * What the monitor counts of an hvt guest: on the VM's statistics page (statpage.h), or, without
 * one, where nobody looks, so that the guest's way is the same.
 */
#ifndef VMM_MONITOR_TALLY_H
#define VMM_MONITOR_TALLY_H

#include "statpage.h"

/*
 * The page in FD, which is closed: it can be neither lost nor made longer by what comes after; FD
 * -1: there is none. Exits with one line when it is no such file.
 */
struct statpage *tally_open(int fd);
/* PAGE is out of reach again, before an spt guest has the process. */
void tally_close(struct statpage *page);

#endif
