/* The frames (spoofs.h), each from the outside in. Sums are right: only who sends it is wrong. */
#include "spoofs.h"

#include "frames.h"

enum { NEXT_HOP_BY_HOP = 0, NEXT_FRAGMENT = 44 };
enum { ROUTER_ADVERTISEMENT = 134, NEIGHBOUR_SOLICITATION };
enum { DHCP_SERVER = 67, DHCP_CLIENT, DHCPV6_CLIENT = 546, DHCPV6_SERVER, DISCARD = 9 };
enum { TYPE_VLAN = 0x8100, TYPE_SERVICE_VLAN = 0x88a8, TYPE_MPLS = 0x8847, TYPE_PPPOE = 0x8863 };
enum { TYPE_LLDP = 0x88cc, TYPE_EXPERIMENT = 0x88b5 };

#define MARK_SIZE 10 /* with its NUL */

static const uint8_t anybody[4] = {255, 255, 255, 255};
static const uint8_t all_nodes[16] = {0xff, 2, [15] = 1};
static const uint8_t all_nodes_mac[6] = {0x33, 0x33, 0, 0, 0, 1};
static const uint8_t bridges_mac[6] = {1, 0x80, 0xc2};
static const uint8_t global_address[16] = {0x20, 1, 0xd, 0xb8, [15] = 9};

static size_t put(uint8_t *at, const void *bytes, size_t len)
{
	__builtin_memcpy(at, bytes, len);
	return len;
}

static size_t put_mark(uint8_t *at, const char *mark)
{
	return put(at, mark, MARK_SIZE);
}

static size_t put_ethernet(uint8_t *at, const uint8_t from[6], const uint8_t to[6], uint16_t type)
{
	struct ethernet *ethernet = (struct ethernet *)at;

	put(ethernet->to, to, sizeof(ethernet->to));
	put(ethernet->from, from, sizeof(ethernet->from));
	put16(ethernet->type, type);
	return sizeof(*ethernet);
}

/* UDP over IPv4 to everybody with OPTIONS bytes of IP options: no operation, all of them. */
static size_t put_udp4(uint8_t *at, const uint8_t from[4], uint16_t from_port, uint16_t to_port,
		       size_t options, const char *mark)
{
	struct ipv4 *ip = (struct ipv4 *)at;
	size_t header = sizeof(*ip) + options;
	struct udp *udp = (struct udp *)(at + header);
	size_t len = sizeof(*udp) + put_mark((uint8_t *)(udp + 1), mark);

	__builtin_memset(at, 1, header);
	ip->version_size = (uint8_t)(0x40 | header / 4);
	ip->service = 0;
	put16(ip->total, (uint16_t)(header + len));
	put16(ip->fragment, 0);
	ip->ttl = 64;
	ip->protocol = PROTOCOL_UDP;
	put(ip->from, from, sizeof(ip->from));
	put(ip->to, anybody, sizeof(ip->to));
	put16(ip->sum, 0);
	put16(ip->sum, sum_finish(sum_add(0, ip, header)));
	put16(udp->from, from_port);
	put16(udp->to, to_port);
	put16(udp->len, (uint16_t)len);
	put16(udp->sum, ipv4_transport_sum(ip, udp, len));
	return header + len;
}

static size_t ipv4_frame(uint8_t *frame, const uint8_t from_mac[6], const uint8_t from[4],
			 const char *mark)
{
	size_t len = put_ethernet(frame, from_mac, mac_broadcast, TYPE_IPV4);

	return len + put_udp4(frame + len, from, DISCARD, DISCARD, 0, mark);
}

static void other_mac(const struct identity *self, uint8_t mac[6])
{
	put(mac, self->mac, sizeof(self->mac));
	mac[5] ^= 1;
}

