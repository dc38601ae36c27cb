#include "tap_rules.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

#include "nftables.h"

#define LINK	      NFT_PAYLOAD_LL_HEADER
#define NETWORK	      NFT_PAYLOAD_NETWORK_HEADER
#define TRANSPORT     NFT_PAYLOAD_TRANSPORT_HEADER

#define DHCP_SERVER   67
#define DHCPV6_SERVER 547

enum { SOLICITATION = 135, ADVERTISEMENT = 136 };

static const uint8_t link_local[2][2] = {{0xfe, 0x80}, {0xfe, 0xbf}};

static void equal(struct batch *b, const void *value, uint32_t size)
{
	rule_compare(b, NFT_CMP_EQ, value, size);
}

/*
 * Starts a rule for untagged frames of TYPE from the guest's MAC. The kernel takes a VLAN tag off
 * before rules see the frame: its protocol is then what was behind the tag. In what it shows as the
 * link's header the tag is back in its place, where untagged frames have TYPE. Both must agree.
 */
static void frame(struct batch *b, const struct tap_rules *rules, uint16_t type)
{
	uint8_t wanted[8] = {[6] = type >> 8, [7] = type & 0xff};

	memcpy(wanted, rules->mac, sizeof(rules->mac));
	rule_begin(b);
	rule_load_meta(b, NFT_META_PROTOCOL);
	equal(b, wanted + 6, 2);
	rule_load(b, LINK, ETH_ALEN, sizeof(wanted));
	equal(b, wanted, sizeof(wanted));
}

static void in_range(struct batch *b, const struct tap_rules *rules, uint32_t offset)
{
	rule_load(b, NETWORK, offset, sizeof(rules->first));
	rule_range(b, NFT_RANGE_EQ, rules->first, rules->last, sizeof(rules->first));
}

/*
 * What is in the packet. The kernel knows it only of a header that is sound: its version, lengths
 * within each other and within the frame.
 */
static void protocol(struct batch *b, uint32_t op, uint8_t number)
{
	rule_load_meta(b, NFT_META_L4PROTO);
	rule_compare(b, op, &number, sizeof(number));
}

/* Does not match a later fragment, which has no ports. */
static void port_other_than(struct batch *b, uint16_t server)
{
	uint16_t port = htons(server);

	rule_load(b, TRANSPORT, 0, sizeof(port));
	rule_compare(b, NFT_CMP_NEQ, &port, sizeof(port));
}

static void later_fragment(struct batch *b)
{
	static const uint8_t offset[2] = {0x1f, 0xff}, first[2];

	rule_load(b, NETWORK, 6, sizeof(offset));
	rule_mask(b, offset, sizeof(offset));
	rule_compare(b, NFT_CMP_NEQ, first, sizeof(first));
}

static void accept_ipv4(struct batch *b, const struct tap_rules *rules)
{
	frame(b, rules, ETH_P_IP);
	in_range(b, rules, 12);
	protocol(b, NFT_CMP_NEQ, IPPROTO_UDP);
	rule_verdict(b, NF_ACCEPT);

	frame(b, rules, ETH_P_IP);
	in_range(b, rules, 12);
	protocol(b, NFT_CMP_EQ, IPPROTO_UDP);
	port_other_than(b, DHCP_SERVER);
	rule_verdict(b, NF_ACCEPT);

	frame(b, rules, ETH_P_IP);
	in_range(b, rules, 12);
	protocol(b, NFT_CMP_EQ, IPPROTO_UDP);
	later_fragment(b);
	rule_verdict(b, NF_ACCEPT);
}

static void accept_arp(struct batch *b, const struct tap_rules *rules)
{
	static const uint8_t ethernet_ipv4[] = {0, 1, 8, 0, 6, 4};

	frame(b, rules, ETH_P_ARP);
	rule_load(b, NETWORK, 0, sizeof(ethernet_ipv4));
	equal(b, ethernet_ipv4, sizeof(ethernet_ipv4));
	rule_load(b, NETWORK, 8, sizeof(rules->mac));
	equal(b, rules->mac, sizeof(rules->mac));
	in_range(b, rules, 14);
	rule_load(b, NETWORK, 24, 4); /* is there: all of it is */
	rule_verdict(b, NF_ACCEPT);
}

/* A next header that is an extension is none of those that are asked for. */
static void ipv6(struct batch *b, const struct tap_rules *rules, uint8_t next)
{
	frame(b, rules, ETH_P_IPV6);
	rule_load(b, NETWORK, 6, sizeof(next));
	equal(b, &next, sizeof(next));
	protocol(b, NFT_CMP_EQ, next);
}

