/* idle [--touch=MB]: writes to each page of so much of its memory, says "idle" and sleeps for ever.
 */
#include "guest.h"

#define PAGE 4096
#define MB   (UINT64_C(1) << 20)

static void touch(uint64_t bytes)
{
	uintptr_t start = (guest_layout().data_end + PAGE - 1) / PAGE * PAGE;

	for (uint64_t at = 0; at < bytes; at += PAGE)
		*(volatile char *)(start + at) = 1;
}

int guest_main(int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		const char *value = after_prefix(argv[i], "--touch=");

		if (value != NULL)
			touch(number_parse(value) * MB);
	}
	print("idle\n");
	sleep_for_ever();
}
