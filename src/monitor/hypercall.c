/*
 * The hypercalls (hypercall.h). A call's structure is copied in, its handler works on the copy, the
 * answer is copied out: a handler sees guest memory only where an argument points to it.
 */
#include "hypercall.h"

#include "block.h"
#include "hvt.h"
#include "report.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NSECS 1000000000u

union hypercall_args {
	struct hvt_walltime walltime;
	struct hvt_puts puts;
	struct hvt_poll poll;
	struct hvt_block block;
	struct hvt_net net;
	struct hvt_halt halt;
};

/* What a guest has. */
struct guest {
	const struct guest_memory *memory;
	struct devices *devices;
};

typedef enum hypercall_outcome handler(const struct guest *guest, union hypercall_args *args,
				       struct hypercall_end *end);

static enum hypercall_outcome walltime(const struct guest *guest, union hypercall_args *args,
				       struct hypercall_end *end)
{
	struct timespec now;

	(void)guest;
	(void)end;
	clock_gettime(CLOCK_REALTIME, &now);
	args->walltime.nsecs = (uint64_t)now.tv_sec * NSECS + (uint64_t)now.tv_nsec;
	return GUEST_RUNS;
}

/* LEN bytes at DATA are not the guest's to pass. */
static enum hypercall_outcome forbidden(uint64_t data, uint64_t len, const char *verb,
					struct hypercall_end *end)
{
	snprintf(end->why, sizeof(end->why), "%llu bytes at 0x%llx are not its to %s",
		 (unsigned long long)len, (unsigned long long)data, verb);
	return GUEST_FAULTED;
}

static enum hypercall_outcome console_puts(const struct guest *guest, union hypercall_args *args,
					   struct hypercall_end *end)
{
	const struct hvt_puts *call = &args->puts;
	const void *data;
	int error;

	if (call->len == 0)
		return GUEST_RUNS;
	data = memory_readable(guest->memory, call->data, call->len);
	if (data == NULL)
		return forbidden(call->data, call->len, "read", end);
	error = write_all(STDOUT_FILENO, data, call->len);
	if (error < 0) /* not the guest's fault, but it cannot go on unheard */
		report_fatal("cannot write to the console: %s", strerrordesc_np(-error));
	return GUEST_RUNS;
}

/*
 * What the kernel is to wait for. A tap that is gone is ready for ever: the guest learns of it by
 * reading, from when on it would be woken for nothing. No descriptor, and the kernel skips it.
 */
static void list_nets(const struct devices *devices, struct pollfd *fds)
{
	for (unsigned k = 0; k < devices->nnets; k++) {
		const struct device *net = &devices->at[devices->net[k]];

		fds[k] = (struct pollfd){.fd = net->lost ? -1 : net->fd, .events = POLLIN};
	}
}

/*
 * The kernel keeps what is left of the time: a stopped and continued monitor neither starts over
 * nor needs another system call.
 */
static enum hypercall_outcome poll_devices(const struct guest *guest, union hypercall_args *args,
					   struct hypercall_end *end)
{
	const struct devices *devices = guest->devices;
	struct hvt_poll *call = &args->poll;
	struct timespec timeout = {
	    .tv_sec = (time_t)(call->timeout_nsecs / NSECS),
	    .tv_nsec = (long)(call->timeout_nsecs % NSECS),
	};
	struct pollfd fds[GIVEN_MAX];

	(void)end;
	list_nets(devices, fds);
	call->ready_set = 0;
	call->ret = 0;
	if (ppoll(fds, devices->nnets, &timeout, NULL) <= 0)
		return GUEST_RUNS;
	for (unsigned k = 0; k < devices->nnets; k++)
		if (fds[k].revents != 0) {
			call->ready_set |= UINT64_C(1) << devices->net[k];
			call->ret++;
		}
	return GUEST_RUNS;
}

/* The device of TYPE that a guest calls HANDLE, or NULL. */
static struct device *find_device(const struct guest *guest, uint64_t handle, enum mft_type type)
{
	if (handle >= MFT_ENTRIES_MAX || guest->devices->at[handle].type != type)
		return NULL;
	return &guest->devices->at[handle];
}

static enum hypercall_outcome
call_block_write(const struct guest *guest, union hypercall_args *args, struct hypercall_end *end)
{
	struct hvt_block *call = &args->block;
	const struct device *block = find_device(guest, call->handle, MFT_BLOCK);
	const void *data;

	call->ret = HVT_INVALID;
	if (block == NULL || !block_within(block, call->offset, call->len))
		return GUEST_RUNS;
	data = memory_readable(guest->memory, call->data, call->len);
	if (data == NULL)
		return forbidden(call->data, call->len, "read", end);
	call->ret = HVT_UNSPECIFIED;
	if (block_write(block, call->offset, data, call->len)) {
		call->ret = HVT_OK;
		guest->devices->tally->block_written += call->len;
	}
	return GUEST_RUNS;
}

