/*
 * vmmd's side of statistics: vmm_stats is told which VMs run, with what is to be read of each
 * opened for it, and what only vmmd can find out: how many frames the rules of taps have dropped,
 * and how the family is.
 */
#ifndef VMM_STATS_H
#define VMM_STATS_H

#include "vm.h"

/*
 * Looks at the taps' drops now and every --stats-interval seconds from now on. After vms_adopt,
 * before rules that are gone are put back: those count on.
 */
void stats_open(struct daemon *d);
/* VM runs. It is not measured when its process has ended already. */
void stats_add(const struct vm *vm);
/* VM, which ran, has ended. */
void stats_remove(const struct vm *vm);
/* Tells a vmm_stats that has just started of every VM that runs. */
void stats_announce_all(struct daemon *d);

/* What vmmd knows of its family, into OUT; the host's part is left out. */
void stats_family(const struct daemon *d, struct family_reading *out);

#endif
