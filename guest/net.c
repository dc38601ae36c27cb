/*
 * net [--ipv4=ADDRESS/BITS] [--ipv4:DEVICE=ADDRESS/BITS]... [--router=ADDRESS] [--count=N]: answers
 * ARP, ICMP echo and UDP echo (port 7) on every interface, to where the question came from. The
 * first of --ipv4 is the first device's. Says "net DEVICE MAC ADDRESS MTU" of each, ADDRESS "-" for
 * one without, which answers nothing. To its router it says once, with a question of ARP's, that it
 * is there. After N echoes the end, else for ever. IP options and fragments are not answered.
 * "net DEVICE lost" when the tender cannot read from it any more; 1 when that is true of the last.
 */
#include "frames.h"
#include "guest.h"

#define INTERFACES_MAX 8
#define ECHO_PORT      7
#define ECHO_REQUEST   8
#define ECHO_REPLY     0
#define PLAIN_HEADER   0x45   /* version 4, without options */
#define FRAGMENTED     0x3fff /* more of it follows, or came before */
#define TTL	       64
#define BURST	       64 /* frames of one interface before the next one's turn */

struct interface {
	struct net_device net;
	int addressed, lost;
	uint8_t address[4];
	unsigned bits;
};

static struct interface interfaces[INTERFACES_MAX];
static unsigned count;

static void swap(uint8_t *a, uint8_t *b, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t byte = a[i];

		a[i] = b[i];
		b[i] = byte;
	}
}

/* In place, as all answers. Their length, 0: none. */
static size_t answer_arp(const struct interface *at, uint8_t *frame, size_t len)
{
	struct arp *arp = (struct arp *)(frame + sizeof(struct ethernet));
	uint8_t to[6], target[4];

	if (len < sizeof(struct ethernet) + sizeof(*arp) || get16(arp->hardware) != 1 ||
	    get16(arp->protocol) != TYPE_IPV4 || get16(arp->sizes) != 0x0604 ||
	    get16(arp->operation) != ARP_REQUEST ||
	    !equal(arp->target, at->address, sizeof(at->address)))
		return 0;
	__builtin_memcpy(to, arp->sender_mac, sizeof(to));
	__builtin_memcpy(target, arp->sender, sizeof(target));
	return arp_make(frame, ARP_REPLY, at->net.mac, at->address, to, target);
}

static int answer_icmp(struct icmp *icmp, size_t len)
{
	uint64_t sum;

	if (len < sizeof(*icmp) || icmp->type != ECHO_REQUEST || icmp->code != 0 ||
	    sum_finish(sum_add(0, icmp, len)) != 0)
		return 0;
	/* Only the type changes: the sum of what it covers by as much (RFC 1624). */
	icmp->type = ECHO_REPLY;
	sum = sum_number(0, (uint16_t)~get16(icmp->sum));
	put16(icmp->sum, sum_finish(sum_number(sum, (uint16_t) ~(ECHO_REQUEST << 8))));
	return 1;
}

/* The sum stays right when both ends change places; none stays none. */
static int answer_udp(const struct ipv4 *ip, struct udp *udp, size_t len)
{
	if (len < sizeof(*udp) || get16(udp->len) != len || get16(udp->to) != ECHO_PORT ||
	    get16(udp->from) == ECHO_PORT || get16(udp->from) == 0 ||
	    (get16(udp->sum) != 0 && ipv4_transport_sum(ip, udp, len) != 0))
		return 0;
	swap(udp->from, udp->to, sizeof(udp->from));
	return 1;
}

/* Of one host, and not of this one. */
static int from_a_host(const struct interface *at, const uint8_t from[4])
{
	return from[0] > 0 && from[0] < 224 && !equal(from, at->address, sizeof(at->address));
}

static size_t answer_ipv4(const struct interface *at, uint8_t *frame, size_t len)
{
	struct ethernet *ethernet = (struct ethernet *)frame;
	struct ipv4 *ip = (struct ipv4 *)(ethernet + 1);
	void *inside = ip + 1;
	size_t total;
	int answered;

	if (len < sizeof(*ethernet) + sizeof(*ip) || ip->version_size != PLAIN_HEADER)
		return 0;
	total = get16(ip->total);
	if (total < sizeof(*ip) || total > len - sizeof(*ethernet) ||
	    sum_finish(sum_add(0, ip, sizeof(*ip))) != 0 ||
	    (get16(ip->fragment) & FRAGMENTED) != 0 || !from_a_host(at, ip->from) ||
	    !equal(ip->to, at->address, sizeof(at->address)))
		return 0;
	answered = (ip->protocol == PROTOCOL_ICMP && answer_icmp(inside, total - sizeof(*ip))) ||
		   (ip->protocol == PROTOCOL_UDP && answer_udp(ip, inside, total - sizeof(*ip)));
	if (!answered)
		return 0;
	swap(ip->from, ip->to, sizeof(ip->from));
	ip->ttl = TTL;
	ipv4_sum(ip);
	__builtin_memcpy(ethernet->to, ethernet->from, sizeof(ethernet->to));
	__builtin_memcpy(ethernet->from, at->net.mac, sizeof(ethernet->from));
	return sizeof(*ethernet) + total;
}

