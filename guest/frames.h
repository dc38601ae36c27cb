/*
 * Ethernet frames and what is in them, for guests with a network: headers as bytes in network
 * order, checksums, addresses as text.
 */
#ifndef VMM_GUEST_FRAMES_H
#define VMM_GUEST_FRAMES_H

#include <stddef.h>
#include <stdint.h>

#define MAC_TEXT_SIZE  18 /* "02:00:00:00:00:01" and a NUL */
#define IPV4_TEXT_SIZE 16
#define FRAME_MAX      (sizeof(struct ethernet) + UINT16_MAX)

enum { TYPE_IPV4 = 0x0800, TYPE_ARP = 0x0806, TYPE_IPV6 = 0x86dd };
enum { PROTOCOL_ICMP = 1, PROTOCOL_UDP = 17, PROTOCOL_ICMPV6 = 58 };
enum { ARP_REQUEST = 1, ARP_REPLY };

struct ethernet {
	uint8_t to[6], from[6], type[2];
};

struct arp {
	uint8_t hardware[2], protocol[2], sizes[2], operation[2];
	uint8_t sender_mac[6], sender[4], target_mac[6], target[4];
};

struct ipv4 {
	uint8_t version_size, service, total[2], id[2], fragment[2];
	uint8_t ttl, protocol, sum[2], from[4], to[4];
};

struct ipv6 {
	uint8_t version[4], payload[2], next, hops, from[16], to[16];
};

struct udp {
	uint8_t from[2], to[2], len[2], sum[2];
};

struct icmp {
	uint8_t type, code, sum[2], rest[4];
};

static const uint8_t mac_broadcast[6] = {255, 255, 255, 255, 255, 255};

uint16_t get16(const uint8_t at[2]);
void put16(uint8_t at[2], uint16_t value);
int equal(const void *a, const void *b, size_t len);

/*
 * The Internet checksum (RFC 1071): SUM, 0 at first, goes on over LEN bytes, which only the last
 * time may be an odd number, or over a number; then sum_finish has it. It is 0 over what contains
 * its right sum.
 */
uint64_t sum_add(uint64_t sum, const void *bytes, size_t len);
uint64_t sum_number(uint64_t sum, uint16_t value);
uint16_t sum_finish(uint64_t sum);

/* Makes IP's own sum. */
void ipv4_sum(struct ipv4 *ip);
/* Of TRANSPORT's LEN bytes (even its sum) and the pseudo header for it. */
uint16_t ipv4_transport_sum(const struct ipv4 *ip, const void *transport, size_t len);

/* An Ethernet frame that says or asks who has an address; its length. */
size_t arp_make(uint8_t *frame, uint16_t operation, const uint8_t from[6], const uint8_t sender[4],
		const uint8_t to[6], const uint8_t target[4]);

/*
 * "10.0.0.2/24"; with BITS NULL "10.0.0.2". 0: it is something else.
 */
int ipv4_parse(const char *text, uint8_t address[4], unsigned *bits);
void ipv4_format(const uint8_t address[4], char text[IPV4_TEXT_SIZE]);
void mac_format(const uint8_t mac[6], char text[MAC_TEXT_SIZE]);
/* Whether A and B share their first BITS. */
int ipv4_near(const uint8_t a[4], const uint8_t b[4], unsigned bits);

#endif
