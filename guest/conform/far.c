/* far: code beyond the first large page, next to constants that are none. */
#include "guest.h"

/* As much code as it takes to get there. */
__asm__(".pushsection .text.far, \"ax\"\n"
	".zero 0x280000\n"
	".popsection\n");

static __attribute__((section(".text.far"), noinline)) int answer(int n)
{
	__asm__ volatile("" : "+r"(n));
	return n + 41;
}

int guest_main(int argc, char **argv)
{
	(void)argv;
	print("far: %s 0x380000: %d\n", (uintptr_t)answer > 0x380000 ? "above" : "below",
	      (uint64_t)(unsigned)answer(1));
	if (argc > 0) {
		print("far: a constant\n");
		__asm__ volatile("call *%0" : : "r"("\xc3") : "memory");
		print("far: survived\n");
	}
	return 0;
}
