/*
 * poll [for-ever]: waits return at their time, not before, with nothing ready, and at once when it
 * is past; or a wait that has no end.
 */
#include "guest.h"

int guest_main(int argc, char **argv)
{
	static const uint64_t waits[] = {0, 1, 1000, 20 * NSECS / 1000};
	int good = 1;

	if (argc == 1 && same(argv[0], "for-ever")) {
		print("poll: for ever\n");
		for (;;)
			poll_devices(UINT64_MAX / 4);
	}
	for (unsigned i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		uint64_t start = clock_monotonic();
		struct ready ready = poll_devices(start + waits[i]);
		int early = clock_monotonic() - start < waits[i];

		print("poll: %d ns: %s, %d ready\n", waits[i], early ? "early" : "in time",
		      (uint64_t)ready.count);
		good &= !early && ready.count == 0 && ready.set == 0;
	}
	print("poll: a past point in time: %d ready\n", (uint64_t)poll_devices(0).count);
	return !good;
}
