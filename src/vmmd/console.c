/*
 * The FIFO is opened for reading and writing and stays open here, so that a guest never sees EPIPE
 * and its bytes stay while no vmm_console runs.
 */
#include "console.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "ring.h"
#include "ringfile.h"
#include "roles.h"

#define FIFO_SIZE (1 << 20)

int console_open_fifo(struct vm *vm, bool fresh)
{
	const char *name = vm_is_beside(vm) ? FIFO_NEXT : FIFO_NAME;

	vm->fifo_fd = record_open_fifo(vm->dir_fd, name, fresh);
	if (vm->fifo_fd < 0)
		return vm->fifo_fd;
	/* As an ordinary user the host's limit may be lower: a smaller FIFO works too. */
	fcntl(vm->fifo_fd, F_SETPIPE_SZ, FIFO_SIZE);
	return 0;
}

int console_announce(struct vm *vm, bool redeployed)
{
	struct msg_console_vm msg = {.redeployed = redeployed};
	int fds[3], page, error;

	/* Its own open file: non-blocking for the reader alone. */
	fds[0] = openat(vm->dir_fd, FIFO_NAME, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	if (fds[0] < 0)
		return -errno;
	fds[1] = ringfile_open(vm->dir_fd, "ring", RING_SIZE);
	if (fds[1] < 0) {
		close(fds[0]);
		return fds[1];
	}
	page = record_open_page(vm->dir_fd, O_RDWR);
	fds[2] = page < 0 ? vm->daemon->null_fd : page;
	memcpy(msg.path_id, vm->record.request.path_id, DIGEST_SIZE);
	error = roles_tell_console(vm->daemon, MSG_CONSOLE_ADD, &msg, fds);
	close(fds[0]);
	close(fds[1]);
	if (page >= 0)
		close(page);
	/* A console role that is down is told of everything when it is back. */
	return error == -ESRCH ? 0 : error;
}

void console_ended(const struct vm *vm)
{
	struct msg_console_ended msg = {.end = vm->record.end, .end_value = vm->record.end_value};

	memcpy(msg.path_id, vm->record.request.path_id, DIGEST_SIZE);
	roles_tell_console(vm->daemon, MSG_CONSOLE_ENDED, &msg, NULL);
}

void console_announce_all(struct daemon *d)
{
	for (struct vm *vm = d->vms; vm; vm = vm->next) {
		int error;

		/* A path is announced once. */
		if (!vm_is_shown(vm) || vm->dir_fd < 0)
			continue;
		error = console_announce(vm, false);
		if (error < 0)
			log_error("%s: console not announced: %s", vm->name, strerror(-error));
		else if (!vm_is_live(vm))
			console_ended(vm);
	}
}
