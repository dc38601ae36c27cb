/*
 * log [--solo5:LEVEL] ...: LEVEL is Solo5's for its bindings: quiet, warn, info, debug. They reach
 * the guest like any other argument, and what it writes is what comes out.
 */
#include "guest.h"

int guest_main(int argc, char **argv)
{
	static const char *const levels[] = {"quiet", "warn", "info", "debug"};
	unsigned level = 2;

	for (int i = 0; i < argc; i++) {
		const char *name = after_prefix(argv[i], "--solo5:");

		for (unsigned n = 0; name != NULL && n < 4; n++)
			if (same(name, levels[n]))
				level = n;
	}
	for (unsigned n = 1; n <= level; n++)
		print("log: %s\n", levels[n]);
	return 0;
}
