/*
 * crash HOW: ends badly, in the way that its argument names. Without handlers for exceptions the
 * processor (hvt) or the kernel (spt) gives up at the first one, and the tender has the last word.
 */
#include "guest.h"

#define UNMAPPED 0x10000000000u /* 1 TB: no tender gives a guest as much */
#define RET	 0xc3u

static void divide(void)
{
	uint64_t low = 1, high = 0;

	__asm__ volatile("divq %2" : "+a"(low), "+d"(high) : "r"(UINT64_C(0)) : "cc");
}

static void read_unmapped(void)
{
	(void)*(const volatile uint64_t *)(uintptr_t)UNMAPPED;
}

static void write_code(void)
{
	*(volatile uint64_t *)guest_layout().text = 0;
}

/* On hvt data is executable where the tender says nothing else. */
static void exec_data(void)
{
	static uint8_t code[1] = {RET};

	__asm__ volatile("call *%0" : : "r"(code) : "memory");
}

static void halt_cpu(void)
{
	__asm__ volatile("cli; hlt");
}

/* A string from where there is no memory: ends an hvt guest, is an error for an spt guest. */
static void bad_hypercall(void)
{
	console_write((const char *)(uintptr_t)UNMAPPED, 16);
}

static const struct {
	const char *how;
	void (*crash)(void);
} table[] = {
    {"divide", divide},	      {"read", read_unmapped}, {"write-code", write_code},
    {"exec-data", exec_data}, {"halt", halt_cpu},      {"hypercall", bad_hypercall},
};

int guest_main(int argc, char **argv)
{
	const char *how = argc == 1 ? argv[0] : "";
	const char *status = after_prefix(how, "exit=");

	print("crash: %s\n", how);
	if (status != NULL)
		return (int)number_parse(status);
	if (same(how, "abort"))
		return ABORTED;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (same(how, table[i].how)) {
			table[i].crash();
			print("crash: survived\n");
			return 2;
		}
	print("crash: what? divide, read, write-code, exec-data, halt, hypercall, abort, exit=N\n");
	return 1;
}
