/* cmdline: how long its command line is, a sum over it, and how it starts. */
#include "guest.h"

int guest_main(int argc, char **argv)
{
	const char *text = guest_boot().cmdline;
	uint32_t sum = 2166136261; /* FNV-1a */
	uint64_t len = 0;

	(void)argc;
	(void)argv;
	for (; text[len] != '\0'; len++)
		sum = (sum ^ (uint8_t)text[len]) * 16777619;
	print("cmdline: %d bytes, sum 0x%x\n", len, (uint64_t)sum);
	print("cmdline: '%s'\n", text);
	return 0;
}
