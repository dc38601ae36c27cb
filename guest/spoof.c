/*
 * spoof --ipv4=ADDRESS/BITS --other=ADDRESS: sends each frame of spoofs.c once, with "SPOOF-01.",
 * "SPOOF-02.", ... or "LEGIT-01.", ... in it, and says which is which; then "done", and sleeps.
 */
#include "spoofs.h"

#include "frames.h"
#include "guest.h"

static void send(const struct net_device *net, const struct identity *self, const char *kind,
		 const struct spoof *list, unsigned count)
{
	static uint8_t frame[SPOOF_MAX];
	char mark[sizeof("SPOOF-00.")];

	__builtin_memcpy(mark, kind, sizeof(mark));
	for (unsigned i = 0; i < count; i++) {
		enum device_result result;

		mark[6] = (char)('0' + (i + 1) / 10);
		mark[7] = (char)('0' + (i + 1) % 10);
		__builtin_memset(frame, 0, sizeof(frame));
		result = net_write(net, frame, list[i].make(self, mark, frame));
		print("%s %s%s\n", mark, list[i].what, result == DEVICE_OK ? "" : ": not sent");
	}
}

int guest_main(int argc, char **argv)
{
	struct net_device net;
	struct identity self;
	unsigned bits;
	int known = 0;

	for (int i = 0; i < argc; i++) {
		const char *own = after_prefix(argv[i], "--ipv4=");
		const char *other = after_prefix(argv[i], "--other=");

		if (own != NULL && ipv4_parse(own, self.address, &bits))
			known |= 1;
		else if (other != NULL && ipv4_parse(other, self.other, NULL))
			known |= 2;
	}
	if (known != 3 || !net_find(0, &net)) {
		print("spoof: wants --ipv4=ADDRESS/BITS --other=ADDRESS\n");
		return 1;
	}
	__builtin_memcpy(self.mac, net.mac, sizeof(self.mac));
	send(&net, &self, "SPOOF-00.", spoofs, spoofs_count);
	send(&net, &self, "LEGIT-00.", honest, honest_count);
	print("done\n");
	sleep_for_ever();
}
