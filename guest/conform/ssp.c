/* ssp: a function that writes beyond its buffer is found out by the stack protector. */
#include "guest.h"

/* The compiler's names for its canary and for what happens when that died. */
extern uintptr_t __stack_chk_guard;    /* NOLINT(bugprone-reserved-identifier) */
_Noreturn void __stack_chk_fail(void); /* NOLINT(bugprone-reserved-identifier) */

uintptr_t __stack_chk_guard = 0x00ff0a0d5a17c0de; /* NOLINT(bugprone-reserved-identifier) */

void __stack_chk_fail(void) /* NOLINT(bugprone-reserved-identifier) */
{
	print("ssp: the stack was smashed\n");
	guest_exit(ABORTED);
}

static __attribute__((noinline)) void overflow(size_t len)
{
	char buffer[16];
	volatile char *at = buffer; /* the compiler shall not see how far it goes */

	for (size_t i = 0; i < len; i++)
		at[i] = 'x';
}

int guest_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	overflow(16);
	print("ssp: 16 bytes fit\n");
	overflow(64);
	print("ssp: 64 bytes do too\n");
	return 1;
}
