/*
 * The side of a guest that faces a Solo5 hvt tender (vmm_monitor, solo5-hvt) on x86-64: what makes
 * it an image for one, and the hypercalls (lib/hvt.h).
 */
#include "hvt.h"

#include "guest.h"

/* An ELF note of Solo5's. */
struct note_header {
	uint32_t namesz, descsz, type;
	char name[8];
};

#define NOTE(desc, kind)                                               \
	{                                                              \
		.namesz = 6, .descsz = (desc), .type = (kind), "Solo5" \
	}

struct abi_note {
	struct note_header header;
	uint32_t target, version, reserved[2];
};

__attribute__((section(".note.abi"), used, aligned(4))) static const struct abi_note abi = {
    .header = NOTE(16, 0x31494241),
    .target = 1, /* hvt */
    .version = HVT_ABI_VERSION,
};

/* The manifest of a guest without devices: its reserved first entry. 8-byte aligned in the note. */
struct mft_note {
	struct note_header header;
	uint32_t padding;
	uint32_t version, entries;
	struct {
		char name[68];
		uint32_t type;
		uint64_t properties[2], backing, attached;
	} entry[1];
};

_Static_assert(sizeof(struct mft_note) == 24 + 8 + 104, "as Solo5's struct mft1_note");

__attribute__((section(".note.manifest"), used,
	       aligned(8))) static const struct mft_note manifest = {
    .header = NOTE(sizeof(manifest) - sizeof(manifest.header), 0x3154464d),
    .version = 1,
    .entries = 1,
    .entry = {{.type = UINT32_C(1) << 30}},
};

/* A host that is asked to execute this file looks for an interpreter that cannot be. */
__attribute__((section(".interp"),
	       used)) static const char interpreter[] = "/nonexistent/a unikernel/";

__extension__ typedef unsigned __int128 uint128;

static const struct hvt_boot_info *boot;
static uint64_t tsc_at_start;
static uint64_t nsecs_per_cycle; /* in 2^-32 */

static void hypercall(enum hvt_call call, const volatile void *args)
{
	__asm__ volatile("outl %0, %1"
			 :
			 : "a"((uint32_t)(uintptr_t)args), "d"((uint16_t)(HVT_PORT + call))
			 : "memory");
}

static uint64_t read_tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

void console_write(const char *bytes, size_t len)
{
	struct hvt_puts call = {.data = (uintptr_t)bytes, .len = len};

	hypercall(HVT_PUTS, &call);
}

uint64_t clock_monotonic(void)
{
	return (uint64_t)(((uint128)(read_tsc() - tsc_at_start) * nsecs_per_cycle) >> 32);
}

uint64_t clock_wall(void)
{
	struct hvt_walltime call = {0};

	hypercall(HVT_WALLTIME, &call);
	return call.nsecs;
}

void sleep_until(uint64_t monotonic)
{
	struct hvt_poll call;
	uint64_t now;

	while ((now = clock_monotonic()) < monotonic) {
		call = (struct hvt_poll){.timeout_nsecs = monotonic - now};
		hypercall(HVT_POLL, &call);
	}
}

void guest_exit(int status)
{
	struct hvt_halt call = {.exit_status = status};

	for (;;)
		hypercall(HVT_HALT, &call);
}

struct layout guest_layout(void)
{
	extern char image_start[], text_end[], rodata_end[], data_end[];

	return (struct layout){
	    .text = (uintptr_t)image_start,
	    .text_end = (uintptr_t)text_end,
	    .rodata_end = (uintptr_t)rodata_end,
	    .data_end = (uintptr_t)data_end,
	    .memory_end = boot->memory_size,
	};
}

_Noreturn void guest_start(const struct hvt_boot_info *info);

/* The tender has set the stack up, and passes its one argument as to a function. */
void guest_start(const struct hvt_boot_info *info)
{
	static char cmdline[HVT_CMDLINE_SIZE]; /* the tender's is read-only */

	boot = info;
	tsc_at_start = read_tsc();
	nsecs_per_cycle = (NSECS << 32) / info->cpu_cycle_freq;
	__builtin_memcpy(cmdline, (const char *)(uintptr_t)info->cmdline, sizeof(cmdline));
	cmdline[sizeof(cmdline) - 1] = '\0';
	guest_exit(guest_run(cmdline));
}