/* From fe80::/10, to fe80::/10 or ff02::/16. */
static void between_link_local(struct batch *b, const struct tap_rules *rules, uint8_t next)
{
	static const uint8_t group[2] = {0xff, 0x02}, above[2] = {0xfe, 0xc0}, below[2] = {0xff, 1};

	ipv6(b, rules, next);
	rule_load(b, NETWORK, 8, 2);
	rule_range(b, NFT_RANGE_EQ, link_local[0], link_local[1], 2);
	rule_load(b, NETWORK, 24, 2);
	rule_range(b, NFT_RANGE_EQ, link_local[0], group, 2);
	rule_range(b, NFT_RANGE_NEQ, above, below, 2);
}

/* Neighbour discovery that speaks of a link-local address. */
static void about_neighbours(struct batch *b, uint8_t first, uint8_t last)
{
	rule_load(b, TRANSPORT, 0, 1);
	rule_range(b, NFT_RANGE_EQ, &first, &last, 1);
	rule_load(b, TRANSPORT, 8, 2);
	rule_range(b, NFT_RANGE_EQ, link_local[0], link_local[1], 2);
	rule_load(b, TRANSPORT, 22, 2); /* is there */
}

/* Any other type than router advertisement, neighbour discovery and redirect. */
static void about_nothing_else(struct batch *b)
{
	static const uint8_t first = 134, last = 137;

	rule_load(b, TRANSPORT, 0, 1);
	rule_range(b, NFT_RANGE_NEQ, &first, &last, 1);
}

static void accept_ipv6(struct batch *b, const struct tap_rules *rules)
{
	static const uint8_t unspecified[16], group[2] = {0xff, 0x02};

	between_link_local(b, rules, IPPROTO_TCP);
	rule_verdict(b, NF_ACCEPT);

	between_link_local(b, rules, IPPROTO_UDP);
	port_other_than(b, DHCPV6_SERVER);
	rule_verdict(b, NF_ACCEPT);

	between_link_local(b, rules, IPPROTO_ICMPV6);
	about_neighbours(b, SOLICITATION, ADVERTISEMENT);
	rule_verdict(b, NF_ACCEPT);

	between_link_local(b, rules, IPPROTO_ICMPV6);
	about_nothing_else(b);
	rule_verdict(b, NF_ACCEPT);

	ipv6(b, rules, IPPROTO_ICMPV6);
	rule_load(b, NETWORK, 8, sizeof(unspecified));
	equal(b, unspecified, sizeof(unspecified));
	rule_load(b, NETWORK, 24, sizeof(group));
	equal(b, group, sizeof(group));
	about_neighbours(b, SOLICITATION, SOLICITATION);
	rule_verdict(b, NF_ACCEPT);
}

/*
 * 01:80:c2:00:00:00 to 0f are between a bridge and what is plugged into it. A bridge does not pass
 * most of them on, but gives them to the host, whatever is in them.
 */
static void drop_to_bridge(struct batch *b)
{
	static const uint8_t group[6] = {0x01, 0x80, 0xc2, 0, 0, 0};
	static const uint8_t mask[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xf0};

	rule_begin(b);
	rule_load(b, LINK, 0, sizeof(group));
	rule_mask(b, mask, sizeof(mask));
	equal(b, group, sizeof(group));
	rule_count(b);
	rule_verdict(b, NF_DROP);
}

static void accept_mac(struct batch *b, const struct tap_rules *rules)
{
	rule_begin(b);
	rule_load(b, LINK, ETH_ALEN, sizeof(rules->mac));
	equal(b, rules->mac, sizeof(rules->mac));
	rule_verdict(b, NF_ACCEPT);
}

static void drop_the_rest(struct batch *b)
{
	rule_begin(b);
	rule_count(b);
	rule_verdict(b, NF_DROP);
}

static void fill(struct batch *b, const struct tap_rules *rules)
{
	drop_to_bridge(b);
	if (rules->ranged) {
		accept_ipv4(b, rules);
		accept_arp(b, rules);
		accept_ipv6(b, rules);
	} else {
		accept_mac(b, rules);
	}
	drop_the_rest(b);
}

int tap_rules_install(const struct tap_rules *rules)
{
	struct batch b;

	batch_begin(&b, rules->tap);
	/* What cannot be there cannot be removed: so it is made first. */
	batch_add_table(&b);
	batch_delete_table(&b);
	batch_add_table(&b);
	batch_add_chain(&b, rules->tap, NF_DROP);
	batch_add_counter(&b, rules->dropped);
	fill(&b, rules);
	return batch_send(&b);
}

int tap_rules_remove(const char *tap)
{
	return nftables_forget(tap);
}

int tap_rules_there(const char *tap)
{
	return nftables_has_rules(tap);
}

int tap_rules_drops(tap_drops_fn *tell, void *arg)
{
	return nftables_counted(tell, arg);
}

/* On lo, which every host has, and with a policy that is harmless there for the moment it takes. */
int tap_rules_possible(void)
{
	static const struct tap_rules rules = {.ranged = true};
	struct batch b;

	batch_begin(&b, "vmm-possible");
	batch_add_table(&b);
	batch_add_chain(&b, "lo", NF_ACCEPT);
	batch_add_counter(&b, 0);
	fill(&b, &rules);
	return batch_try(&b);
}
