/*
 * ask --ipv4=ADDRESS/BITS --router=ADDRESS --to=ADDRESS: asks TO's UDP echo (port 7), which is in
 * another network: by way of the router, whose MAC it asks for first. Each question again after a
 * second without an answer. "ask: ADDRESS answers", then the end.
 */
#include "frames.h"
#include "guest.h"

enum { OWN_PORT = 4711, ECHO_PORT = 7, TTL = 64 };

struct datagram {
	struct ethernet ethernet;
	struct ipv4 ip;
	struct udp udp;
	uint8_t text[10];
};

static struct net_device net;
static uint8_t address[4], router[4], to[4], router_mac[6];

/* Whether one comes in that ANSWERS, until a second is over. */
static int awaited(int (*answers)(const uint8_t *frame, size_t len))
{
	static uint8_t frame[FRAME_MAX];
	uint64_t deadline = clock_monotonic() + NSECS;
	size_t len;

	while (clock_monotonic() < deadline) {
		poll_devices(deadline);
		while (net_read(&net, frame, sizeof(struct ethernet) + net.mtu, &len) == DEVICE_OK)
			if (answers(frame, len))
				return 1;
	}
	return 0;
}

/* The router's "I have that address", whose MAC is kept. */
static int is_router(const uint8_t *frame, size_t len)
{
	const struct ethernet *ethernet = (const struct ethernet *)frame;
	const struct arp *arp = (const struct arp *)(ethernet + 1);

	if (len < sizeof(*ethernet) + sizeof(*arp) || get16(ethernet->type) != TYPE_ARP ||
	    get16(arp->operation) != ARP_REPLY ||
	    !equal(arp->sender, router, sizeof(arp->sender)) ||
	    !equal(arp->target, address, sizeof(arp->target)))
		return 0;
	__builtin_memcpy(router_mac, arp->sender_mac, sizeof(router_mac));
	return 1;
}

static int is_echo(const uint8_t *frame, size_t len)
{
	const struct datagram *answer = (const struct datagram *)frame;

	return len >= sizeof(*answer) && get16(answer->ethernet.type) == TYPE_IPV4 &&
	       answer->ip.protocol == PROTOCOL_UDP &&
	       equal(answer->ip.from, to, sizeof(answer->ip.from)) &&
	       equal(answer->ip.to, address, sizeof(answer->ip.to)) &&
	       get16(answer->udp.from) == ECHO_PORT && get16(answer->udp.to) == OWN_PORT;
}

static void ask_router(void)
{
	uint8_t frame[sizeof(struct ethernet) + sizeof(struct arp)];
	size_t len = arp_make(frame, ARP_REQUEST, net.mac, address, mac_broadcast, router);

	net_write(&net, frame, len);
}

static void ask_echo(void)
{
	struct datagram question = {.text = "anybody?"};
	const size_t len = sizeof(question.udp) + sizeof(question.text);

	__builtin_memcpy(question.ethernet.to, router_mac, sizeof(router_mac));
	__builtin_memcpy(question.ethernet.from, net.mac, sizeof(net.mac));
	put16(question.ethernet.type, TYPE_IPV4);
	question.ip.version_size = 0x45;
	put16(question.ip.total, (uint16_t)(sizeof(question.ip) + len));
	question.ip.ttl = TTL;
	question.ip.protocol = PROTOCOL_UDP;
	__builtin_memcpy(question.ip.from, address, sizeof(address));
	__builtin_memcpy(question.ip.to, to, sizeof(to));
	ipv4_sum(&question.ip);
	put16(question.udp.from, OWN_PORT);
	put16(question.udp.to, ECHO_PORT);
	put16(question.udp.len, (uint16_t)len);
	put16(question.udp.sum, ipv4_transport_sum(&question.ip, &question.udp, len));
	net_write(&net, &question, sizeof(question));
}

/* Whether ARGUMENT is one of the three, and well-formed. */
static int take(const char *argument)
{
	const char *own = after_prefix(argument, "--ipv4=");
	const char *way = after_prefix(argument, "--router=");
	const char *whom = after_prefix(argument, "--to=");
	unsigned bits;

	return own != NULL    ? ipv4_parse(own, address, &bits)
	       : way != NULL  ? ipv4_parse(way, router, NULL)
	       : whom != NULL ? ipv4_parse(whom, to, NULL)
			      : 0;
}

int guest_main(int argc, char **argv)
{
	char text[IPV4_TEXT_SIZE];
	int taken = 0;

	for (int i = 0; i < argc; i++)
		taken += take(argv[i]);
	if (taken != 3 || !net_find(0, &net)) {
		print("ask: wants --ipv4=ADDRESS/BITS --router=ADDRESS --to=ADDRESS\n");
		return 1;
	}
	do
		ask_router();
	while (!awaited(is_router));
	do
		ask_echo();
	while (!awaited(is_echo));
	ipv4_format(to, text);
	print("ask: %s answers\n", text);
	return 0;
}
