/* idle: says so and sleeps for ever. */
#include "guest.h"

#define HOUR (3600 * NSECS)

int guest_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	print("idle\n");
	for (uint64_t hours = 1;; hours++)
		sleep_until(hours * HOUR);
}
