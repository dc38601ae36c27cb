/* Lines from a monitor that starts, and the answer (status.h). */
#include "status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "command.h"
#include "lifecycle.h"
#include "status_words.h"
#include "taps.h"

#define LINE_SIZE   1024      /* of a monitor's longest line */
#define ANSWER_ROOM (1 << 20) /* for the longest answer: 1000 short arguments, each a datagram */
#define LINES_MAX   (2 * DEVICES_MAX + 8) /* read in one turn; more than a monitor has to say */

static const char not_understood[] = "the monitor said something that vmmd does not understand";

int status_open(struct vm *vm, int *monitors)
{
	int fds[2], room = ANSWER_ROOM;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	if (vm->record.ntaps > 0 &&
	    setsockopt(fds[0], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)) < 0) {
		int error = -errno;

		close(fds[0]);
		close(fds[1]);
		return error;
	}
	vm->status_fd = fds[0];
	*monitors = fds[1];
	return 0;
}

static int say(struct vm *vm, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int say(struct vm *vm, const char *format, ...)
{
	char line[ARGV_SIZE + 32];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	return send(vm->status_fd, line, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int say_nets(struct vm *vm, const uint32_t *mtu)
{
	char mac[MAC_TEXT_SIZE];
	int error = 0;

	for (uint32_t k = 0; error == 0 && k < vm->record.ntaps; k++) {
		mac_format(vm->record.tap[k].mac, mac);
		error = say(vm, "net %u %s %u", k, mac, mtu[k]);
	}
	return error;
}

/* The guest's arguments that are not what they were in BEFORE. */
static int say_arguments(struct vm *vm, const struct strings *before)
{
	const struct strings *now = &vm->record.command;
	const char *old = command_guest(before), *new = command_guest(now);
	int error = 0;

	for (unsigned n = 0; error == 0 && old && new; n++) {
		if (strcmp(old, new) != 0)
			error = say(vm, "arg %u %s", n, new);
		old = strings_next(before, old);
		new = strings_next(now, new);
	}
	return error;
}

static void fail_here(struct vm *vm, const char *what, int error)
{
	char why[DETAIL_SIZE];

	snprintf(why, sizeof(why), "the host could not %s: %s", what, strerror(-error));
	vm->unavailable = true;
	vm_fail_start(vm, why);
}

/* Every device has its name: MACs, rules, and the arguments that a MAC is in. */
static void answer(struct vm *vm)
{
	static struct strings before;
	uint32_t mtu[DEVICES_MAX];
	struct refusal why;
	int error = 0;

	for (uint32_t k = 0; error == 0 && k < vm->record.ntaps; k++)
		error = taps_lock(vm, k, &mtu[k]);
	if (error == 0 && !vm->replaces)
		error = taps_up(vm);
	if (error < 0) {
		fail_here(vm, "let its network devices through", error);
		return;
	}
	before = vm->record.command;
	if (!command_make(vm, &why)) {
		vm_fail_start(vm, why.text);
		return;
	}
	error = say_nets(vm, mtu);
	if (error == 0)
		error = say_arguments(vm, &before);
	if (error == 0)
		error = say(vm, "end");
	if (error < 0)
		fail_here(vm, "answer the monitor", error);
}

static uint32_t all(uint32_t n)
{
	return (uint32_t)((UINT64_C(1) << n) - 1);
}

static bool knows_devices(const struct vm *vm)
{
	return vm->nets_said == all(vm->record.ntaps) &&
	       vm->blocks_said == all(vm->record.request.vm.nblocks);
}

static char *net_name(struct vm *vm, uint32_t k)
{
	return vm->record.tap[k].device;
}

static char *block_name(struct vm *vm, uint32_t k)
{
	return vm->record.request.vm.block[k].device;
}

/*
 * Which device one of N is, SAID so far, whose names are where NAME_OF says: each is said once, is
 * the one that was asked for, and no other one is it too.
 */
static bool take_name(struct vm *vm, char *(*name_of)(struct vm *, uint32_t), uint32_t n,
		      uint32_t *said, const struct status_line *line)
{
	char *known;

	if (line->index >= n || *said & 1u << line->index)
		return false;
	known = name_of(vm, line->index);
	if (*known && strcmp(known, line->text) != 0)
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (i != line->index && strcmp(name_of(vm, i), line->text) == 0)
			return false;
	memcpy(known, line->text, strlen(line->text) + 1);
	*said |= 1u << line->index;
	return true;
}

static bool take_net(struct vm *vm, const struct status_line *line)
{
	uint32_t n = vm->record.ntaps;

	if (!take_name(vm, net_name, n, &vm->nets_said, line))
		return false;
	if (vm->nets_said == all(n))
		answer(vm);
	return true;
}

static bool take_block(struct vm *vm, const struct status_line *line)
{
	return take_name(vm, block_name, vm->record.request.vm.nblocks, &vm->blocks_said, line);
}

static bool take_target(struct vm *vm, const struct status_line *line)
{
	if (vm->record.target[0])
		return false;
	memcpy(vm->record.target, line->text, strlen(line->text) + 1);
	return true;
}

static bool take_ready(struct vm *vm)
{
	struct refusal why;

	if (!knows_devices(vm))
		return false;
	/* Volumes' devices have their names too now. */
	if (command_make(vm, &why))
		vm_ready(vm);
	else
		vm_fail_start(vm, why.text);
	return true;
}

/* False: it is not what a monitor says now. */
static bool take_line(struct vm *vm, const struct status_line *line)
{
	switch (line->word) {
	case STATUS_TARGET:
		return take_target(vm, line);
	case STATUS_NET:
		return take_net(vm, line);
	case STATUS_BLOCK:
		return take_block(vm, line);
	case STATUS_READY:
		return take_ready(vm);
	case STATUS_ERROR:
		vm_fail_start(vm, line->text);
		return true;
	case STATUS_BAD:
		break;
	}
	return false;
}

void status_read(struct vm *vm)
{
	struct status_line line;
	char bytes[LINE_SIZE];

	/* What a line brings about may be the end of the channel. */
	for (unsigned i = 0; i < LINES_MAX && vm->status; i++) {
		ssize_t n = recv(vm->status_fd, bytes, sizeof(bytes), MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		/* It did not read its answer; what it said is read after this. */
		if (n < 0 && errno == ECONNRESET)
			continue;
		if (n <= 0) {
			vm_fail_start(vm, "the monitor ended before it was ready");
			return;
		}
		status_parse(bytes, (size_t)n, &line);
		if (!take_line(vm, &line))
			vm_fail_start(vm, not_understood);
	}
}

static void on_status(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	status_read(arg);
}

int status_watch(struct vm *vm)
{
	vm->status = event_new(vm->daemon->base, vm->status_fd, EV_READ | EV_PERSIST, on_status,
			       vm);
	return vm->status == NULL || event_add(vm->status, NULL) < 0 ? -ENOMEM : 0;
}

void status_close(struct vm *vm)
{
	if (vm->status)
		event_free(vm->status);
	vm->status = NULL;
	if (vm->status_fd >= 0)
		close(vm->status_fd);
	vm->status_fd = -1;
}
