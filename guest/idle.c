/* idle: says so and sleeps for ever. */
#include "guest.h"

int guest_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	print("idle\n");
	sleep_for_ever();
}
