/*
 * What a guest may send: rules of the kernel's (nftables, netdev family, ingress of its tap), so
 * that they hold whatever the monitor became. Each tap has a table of its own, named like it, with
 * one chain; what comes out of the guest and is not accepted there is dropped and counted.
 *
 * Always: the source address of the frame is MAC, and it is not for the bridge itself
 * (01:80:c2:00:00:00 to 0f, which a bridge may give to the host). With a range besides
 * (doc/security.md has the reasons): IPv4 with a source in [FIRST, LAST], but for what a DHCP
 * server says (UDP from port 67); ARP for Ethernet and IPv4 whose sender is MAC with an address in
 * the range; TCP, UDP and ICMPv6 over IPv6 between link-local addresses, without extension headers,
 * but for router advertisements, redirects, neighbour discovery about other addresses than
 * link-local ones and DHCPv6 servers' answers; from the unspecified address neighbour solicitations
 * (duplicate address detection). Nothing else: no VLAN tag, no other EtherType, no LLC, no IP
 * packet whose header does not fit its frame.
 *
 * One process at a time uses these: its first call opens a socket that is kept, of the network
 * namespace that it is in then.
 */
#ifndef VMM_TAP_RULES_H
#define VMM_TAP_RULES_H

#include <stdbool.h>
#include <stdint.h>

struct tap_rules {
	const char *tap;
	uint8_t mac[6];
	bool ranged;
	uint8_t first[4], last[4]; /* network order */
	uint64_t dropped;	   /* frames, from where on they are counted */
};

/* In one transaction, which also takes away whatever table of that name there is. 0 or -errno. */
int tap_rules_install(const struct tap_rules *rules);
/* 0 also where there are none. */
int tap_rules_remove(const char *tap);
/* Whether TAP has rules: 1 or 0, or -errno. */
int tap_rules_there(const char *tap);
/*
 * Tells how many frames were dropped so far, for every tap of the host, in one conversation: some
 * perhaps twice, and those of others, but none whose rules an earlier version installed. 0 or
 * -errno.
 */
typedef void tap_drops_fn(void *arg, const char *tap, uint64_t frames);
int tap_rules_drops(tap_drops_fn *tell, void *arg);
/*
 * A descriptor that is readable when tables of anybody's were removed, so that whoever empties the
 * host's rule set does not leave guests without rules; or -errno. tap_rules_removed reads it empty
 * and calls REMOVED for each such table of the netdev family, with NULL where some were missed.
 */
int tap_rules_watch(void);
void tap_rules_removed(int fd, void (*removed)(void *arg, const char *table), void *arg);
/* Whether this kernel has what they take; 0 or -errno. */
int tap_rules_possible(void);

#endif
