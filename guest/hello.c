/*
 * hello [--count=N] [WORD]...: a banner, the memory map, its arguments, then "hello" once a second;
 * after N of them the end, else for ever.
 */
#include "guest.h"

static const char banner[] = "            _ __ ___  _ __ ___\n"
			     " \\ \\   / / | '_ ` _ \\| '_ ` _ \\\n"
			     "  \\ \\_/ /  | | | | | | | | | | |\n"
			     "   \\___/   |_| |_| |_|_| |_| |_|\n";

static void print_memory_map(void)
{
	struct layout at = guest_layout();

	print("guest: Memory map: %d MB addressable:\n", (uint64_t)at.memory_end >> 20);
	print("guest:     unused @ (0x0 - 0x%x)\n", (uint64_t)at.text - 1);
	print("guest:       text @ (0x%x - 0x%x)\n", (uint64_t)at.text, (uint64_t)at.text_end - 1);
	print("guest:     rodata @ (0x%x - 0x%x)\n", (uint64_t)at.text_end,
	      (uint64_t)at.rodata_end - 1);
	print("guest:       data @ (0x%x - 0x%x)\n", (uint64_t)at.rodata_end,
	      (uint64_t)at.data_end - 1);
	print("guest:       heap >= 0x%x < stack < 0x%x\n", (uint64_t)at.data_end,
	      (uint64_t)at.memory_end);
}

int guest_main(int argc, char **argv)
{
	uint64_t count = UINT64_MAX;
	uint64_t next = clock_monotonic();

	console_write(banner, sizeof(banner) - 1);
	print_memory_map();
	print("guest: %d arguments\n", (uint64_t)argc);
	for (int i = 0; i < argc; i++) {
		const char *value = after_prefix(argv[i], "--count=");

		print("guest: argument %d: %s\n", (uint64_t)i + 1, argv[i]);
		if (value != NULL)
			count = number_parse(value);
	}
	for (uint64_t n = 0; n < count; n++) {
		sleep_until(next);
		print("hello\n");
		next += NSECS;
	}
	return 0;
}
