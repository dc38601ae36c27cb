/*
 * The side of a guest that faces a Solo5 hvt tender (vmm_monitor, solo5-hvt) on x86-64: its start
 * and the hypercalls (lib/hvt.h).
 */
#include "hvt.h"

#include "guest.h"
#include "image.h"

IMAGE_FOR(TARGET_HVT, HVT_ABI_VERSION);

const int tender_kills = 0;

#define MSR_FS_BASE 0xc0000100u

__extension__ typedef unsigned __int128 uint128;

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

struct ready poll_devices(uint64_t monotonic)
{
	uint64_t now = clock_monotonic();
	struct hvt_poll call = {.timeout_nsecs = now < monotonic ? monotonic - now : 0};

	hypercall(HVT_POLL, &call);
	return (struct ready){.set = call.ready_set, .count = (unsigned)call.ret};
}

enum device_result net_read(const struct net_device *net, void *frame, size_t room, size_t *len)
{
	struct hvt_net call = {.handle = net->handle, .data = (uintptr_t)frame, .len = room};

	hypercall(HVT_NET_READ, &call);
	*len = call.len;
	return (enum device_result)call.ret;
}

enum device_result net_write(const struct net_device *net, const void *frame, size_t len)
{
	struct hvt_net call = {.handle = net->handle, .data = (uintptr_t)frame, .len = len};

	hypercall(HVT_NET_WRITE, &call);
	return (enum device_result)call.ret;
}

static enum device_result block_call(enum hvt_call which, const struct block_device *block,
				     uint64_t offset, uintptr_t data, size_t len)
{
	struct hvt_block call = {
	    .handle = block->handle, .offset = offset, .data = data, .len = len};

	hypercall(which, &call);
	return (enum device_result)call.ret;
}

enum device_result block_read(const struct block_device *block, uint64_t offset, void *data,
			      size_t len)
{
	return block_call(HVT_BLOCK_READ, block, offset, (uintptr_t)data, len);
}

enum device_result block_write(const struct block_device *block, uint64_t offset, const void *data,
			       size_t len)
{
	return block_call(HVT_BLOCK_WRITE, block, offset, (uintptr_t)data, len);
}

void tls_set(uint64_t base)
{
	__asm__ volatile("wrmsr"
			 :
			 : "c"(MSR_FS_BASE), "a"((uint32_t)base), "d"((uint32_t)(base >> 32))
			 : "memory");
}

void guest_exit(int status)
{
	struct hvt_halt call = {.exit_status = status};

	for (;;)
		hypercall(HVT_HALT, &call);
}

_Noreturn void guest_start(const struct hvt_boot_info *info);

/* The tender has set the stack up, and passes its one argument as to a function. */
void guest_start(const struct hvt_boot_info *info)
{
	/* Behind what a function saves first. */
	uintptr_t stack = (uintptr_t)__builtin_frame_address(0) + sizeof(uintptr_t);

	tsc_at_start = read_tsc();
	nsecs_per_cycle = (NSECS << 32) / info->cpu_cycle_freq;
	guest_exit(guest_run(&(struct boot_info){
	    .at = (uintptr_t)info,
	    .memory_size = info->memory_size,
	    .kernel_end = info->kernel_end,
	    .cmdline = (const char *)(uintptr_t)info->cmdline,
	    .manifest = (const void *)(uintptr_t)info->mft,
	    .stack = stack,
	    .waiting = -1,
	}));
}
