/*
 * fpu WHAT: floating-point state as a guest finds it (control, mxcsr), that an SSE register
 * survives a call of the tender (xmm), or one multiplication (multiply).
 */
#include "guest.h"

static const uint64_t pattern[2]
    __attribute__((aligned(16))) = {0x0123456789abcdef, 0xfedcba9876543210};

static int multiply(void)
{
	static const uint32_t two[4]
	    __attribute__((aligned(16))) = {0x40000000, 0x40000000, 0x40000000, 0x40000000};
	uint32_t product[4] __attribute__((aligned(16)));

	__asm__ volatile("movaps %1, %%xmm1\n\tmulps %%xmm1, %%xmm1\n\tmovaps %%xmm1, %0"
			 : "=m"(product)
			 : "m"(two));
	print("fpu: 2 * 2 = 0x%x\n", (uint64_t)product[3]);
	return product[3] != 0x40800000;
}

static int control(void)
{
	uint16_t word;

	__asm__ volatile("fnstcw %0" : "=m"(word));
	print("fpu: control word 0x%x\n", (uint64_t)word);
	return 0;
}

static int mxcsr(void)
{
	uint32_t word;

	__asm__ volatile("stmxcsr %0" : "=m"(word));
	print("fpu: mxcsr 0x%x\n", (uint64_t)word);
	return 0;
}

static int xmm(void)
{
	uint64_t found[2] __attribute__((aligned(16)));

	__asm__ volatile("movaps %0, %%xmm7" : : "m"(pattern));
	print("fpu: a call\n");
	poll_devices(0);
	__asm__ volatile("movaps %%xmm7, %0" : "=m"(found));
	print("fpu: xmm7 is 0x%x%x behind it\n", found[1], found[0]);
	return found[0] != pattern[0] || found[1] != pattern[1];
}

static const struct {
	const char *what;
	int (*go)(void);
} table[] = {{"control", control}, {"mxcsr", mxcsr}, {"xmm", xmm}, {"multiply", multiply}};

int guest_main(int argc, char **argv)
{
	for (size_t i = 0; argc == 1 && i < sizeof(table) / sizeof(table[0]); i++)
		if (same(argv[0], table[i].what))
			return table[i].go();
	print("fpu: what?\n");
	return 2;
}