static enum hypercall_outcome call_block_read(const struct guest *guest, union hypercall_args *args,
					      struct hypercall_end *end)
{
	struct hvt_block *call = &args->block;
	const struct device *block = find_device(guest, call->handle, MFT_BLOCK);
	void *data;

	call->ret = HVT_INVALID;
	if (block == NULL || !block_within(block, call->offset, call->len))
		return GUEST_RUNS;
	data = memory_writable(guest->memory, call->data, call->len);
	if (data == NULL)
		return forbidden(call->data, call->len, "write", end);
	call->ret = HVT_UNSPECIFIED;
	if (block_read(block, call->offset, data, call->len)) {
		call->ret = HVT_OK;
		guest->devices->tally->block_read += call->len;
	}
	return GUEST_RUNS;
}

static enum hypercall_outcome net_write(const struct guest *guest, union hypercall_args *args,
					struct hypercall_end *end)
{
	struct hvt_net *call = &args->net;
	const struct device *net = find_device(guest, call->handle, MFT_NET);
	const void *data;
	ssize_t n;

	call->ret = HVT_INVALID;
	if (net == NULL || call->len > net->mtu + (uint64_t)ETHERNET_HEADER)
		return GUEST_RUNS;
	data = memory_readable(guest->memory, call->data, call->len);
	if (data == NULL)
		return forbidden(call->data, call->len, "read", end);
	n = write(net->fd, data, call->len);
	call->ret = n >= 0 && (uint64_t)n == call->len ? HVT_OK : HVT_UNSPECIFIED;
	return GUEST_RUNS;
}

static enum hypercall_outcome net_read(const struct guest *guest, union hypercall_args *args,
				       struct hypercall_end *end)
{
	struct hvt_net *call = &args->net;
	struct device *net = find_device(guest, call->handle, MFT_NET);
	void *data;
	ssize_t n;

	call->ret = HVT_INVALID;
	if (net == NULL)
		return GUEST_RUNS;
	data = memory_writable(guest->memory, call->data, call->len);
	if (data == NULL)
		return forbidden(call->data, call->len, "write", end);
	n = read(net->fd, data, call->len);
	if (n > 0) {
		call->len = (uint64_t)n;
		call->ret = HVT_OK;
	} else if (n == 0 || errno == EAGAIN) {
		call->ret = HVT_AGAIN;
	} else {
		net->lost = true;
		call->ret = HVT_UNSPECIFIED;
	}
	return GUEST_RUNS;
}

/* The cookie is for debuggers that look into the guest; nobody does here. */
static enum hypercall_outcome halt(const struct guest *guest, union hypercall_args *args,
				   struct hypercall_end *end)
{
	(void)guest;
	end->status = args->halt.exit_status;
	return GUEST_HALTED;
}

static const struct {
	const char *name;
	handler *handler;
	size_t size;
	bool answers; /* the structure is written back */
} calls[HVT_CALLS] = {
    [HVT_WALLTIME] = {"walltime", walltime, sizeof(struct hvt_walltime), true},
    [HVT_PUTS] = {"puts", console_puts, sizeof(struct hvt_puts), false},
    [HVT_POLL] = {"poll", poll_devices, sizeof(struct hvt_poll), true},
    [HVT_BLOCK_WRITE] = {"block write", call_block_write, sizeof(struct hvt_block), true},
    [HVT_BLOCK_READ] = {"block read", call_block_read, sizeof(struct hvt_block), true},
    [HVT_NET_WRITE] = {"net write", net_write, sizeof(struct hvt_net), true},
    [HVT_NET_READ] = {"net read", net_read, sizeof(struct hvt_net), true},
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

enum hypercall_outcome hypercall(const struct guest_memory *memory, struct devices *devices,
				 uint32_t number, uint64_t address, struct hypercall_end *end)
{
	const struct guest guest = {memory, devices};
	union hypercall_args args = {{0}};
	enum hypercall_outcome outcome;
	const void *in;
	void *out = NULL;

	if (number >= HVT_CALLS || calls[number].name == NULL) {
		snprintf(end->why, sizeof(end->why), "hypercall %u does not exist", number);
		return GUEST_FAULTED;
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
	outcome = calls[number].handler(&guest, &args, end);
	if (outcome == GUEST_FAULTED)
		return faulted(calls[number].name, end);
	if (out != NULL)
		memcpy(out, &args, calls[number].size);
	return outcome;
}
