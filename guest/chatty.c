/* chatty [--count=N]: "line 1", "line 2", ... as fast as it can; N of them, else for ever. */
#include "guest.h"

int guest_main(int argc, char **argv)
{
	uint64_t count = UINT64_MAX;

	for (int i = 0; i < argc; i++) {
		const char *value = after_prefix(argv[i], "--count=");

		if (value != NULL)
			count = number_parse(value);
	}
	for (uint64_t n = 1; n <= count && n > 0; n++)
		print("line %d\n", n);
	return 0;
}
