/* Which IPv4 address of a delegation's range a VM gets. Pure. */
#ifndef VMM_ADDRESSES_H
#define VMM_ADDRESSES_H

#include "policy.h"

/* Whether ADDRESS is one that BRIDGE, an external one, lets a VM have: in the range, not the
 * router's, not the network's own or broadcast address. */
bool address_usable(const struct bridge *bridge, const uint8_t address[4]);
/*
 * The lowest usable one that is not TAKEN, as that says with ARG, into OUT. False: there is none.
 */
bool address_lowest(const struct bridge *bridge,
		    bool (*taken)(const void *arg, const uint8_t address[4]), const void *arg,
		    uint8_t out[4]);

#endif