static void link_local(const struct identity *self, uint8_t address[16])
{
	const uint8_t *mac = self->mac;
	const uint8_t made[16] = {0xfe,	      0x80,   0,      0,    0,	  0,	  0,	  0,
				  mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]};

	put(address, made, sizeof(made));
}

/* What is behind it, LEN bytes, is of PROTOCOL and gets its sum. SKIP of them are other headers. */
static size_t put_ipv6(uint8_t *at, const uint8_t from[16], uint8_t next, size_t skip,
		       uint8_t protocol, size_t len)
{
	struct ipv6 *ip = (struct ipv6 *)at;
	uint8_t *transport = at + sizeof(*ip) + skip;
	uint8_t *sum = transport + (protocol == PROTOCOL_UDP ? 6 : 2);
	size_t covered = len - skip;
	uint64_t pseudo;

	ip->version[0] = 0x60;
	put16(ip->payload, (uint16_t)len);
	ip->next = next;
	ip->hops = 255;
	put(ip->from, from, sizeof(ip->from));
	put(ip->to, all_nodes, sizeof(ip->to));
	put16(sum, 0);
	pseudo = sum_add(0, ip->from, sizeof(ip->from) + sizeof(ip->to));
	pseudo = sum_number(sum_number(pseudo, protocol), (uint16_t)covered);
	put16(sum, sum_finish(sum_add(pseudo, transport, covered)));
	return sizeof(*ip) + len;
}

static size_t put_udp6(uint8_t *at, uint16_t from_port, uint16_t to_port, const char *mark)
{
	struct udp *udp = (struct udp *)at;
	size_t len = sizeof(*udp) + put_mark((uint8_t *)(udp + 1), mark);

	put16(udp->from, from_port);
	put16(udp->to, to_port);
	put16(udp->len, (uint16_t)len);
	return len;
}

/* An ICMPv6 message with SIZE bytes of its own and an option (253, for experiments) for the mark.
 */
static size_t put_icmp6(uint8_t *at, uint8_t type, size_t size, const char *mark)
{
	at[0] = type;
	at[size] = 253;
	at[size + 1] = 2; /* times 8 bytes */
	put_mark(at + size + 2, mark);
	return size + 16;
}

static size_t put_advertisement(uint8_t *at, const char *mark)
{
	at[4] = 64;	     /* hops */
	put16(at + 6, 1800); /* seconds that it is a router */
	return put_icmp6(at, ROUTER_ADVERTISEMENT, 16, mark);
}

static uint8_t *start_ipv6(const struct identity *self, uint8_t *frame, uint8_t from[16])
{
	link_local(self, from);
	return frame + put_ethernet(frame, self->mac, all_nodes_mac, TYPE_IPV6);
}

static size_t from_another_mac(const struct identity *self, const char *mark, uint8_t *frame)
{
	uint8_t mac[6];

	other_mac(self, mac);
	return ipv4_frame(frame, mac, self->address, mark);
}

static size_t from_another_address(const struct identity *self, const char *mark, uint8_t *frame)
{
	return ipv4_frame(frame, self->mac, self->other, mark);
}

static size_t claim_another_address(const struct identity *self, const char *mark, uint8_t *frame)
{
	size_t len = arp_make(frame, ARP_REPLY, self->mac, self->other, mac_broadcast, anybody);

	return len + put_mark(frame + len, mark);
}

static size_t claim_for_another_mac(const struct identity *self, const char *mark, uint8_t *frame)
{
	struct arp *arp = (struct arp *)(frame + sizeof(struct ethernet));
	size_t len = arp_make(frame, ARP_REPLY, self->mac, self->address, mac_broadcast, anybody);

	other_mac(self, arp->sender_mac);
	return len + put_mark(frame + len, mark);
}

static size_t tagged(const struct identity *self, uint16_t type, const char *mark, uint8_t *frame)
{
	size_t len = put_ethernet(frame, self->mac, mac_broadcast, type);

	put16(frame + len, 5);
	put16(frame + len + 2, TYPE_IPV4);
	len += 4;
	return len + put_udp4(frame + len, self->address, DISCARD, DISCARD, 0, mark);
}

