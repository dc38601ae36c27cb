/* One VM takes another one's place (replace.h). */
#include "replace.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "console.h"
#include "eventlog.h"
#include "lifecycle.h"
#include "log.h"
#include "process.h"
#include "taps.h"

int replace_open_go(struct vm *vm, bool fresh)
{
	vm->go_fd = record_open_fifo(vm->dir_fd, "go", fresh);
	return vm->go_fd < 0 ? vm->go_fd : 0;
}

/* One that has ended meanwhile is seen by its pidfd. */
static void let_go(struct vm *vm)
{
	int error;

	if (process_ended(vm->pidfd))
		return;
	error = taps_up(vm);
	if (error < 0)
		log_error("%s: its taps: %s", vm->name, strerror(-error));
	if (error < 0 || write(vm->go_fd, "", 1) != 1) {
		process_signal(vm->pidfd, SIGKILL);
		return;
	}
	close(vm->go_fd);
	vm->go_fd = -1;
	vm->record.waits = 0;
	vm_started(vm);
	record_remove_next(vm->dir_fd);
}

void replace_ready(struct vm *vm)
{
	struct vm *old = vm->replaced;

	vm->record.waits = 1;
	vm_save(vm);
	if (!vm_is_beside(vm)) {
		let_go(vm);
		return;
	}
	/* Said when it is so: from here on a vmmd that comes after us goes on with it. */
	vm_end(old, CAUSE_REPLACED, &vm->path);
	eventlog_vm(old, ENTRY_REPLACED, &vm->path, NULL);
}

void replace_old_ended(struct vm *vm)
{
	int error;

	if (record_promote(vm->dir_fd) < 0)
		vm_save(vm);
	if (vm->kills > 0)
		return;
	error = console_announce(vm, true);
	if (error < 0)
		log_error("%s: console not announced: %s", vm->name, strerror(-error));
	if (vm->record.waits)
		let_go(vm);
}

bool replace_has_stopped(const struct vm *vm)
{
	return vm->record.waits && vm->replaced && vm->replaced->record.cause == CAUSE_REPLACED;
}
