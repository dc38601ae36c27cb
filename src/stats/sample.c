/*
 * One reading. What cannot be read this time, above all of a process that has just ended, stays as
 * it was; what never could is no part of the reading. Counters never go back, whatever a page says:
 * whoever has one for writing may have been taken over by its guest.
 */
#include <stddef.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "statpage.h"
#include "stats.h"

static int64_t clock_us(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void grow(uint64_t *count, uint64_t value)
{
	if (value > *count)
		*count = value;
}

static bool is_spt(const struct vm *vm)
{
	return strcmp(vm->is.target, "spt") == 0;
}

/* Before everything else of a round (spt_block.c says why). */
static void read_io(struct vm *vm)
{
	if (vm->is.nblocks > 0 && is_spt(vm) && process_io_read(vm->fd[VM_IO], &vm->io))
		vm->io_known = true;
}

static void read_process(const struct vm *vm, struct reading *out)
{
	struct process_usage usage;

	if (!process_usage_read(vm->fd[VM_STAT], vm->fd[VM_STATUS], &usage))
		return;
	out->parts |= READ_PROCESS;
	grow(&out->user_us, usage.user_us);
	grow(&out->system_us, usage.system_us);
	grow(&out->minor_faults, usage.minor_faults);
	grow(&out->major_faults, usage.major_faults);
	grow(&out->voluntary_switches, usage.voluntary_switches);
	grow(&out->involuntary_switches, usage.involuntary_switches);
	out->resident = usage.resident;
	out->shared = usage.shared;
	out->peak = usage.peak;
}

static void read_page(const struct vm *vm, struct reading *out)
{
	struct statpage page;

	if (pread(vm->fd[VM_PAGE], &page, sizeof(page), 0) != sizeof(page))
		return;
	if (page.monitor == 1) {
		out->parts |= READ_KVM;
		grow(&out->kvm_exits, page.kvm_exits);
	}
	if (page.monitor == 1 && vm->is.nblocks > 0) {
		out->parts |= READ_BLOCK;
		grow(&out->block_read, page.block_read);
		grow(&out->block_written, page.block_written);
	}
	if (page.console == 1) {
		out->parts |= READ_CONSOLE;
		grow(&out->console_bytes, page.console_bytes);
		grow(&out->console_lost, page.console_lost);
	}
}

/* A tap's number is the same in the reading; the interface receives what the guest sends. */
static void read_taps(const struct vm *vm, struct reading *out)
{
	bool all = true;

	out->ntaps = vm->is.ntaps;
	for (unsigned i = 0; i < vm->is.ntaps; i++) {
		const struct link_counts *counts = &vm->tap[i].counts;

		all = all && vm->tap[i].counted;
		grow(&out->tap[i].received_bytes, counts->sent_bytes);
		grow(&out->tap[i].received_packets, counts->sent_packets);
		grow(&out->tap[i].sent_bytes, counts->received_bytes);
		grow(&out->tap[i].sent_packets, counts->received_packets);
		grow(&out->tap[i].dropped, vm->dropped[i]);
	}
	if (all)
		out->parts |= READ_NETWORK;
}

/* Without one of the others there is no telling what of it is the volumes'. */
static void read_spt_block(const struct vm *vm, struct reading *out)
{
	const uint32_t takes = READ_NETWORK | READ_CONSOLE;

	if (!vm->io_known || (out->parts & takes) != takes)
		return;
	out->parts |= READ_BLOCK;
	spt_block(&vm->io, out);
}

/* Everything of VM but its io and what its taps' interfaces have counted, which have been read. */
static void sample_rest(struct vm *vm)
{
	int64_t sampled_us = clock_us(CLOCK_MONOTONIC);
	struct reading reading = vm->now;

	reading.time_us = clock_us(CLOCK_REALTIME);
	read_process(vm, &reading);
	read_page(vm, &reading);
	read_taps(vm, &reading);
	read_spt_block(vm, &reading);
	vm->earlier = vm->now;
	/* From one to the other is what has passed, also when the host's clock was set. */
	if (vm->earlier.time_us != 0)
		vm->earlier.time_us = reading.time_us - (sampled_us - vm->sampled_us);
	vm->sampled_us = sampled_us;
	vm->now = reading;
}

static void take_link(void *arg, const char *name, const struct link_counts *counts)
{
	struct tap *tap = table_find_tap(arg, name);

	if (tap == NULL)
		return;
	tap->counts = *counts;
	tap->counted = true;
}

void sample_one(struct stats *stats, struct vm *vm)
{
	read_io(vm);
	for (unsigned i = 0; stats->links >= 0 && i < vm->is.ntaps; i++)
		(void)links_read(stats->links, vm->is.tap[i].name, take_link, &stats->table);
	sample_rest(vm);
}

void sample_all(struct stats *stats)
{
	for (struct vm *vm = stats->table.first; vm; vm = vm->after)
		read_io(vm);
	/* Whoever is missing in the answer keeps what it had. */
	if (stats->links >= 0 && stats->table.first)
		(void)links_read(stats->links, NULL, take_link, &stats->table);
	for (struct vm *vm = stats->table.first; vm; vm = vm->after)
		sample_rest(vm);
}