static size_t vlan(const struct identity *self, const char *mark, uint8_t *frame)
{
	return tagged(self, TYPE_VLAN, mark, frame);
}

static size_t service_vlan(const struct identity *self, const char *mark, uint8_t *frame)
{
	return tagged(self, TYPE_SERVICE_VLAN, mark, frame);
}

static size_t of_type(const struct identity *self, uint16_t type, const char *mark, uint8_t *frame)
{
	size_t len = put_ethernet(frame, self->mac, mac_broadcast, type);

	return len + put_mark(frame + len, mark);
}

static size_t mpls(const struct identity *self, const char *mark, uint8_t *frame)
{
	return of_type(self, TYPE_MPLS, mark, frame);
}

static size_t pppoe(const struct identity *self, const char *mark, uint8_t *frame)
{
	return of_type(self, TYPE_PPPOE, mark, frame);
}

static size_t lldp(const struct identity *self, const char *mark, uint8_t *frame)
{
	return of_type(self, TYPE_LLDP, mark, frame);
}

static size_t experiment(const struct identity *self, const char *mark, uint8_t *frame)
{
	return of_type(self, TYPE_EXPERIMENT, mark, frame);
}

/* A length instead of a type, then LLC: both ends 0x42, the spanning tree protocol's. */
static size_t llc(const struct identity *self, const uint8_t to[6], const char *mark,
		  uint8_t *frame)
{
	static const uint8_t header[] = {0x42, 0x42, 3};
	size_t len = put_ethernet(frame, self->mac, to, 38);

	put(frame + len, header, sizeof(header));
	/* A configuration message of 35 bytes of zeros: from the best root that there is. */
	put_mark(frame + len + sizeof(header) + 35, mark);
	return len + 38 + MARK_SIZE;
}

static size_t spanning_tree(const struct identity *self, const char *mark, uint8_t *frame)
{
	return llc(self, bridges_mac, mark, frame);
}

static size_t llc_to_all(const struct identity *self, const char *mark, uint8_t *frame)
{
	return llc(self, mac_broadcast, mark, frame);
}

static size_t dhcp_with(const struct identity *self, size_t options, const char *mark,
			uint8_t *frame)
{
	size_t len = put_ethernet(frame, self->mac, mac_broadcast, TYPE_IPV4);

	return len + put_udp4(frame + len, self->address, DHCP_SERVER, DHCP_CLIENT, options, mark);
}

static size_t dhcp(const struct identity *self, const char *mark, uint8_t *frame)
{
	return dhcp_with(self, 0, mark, frame);
}

static size_t dhcp_behind_options(const struct identity *self, const char *mark, uint8_t *frame)
{
	return dhcp_with(self, 8, mark, frame);
}

static size_t advertisement(const struct identity *self, const char *mark, uint8_t *frame)
{
	uint8_t from[16], *at = start_ipv6(self, frame, from);
	size_t len = put_advertisement(at + sizeof(struct ipv6), mark);

	len = put_ipv6(at, from, PROTOCOL_ICMPV6, 0, PROTOCOL_ICMPV6, len);
	return sizeof(struct ethernet) + len;
}

/* The eight bytes of a header of kind NEXT between IPv6 and the advertisement. */
static size_t hidden(const struct identity *self, uint8_t next, const uint8_t header[8],
		     const char *mark, uint8_t *frame)
{
	uint8_t from[16], *at = start_ipv6(self, frame, from);
	size_t skip = put(at + sizeof(struct ipv6), header, 8);
	size_t len = skip + put_advertisement(at + sizeof(struct ipv6) + skip, mark);

	len = put_ipv6(at, from, next, skip, PROTOCOL_ICMPV6, len);
	return sizeof(struct ethernet) + len;
}

