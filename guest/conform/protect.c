/*
 * protect WHAT: does one thing to memory that a guest may not do everywhere, and says so when it
 * could. The line before is the proof that it got there.
 */
#include "guest.h"

#define PAGE	   4096
#define LOW	   0x20000 /* below the image, above the boot information */
#define RET	   0xc3
#define NOT_MAPPED 8 /* in the zero page */

static const uint8_t rodata_code[1] = {RET};
static uint8_t data_code[1] = {RET};

static void read_at(uintptr_t at)
{
	__asm__ volatile("movq (%0), %%rax" : : "r"(at) : "rax", "memory");
}

static void write_at(uintptr_t at)
{
	__asm__ volatile("movq $0, (%0)" : : "r"(at) : "memory");
}

static void execute(uintptr_t at)
{
	__asm__ volatile("call *%0" : : "r"(at) : "memory");
}

static void plant(uintptr_t at)
{
	*(volatile uint8_t *)at = RET;
}

static void exec_heap(void)
{
	plant(guest_layout().data_end + PAGE);
	execute(guest_layout().data_end + PAGE);
}

static void exec_stack(void)
{
	volatile uint8_t code[16];

	code[0] = RET;
	execute((uintptr_t)code);
}

static void exec_data(void)
{
	execute((uintptr_t)data_code);
}

static void exec_rodata(void)
{
	execute((uintptr_t)rodata_code);
}

static void write_code(void)
{
	write_at(guest_layout().text);
}

static void write_rodata(void)
{
	write_at((uintptr_t)rodata_code & -(uintptr_t)8);
}

static void read_code(void)
{
	read_at(guest_layout().text);
}

static void read_zero(void)
{
	read_at(NOT_MAPPED);
}

static void write_zero(void)
{
	write_at(NOT_MAPPED);
}

static void exec_zero(void)
{
	execute(NOT_MAPPED);
}

static void read_last(void)
{
	read_at(guest_layout().memory_end - 8);
}

static void read_past(void)
{
	read_at(guest_layout().memory_end);
}

static void write_past(void)
{
	write_at(guest_layout().memory_end);
}

static void exec_past(void)
{
	execute(guest_layout().memory_end);
}

static void read_far(void)
{
	read_at((uintptr_t)1 << 46);
}

static void read_low(void)
{
	read_at(LOW);
}

static void write_low(void)
{
	write_at(LOW);
}

static void write_boot(void)
{
	write_at(guest_boot().at);
}

static const struct {
	const char *what;
	void (*go)(void);
} table[] = {
    {"exec-data", exec_data},	{"exec-rodata", exec_rodata},	{"exec-heap", exec_heap},
    {"exec-stack", exec_stack}, {"exec-zero", exec_zero},	{"exec-past", exec_past},
    {"read-code", read_code},	{"read-zero", read_zero},	{"read-last", read_last},
    {"read-past", read_past},	{"read-far", read_far},		{"read-low", read_low},
    {"write-code", write_code}, {"write-rodata", write_rodata}, {"write-zero", write_zero},
    {"write-past", write_past}, {"write-low", write_low},	{"write-boot", write_boot},
};

int guest_main(int argc, char **argv)
{
	for (size_t i = 0; argc == 1 && i < sizeof(table) / sizeof(table[0]); i++)
		if (same(argv[0], table[i].what)) {
			print("protect: %s\n", argv[0]);
			table[i].go();
			print("protect: survived\n");
			return 0;
		}
	print("protect: what?\n");
	return 2;
}
