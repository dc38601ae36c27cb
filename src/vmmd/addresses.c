/* Addresses as numbers (addresses.h). */
#include "addresses.h"

#include <string.h>

static uint32_t number(const uint8_t address[4])
{
	return (uint32_t)address[0] << 24 | (uint32_t)address[1] << 16 | (uint32_t)address[2] << 8 |
	       address[3];
}

static void octets(uint32_t value, uint8_t out[4])
{
	for (unsigned i = 0; i < 4; i++)
		out[i] = (uint8_t)(value >> (24 - 8 * i));
}

bool address_usable(const struct bridge *bridge, const uint8_t address[4])
{
	uint32_t value = number(address);
	uint32_t host = bridge->prefix < 32 ? UINT32_MAX >> bridge->prefix : 0;

	if (value < number(bridge->first) || value > number(bridge->last) ||
	    memcmp(address, bridge->router, 4) == 0)
		return false;
	/* RFC 3021: a network of two has neither; one of a single address has nothing else. */
	return bridge->prefix >= 31 || ((value & host) != 0 && (value & host) != host);
}

bool address_lowest(const struct bridge *bridge,
		    bool (*taken)(const void *arg, const uint8_t address[4]), const void *arg,
		    uint8_t out[4])
{
	uint32_t last = number(bridge->last);

	for (uint64_t value = number(bridge->first); value <= last; value++) {
		octets((uint32_t)value, out);
		if (address_usable(bridge, out) && !taken(arg, out))
			return true;
	}
	return false;
}