static size_t behind_hop_by_hop(const struct identity *self, const char *mark, uint8_t *frame)
{
	static const uint8_t header[8] = {PROTOCOL_ICMPV6, 0, 1, 4}; /* four bytes of padding */

	return hidden(self, NEXT_HOP_BY_HOP, header, mark, frame);
}

static size_t behind_fragment(const struct identity *self, const char *mark, uint8_t *frame)
{
	static const uint8_t header[8] = {PROTOCOL_ICMPV6, [7] = 1}; /* the first and only one */

	return hidden(self, NEXT_FRAGMENT, header, mark, frame);
}

static size_t udp6(const struct identity *self, const uint8_t from[16], uint16_t from_port,
		   uint16_t to_port, const char *mark, uint8_t *frame)
{
	size_t start = put_ethernet(frame, self->mac, all_nodes_mac, TYPE_IPV6);
	size_t len = put_udp6(frame + start + sizeof(struct ipv6), from_port, to_port, mark);

	return start + put_ipv6(frame + start, from, PROTOCOL_UDP, 0, PROTOCOL_UDP, len);
}

static size_t dhcpv6(const struct identity *self, const char *mark, uint8_t *frame)
{
	uint8_t from[16];

	link_local(self, from);
	return udp6(self, from, DHCPV6_SERVER, DHCPV6_CLIENT, mark, frame);
}

static size_t from_global(const struct identity *self, const char *mark, uint8_t *frame)
{
	return udp6(self, global_address, DISCARD, DISCARD, mark, frame);
}

static size_t own_udp(const struct identity *self, const char *mark, uint8_t *frame)
{
	return ipv4_frame(frame, self->mac, self->address, mark);
}

static size_t own_arp(const struct identity *self, const char *mark, uint8_t *frame)
{
	size_t len = arp_make(frame, ARP_REQUEST, self->mac, self->address, mac_broadcast,
			      self->other);

	return len + put_mark(frame + len, mark);
}

/* Who has the address that it sends from? Target and mark. */
static size_t own_solicitation(const struct identity *self, const char *mark, uint8_t *frame)
{
	uint8_t from[16], *at = start_ipv6(self, frame, from);
	size_t len;

	put(at + sizeof(struct ipv6) + 8, from, sizeof(from));
	len = put_icmp6(at + sizeof(struct ipv6), NEIGHBOUR_SOLICITATION, 24, mark);
	len = put_ipv6(at, from, PROTOCOL_ICMPV6, 0, PROTOCOL_ICMPV6, len);
	return sizeof(struct ethernet) + len;
}

const struct spoof spoofs[] = {
    {"IPv4 from another MAC", from_another_mac},
    {"IPv4 from another address", from_another_address},
    {"ARP reply for another address", claim_another_address},
    {"ARP reply with another MAC", claim_for_another_mac},
    {"802.1Q tag", vlan},
    {"802.1ad tag", service_vlan},
    {"MPLS", mpls},
    {"PPPoE discovery", pppoe},
    {"LLDP", lldp},
    {"EtherType for experiments", experiment},
    {"spanning tree message", spanning_tree},
    {"LLC to all", llc_to_all},
    {"DHCP server's answer", dhcp},
    {"DHCP server's answer behind IP options", dhcp_behind_options},
    {"router advertisement", advertisement},
    {"router advertisement behind a hop-by-hop header", behind_hop_by_hop},
    {"router advertisement behind a fragment header", behind_fragment},
    {"DHCPv6 server's answer", dhcpv6},
    {"IPv6 from a global address", from_global},
};
const unsigned spoofs_count = sizeof(spoofs) / sizeof(spoofs[0]);

const struct spoof honest[] = {
    {"IPv4", own_udp},
    {"ARP", own_arp},
    {"IPv6 neighbour solicitation", own_solicitation},
};
const unsigned honest_count = sizeof(honest) / sizeof(honest[0]);
