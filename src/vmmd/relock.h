/*
 * Rules are the host's: whoever empties its rule set (`nft flush ruleset`) takes away those of VMs'
 * taps and of internal bridges too. They are put back as soon as vmmd hears of it.
 */
#ifndef VMM_RELOCK_H
#define VMM_RELOCK_H

#include "daemon.h"

/*
 * From now on, and what was taken away while no vmmd ran. After vms_adopt and bridges_open; nothing
 * where there can be no taps.
 */
void relock_open(struct daemon *d);

#endif