/* Reads what came in, but for more than its share; how many echoes that made. */
static uint64_t serve(struct interface *at, uint64_t wanted)
{
	static uint8_t frame[FRAME_MAX];
	const struct ethernet *ethernet = (const struct ethernet *)frame;
	uint64_t echoes = 0;
	size_t len, answer;

	for (unsigned n = 0; n < BURST && echoes < wanted; n++) {
		enum device_result result;
		int for_us, for_all, ip;

		result = net_read(&at->net, frame, sizeof(*ethernet) + at->net.mtu, &len);
		at->lost = result == DEVICE_UNSPECIFIED;
		if (result != DEVICE_OK)
			break;
		if (len < sizeof(*ethernet) || !at->addressed)
			continue;
		for_us = equal(ethernet->to, at->net.mac, sizeof(at->net.mac));
		for_all = equal(ethernet->to, mac_broadcast, sizeof(mac_broadcast));
		ip = get16(ethernet->type) == TYPE_IPV4 && for_us;
		answer = 0;
		if (ip)
			answer = answer_ipv4(at, frame, len);
		else if (get16(ethernet->type) == TYPE_ARP && (for_us || for_all))
			answer = answer_arp(at, frame, len);
		if (answer > 0 && net_write(&at->net, frame, answer) == DEVICE_OK && ip)
			echoes++;
	}
	return echoes;
}

static int set_address(const char *device, size_t name_len, const char *value)
{
	for (unsigned i = 0; i < count; i++) {
		struct interface *at = &interfaces[i];

		if (name_len > 0 &&
		    !(equal(at->net.name, device, name_len) && at->net.name[name_len] == '\0'))
			continue;
		at->addressed = ipv4_parse(value, at->address, &at->bits);
		return at->addressed;
	}
	return 0;
}

/* --ipv4=VALUE, --ipv4:DEVICE=VALUE */
static int parse_address(const char *argument)
{
	const char *device = after_prefix(argument, "--ipv4:");
	const char *value = after_prefix(argument, "--ipv4=");
	size_t len = 0;

	if (value != NULL)
		return set_address("", 0, value);
	if (device == NULL)
		return 0;
	while (device[len] != '=' && device[len] != '\0')
		len++;
	return len > 0 && device[len] == '=' && set_address(device, len, device + len + 1);
}

static void introduce(const struct interface *at)
{
	char mac[MAC_TEXT_SIZE], address[IPV4_TEXT_SIZE] = "-";

	mac_format(at->net.mac, mac);
	if (at->addressed)
		ipv4_format(at->address, address);
	print("net %s %s %s %d\n", at->net.name, mac, address, (uint64_t)at->net.mtu);
}

static void greet(const struct interface *at, const uint8_t router[4])
{
	uint8_t frame[sizeof(struct ethernet) + sizeof(struct arp)];
	size_t len;

	if (!at->addressed || !ipv4_near(at->address, router, at->bits))
		return;
	len = arp_make(frame, ARP_REQUEST, at->net.mac, at->address, mac_broadcast, router);
	net_write(&at->net, frame, len);
}

/* Whether it served as many as were WANTED: else there is nothing left to serve on. */
static int run(uint64_t wanted)
{
	unsigned left = count;

	while (wanted > 0 && left > 0) {
		uint64_t ready = poll_devices(clock_monotonic() + HOUR).set;

		for (unsigned i = 0; i < count; i++) {
			struct interface *at = &interfaces[i];

			if (at->lost || (ready >> at->net.handle & 1) == 0)
				continue;
			wanted -= serve(at, wanted);
			if (at->lost) {
				print("net %s lost\n", at->net.name);
				left--;
			}
		}
	}
	return wanted == 0;
}

int guest_main(int argc, char **argv)
{
	uint64_t wanted = UINT64_MAX;
	uint8_t router[4] = {0};

	while (count < INTERFACES_MAX && net_find(count, &interfaces[count].net))
		count++;
	for (int i = 0; i < argc; i++) {
		const char *number = after_prefix(argv[i], "--count=");
		const char *address = after_prefix(argv[i], "--router=");

		if (number != NULL) {
			wanted = number_parse(number);
		} else if (address != NULL ? !ipv4_parse(address, router, NULL)
					   : !parse_address(argv[i])) {
			print("net: what is %s?\n", argv[i]);
			return 1;
		}
	}
	for (unsigned i = 0; i < count; i++) {
		introduce(&interfaces[i]);
		greet(&interfaces[i], router);
	}
	return !run(wanted);
}
