/* Frames, checksums and addresses (frames.h). Knows no device. */
#include "frames.h"

__extension__ typedef unsigned __int128 uint128;

uint16_t get16(const uint8_t at[2])
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

void put16(uint8_t at[2], uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

int equal(const void *a, const void *b, size_t len)
{
	const uint8_t *one = a, *other = b;

	while (len > 0 && *one == *other) {
		one++;
		other++;
		len--;
	}
	return len == 0;
}

uint64_t sum_add(uint64_t sum, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	uint128 total = sum;
	uint64_t word;

	for (; len >= sizeof(word); len -= sizeof(word), at += sizeof(word)) {
		__builtin_memcpy(&word, at, sizeof(word));
		total += word;
	}
	sum = (uint64_t)(uint32_t)total + (uint32_t)(total >> 32) + (uint64_t)(total >> 64);
	for (; len > 1; len -= 2, at += 2)
		sum += (uint64_t)(at[0] | at[1] << 8);
	return len == 1 ? sum + *at : sum;
}

uint64_t sum_number(uint64_t sum, uint16_t value)
{
	return sum + __builtin_bswap16(value);
}

uint16_t sum_finish(uint64_t sum)
{
	while (sum > UINT16_MAX)
		sum = (sum >> 16) + (sum & UINT16_MAX);
	return __builtin_bswap16((uint16_t)~sum);
}

void ipv4_sum(struct ipv4 *ip)
{
	put16(ip->sum, 0);
	put16(ip->sum, sum_finish(sum_add(0, ip, sizeof(*ip))));
}

uint16_t ipv4_transport_sum(const struct ipv4 *ip, const void *transport, size_t len)
{
	uint64_t sum = sum_add(0, ip->from, sizeof(ip->from) + sizeof(ip->to));

	sum = sum_number(sum_number(sum, ip->protocol), (uint16_t)len);
	return sum_finish(sum_add(sum, transport, len));
}

size_t arp_make(uint8_t *frame, uint16_t operation, const uint8_t from[6], const uint8_t sender[4],
		const uint8_t to[6], const uint8_t target[4])
{
	struct ethernet *ethernet = (struct ethernet *)frame;
	struct arp *arp = (struct arp *)(ethernet + 1);

	__builtin_memcpy(ethernet->to, to, sizeof(ethernet->to));
	__builtin_memcpy(ethernet->from, from, sizeof(ethernet->from));
	put16(ethernet->type, TYPE_ARP);
	put16(arp->hardware, 1);
	put16(arp->protocol, TYPE_IPV4);
	put16(arp->sizes, sizeof(arp->sender_mac) << 8 | sizeof(arp->sender));
	put16(arp->operation, operation);
	__builtin_memcpy(arp->sender_mac, from, sizeof(arp->sender_mac));
	__builtin_memcpy(arp->sender, sender, sizeof(arp->sender));
	__builtin_memcpy(arp->target_mac, to, sizeof(arp->target_mac));
	__builtin_memcpy(arp->target, target, sizeof(arp->target));
	return sizeof(*ethernet) + sizeof(*arp);
}

/* A decimal number of at most three digits up to MAX; moves on behind it. */
static int parse_small(const char **text, unsigned max, unsigned *value)
{
	unsigned digits = 0;

	*value = 0;
	for (; **text >= '0' && **text <= '9' && digits < 3; (*text)++, digits++)
		*value = *value * 10 + (unsigned)(**text - '0');
	return digits > 0 && *value <= max;
}

int ipv4_parse(const char *text, uint8_t address[4], unsigned *bits)
{
	for (unsigned i = 0, byte; i < 4; i++) {
		if ((i > 0 && *text++ != '.') || !parse_small(&text, UINT8_MAX, &byte))
			return 0;
		address[i] = (uint8_t)byte;
	}
	if (bits != NULL && (*text++ != '/' || !parse_small(&text, 32, bits)))
		return 0;
	return *text == '\0';
}

void ipv4_format(const uint8_t address[4], char text[IPV4_TEXT_SIZE])
{
	for (unsigned i = 0; i < 4; i++) {
		unsigned byte = address[i];

		if (byte >= 100)
			*text++ = (char)('0' + byte / 100);
		if (byte >= 10)
			*text++ = (char)('0' + byte / 10 % 10);
		*text++ = (char)('0' + byte % 10);
		*text++ = i < 3 ? '.' : '\0';
	}
}

void mac_format(const uint8_t mac[6], char text[MAC_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (unsigned i = 0; i < 6; i++) {
		*text++ = digits[mac[i] >> 4];
		*text++ = digits[mac[i] & 15];
		*text++ = i < 5 ? ':' : '\0';
	}
}

int ipv4_near(const uint8_t a[4], const uint8_t b[4], unsigned bits)
{
	for (unsigned i = 0; i < bits; i++)
		if (((a[i / 8] ^ b[i / 8]) >> (7 - i % 8) & 1) != 0)
			return 0;
	return 1;
}
