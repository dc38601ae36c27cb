/*
 * fault HOW: an exception of the processor, in circumstances that could keep a tender from saying
 * so: no stack, a TLS register that points nowhere, flags that make the next instruction fail too.
 */
#include "guest.h"

#define NON_CANONICAL (UINT64_C(1) << 63)
#define TRAP	      0x100
#define ALIGN_CHECK   0x40000

static void invalid(void)
{
	__asm__ volatile("ud2");
}

static void breakpoint(void)
{
	__asm__ volatile("int3");
}

static void single_step(void)
{
	__asm__ volatile("pushq %0\n\tpopfq\n\tnop" : : "i"(TRAP) : "memory");
}

static void divide(void)
{
	__asm__ volatile("divl %0" : : "r"(0), "a"(1), "d"(0));
}

static void no_stack(void)
{
	__asm__ volatile("xorl %%esp, %%esp\n\tpushq %%rax" : : : "memory");
}

static void no_tls(void)
{
	tls_set(8);
	__asm__ volatile("movq %%fs:0, %%rax" : : : "rax");
}

static void unaligned(void)
{
	__asm__ volatile("pushq %0\n\tpopfq\n\tmovl 1(%%rsp), %%eax"
			 :
			 : "i"(ALIGN_CHECK)
			 : "rax", "memory");
}

/* The flag is still set when the tender takes over. */
static void unaligned_later(void)
{
	__asm__ volatile("pushq %0\n\tpopfq\n\tud2" : : "i"(ALIGN_CHECK) : "memory");
}

static void non_canonical(void)
{
	__asm__ volatile("movq (%0), %%rax" : : "r"(NON_CANONICAL) : "rax", "memory");
}

static void privileged(void)
{
	__asm__ volatile("lgdt (%%rsp)" : : : "memory");
}

static const struct {
	const char *how;
	void (*go)(void);
} table[] = {
    {"invalid", invalid},
    {"breakpoint", breakpoint},
    {"single-step", single_step},
    {"divide", divide},
    {"no-stack", no_stack},
    {"no-tls", no_tls},
    {"unaligned", unaligned},
    {"unaligned-later", unaligned_later},
    {"non-canonical", non_canonical},
    {"privileged", privileged},
};

int guest_main(int argc, char **argv)
{
	for (size_t i = 0; argc == 1 && i < sizeof(table) / sizeof(table[0]); i++)
		if (same(argv[0], table[i].how)) {
			print("fault: %s\n", argv[0]);
			table[i].go();
			print("fault: survived\n");
			return 0;
		}
	print("fault: how?\n");
	return 2;
}
