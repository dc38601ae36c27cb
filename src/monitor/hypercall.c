/*
 * The hypercalls (hypercall.h). A call's structure is copied in, its handler works on the copy, the
 * answer is copied out: a handler sees guest memory only where an argument points to it.
 */
#include "hypercall.h"

#include "hvt.h"
#include "report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NSECS 1000000000u

union hypercall_args {
	struct hvt_walltime walltime;
	struct hvt_puts puts;
	struct hvt_poll poll;
	struct hvt_halt halt;
};

typedef enum hypercall_outcome handler(const struct guest_memory *memory,
				       union hypercall_args *args, struct hypercall_end *end);

static enum hypercall_outcome walltime(const struct guest_memory *memory,
				       union hypercall_args *args, struct hypercall_end *end)
{
	struct timespec now;

	(void)memory;
	(void)end;
	clock_gettime(CLOCK_REALTIME, &now);
	args->walltime.nsecs = (uint64_t)now.tv_sec * NSECS + (uint64_t)now.tv_nsec;
	return GUEST_RUNS;
}

static enum hypercall_outcome console_puts(const struct guest_memory *memory,
					   union hypercall_args *args, struct hypercall_end *end)
{
	const struct hvt_puts *call = &args->puts;
	const void *data;
	int error;

	if (call->len == 0)
		return GUEST_RUNS;
	data = memory_readable(memory, call->data, call->len);
	if (data == NULL) {
		snprintf(end->why, sizeof(end->why), "%llu bytes at 0x%llx are not its to read",
			 (unsigned long long)call->len, (unsigned long long)call->data);
		return GUEST_FAULTED;
	}
	error = write_all(STDOUT_FILENO, data, call->len);
	if (error < 0) /* not the guest's fault, but it cannot go on unheard */
		report_fatal("cannot write to the console: %s", strerrordesc_np(-error));
	return GUEST_RUNS;
}

/*
 * Without devices nothing becomes ready: a sleep. Until a point in time, so that a stopped and
 * continued monitor neither starts over nor needs another system call.
 */
static enum hypercall_outcome poll_devices(const struct guest_memory *memory,
					   union hypercall_args *args, struct hypercall_end *end)
{
	uint64_t timeout = args->poll.timeout_nsecs;
	struct timespec until;

	(void)memory;
	(void)end;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(timeout / NSECS);
	until.tv_nsec += (long)(timeout % NSECS);
	if (until.tv_nsec >= (long)NSECS) {
		until.tv_sec++;
		until.tv_nsec -= NSECS;
	}
	while (timeout > 0 &&
	       clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		;
	args->poll.ready_set = 0;
	args->poll.ret = 0;
	return GUEST_RUNS;
}

/* The cookie is for debuggers that look into the guest; nobody does here. */
static enum hypercall_outcome halt(const struct guest_memory *memory, union hypercall_args *args,
				   struct hypercall_end *end)
{
	(void)memory;
	end->status = args->halt.exit_status;
	return GUEST_HALTED;
}

/* Calls without a handler are for devices that this guest does not have. */
static const struct {
	const char *name;
	handler *handler;
	size_t size;
	bool answers; /* the structure is written back */
} calls[HVT_CALLS] = {
    [HVT_WALLTIME] = {"walltime", walltime, sizeof(struct hvt_walltime), true},
    [HVT_PUTS] = {"puts", console_puts, sizeof(struct hvt_puts), false},
    [HVT_POLL] = {"poll", poll_devices, sizeof(struct hvt_poll), true},
    [HVT_BLOCK_WRITE] = {"block write", NULL, 0, false},
    [HVT_BLOCK_READ] = {"block read", NULL, 0, false},
    [HVT_NET_WRITE] = {"net write", NULL, 0, false},
    [HVT_NET_READ] = {"net read", NULL, 0, false},
    [HVT_HALT] = {"halt", halt, sizeof(struct hvt_halt), false},
};

/* Puts the call's name before what END says. */
static enum hypercall_outcome faulted(const char *name, struct hypercall_end *end)
{
	char why[HYPERCALL_WHY_SIZE];

	memcpy(why, end->why, sizeof(why));
	snprintf(end->why, sizeof(end->why), "hypercall %s: %.100s", name, why);
	return GUEST_FAULTED;
}

enum hypercall_outcome hypercall(const struct guest_memory *memory, uint32_t number,
				 uint64_t address, struct hypercall_end *end)
{
	union hypercall_args args = {{0}};
	enum hypercall_outcome outcome;
	const void *in;
	void *out = NULL;

	if (number >= HVT_CALLS || calls[number].name == NULL) {
		snprintf(end->why, sizeof(end->why), "hypercall %u does not exist", number);
		return GUEST_FAULTED;
	}
	if (calls[number].handler == NULL) {
		strcpy(end->why, "it has no such device");
		return faulted(calls[number].name, end);
	}
	in = memory_readable(memory, address, calls[number].size);
	if (calls[number].answers)
		out = memory_writable(memory, address, calls[number].size);
	if (in == NULL || (calls[number].answers && out == NULL)) {
		snprintf(end->why, sizeof(end->why), "0x%llx is no address for its arguments",
			 (unsigned long long)address);
		return faulted(calls[number].name, end);
	}
	memcpy(&args, in, calls[number].size);
	outcome = calls[number].handler(memory, &args, end);
	if (outcome == GUEST_FAULTED)
		return faulted(calls[number].name, end);
	if (out != NULL)
		memcpy(out, &args, calls[number].size);
	return outcome;
}
