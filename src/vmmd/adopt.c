/*
 * After a restart: what the runtime directory says is held against what runs. A VM that runs is
 * adopted, one that ended meanwhile is kept as ended, a half-started one is ended, and what nobody
 * needs goes.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "console.h"
#include "eventlog.h"
#include "lifecycle.h"
#include "log.h"
#include "process.h"
#include "replace.h"
#include "taps.h"

static void end_process(int pidfd)
{
	process_signal(pidfd, SIGKILL);
	for (int i = 0; i < 500 && !process_ended(pidfd); i++)
		usleep(10000);
}

/* A start that nobody was told of: the monitor, if it came to that, and what it was given go. */
static void end_half_started(const struct daemon *d, const struct vm_record *r, int pidfd)
{
	if (pidfd >= 0) {
		end_process(pidfd);
		close(pidfd);
	}
	taps_remove(r, d);
}

/* Its end and its console are seen to again; without a console it is still a VM. */
static int watch_again(struct vm *vm)
{
	int error = console_open_fifo(vm, false);

	if (error < 0)
		log_error("%s: its console is lost: %s", vm->name, strerror(-error));
	return vm_watch(vm);
}

static void adopt_running(struct vm *vm, int pidfd)
{
	bool stopping = vm->record.state == VM_STOPPING;
	int error;

	vm->pidfd = pidfd;
	vm->record.state = VM_RUNNING;
	error = watch_again(vm);
	if (error < 0)
		log_error("%s runs on (pid %u), but vmmd cannot watch it: %s", vm->name,
			  vm->record.pid, strerror(-error));
	else
		log_notice("%s runs on (pid %u)", vm->name, vm->record.pid);
	if (stopping)
		vm_end(vm, (enum stop_cause)vm->record.cause, &vm->record.by);
}

static void adopt_ended(struct vm *vm)
{
	struct vm_record *r = &vm->record;

	if (r->state == VM_ENDED)
		return;
	taps_remove(r, vm->daemon);
	if (r->state != VM_STOPPING)
		r->cause = CAUSE_UNKNOWN;
	r->state = VM_ENDED;
	r->ended_us = now_us();
	r->end = END_UNKNOWN;
	vm_save(vm);
	eventlog_vm(vm, ENTRY_STOPPED, r->by.depth > 0 ? &r->by : NULL, NULL);
}

/*
 * One that was ready and waits: its start is gone on with. OLD, the one before it if that is known,
 * has ended or is being stopped for its sake. False: it could not be, and is gone.
 */
static bool adopt_waiting(struct vm *vm, int pidfd, struct vm *old)
{
	int error;

	vm->pidfd = pidfd;
	vm->replaced = old;
	if (old)
		old->yields = vm_is_live(old);
	if (!vm_is_beside(vm))
		record_promote(vm->dir_fd);
	error = watch_again(vm);
	if (error == 0)
		error = replace_open_go(vm, false);
	if (error < 0) {
		log_error("%s waits to be started (pid %u), but vmmd cannot: %s", vm->name,
			  vm->record.pid, strerror(-error));
		end_process(pidfd);
		vm_take_back(vm);
		return false;
	}
	if (!vm_is_beside(vm))
		replace_old_ended(vm);
	return true;
}

/* The process that was spawned for a record which did not come to say so. */
static int open_spawned(int dir_fd)
{
	int fd = record_open_spawned(dir_fd, false), pidfd = -1;

	if (fd >= 0) {
		pidfd = process_noted(fd);
		close(fd);
	}
	return pidfd;
}

/* The process of R, which is in DIR_FD; -1: it has ended. */
static int open_process(const struct daemon *d, const struct vm_record *r, int dir_fd)
{
	int pidfd = -1;

	if (r->state != VM_ENDED && strcmp(r->boot_id, d->boot_id) == 0)
		pidfd = r->pid > 0 ? process_open((pid_t)r->pid, r->start_ticks)
				   : open_spawned(dir_fd);
	if (pidfd >= 0 && process_ended(pidfd) && r->state == VM_STARTING) {
		close(pidfd);
		pidfd = -1;
	}
	return pidfd;
}

static struct vm *make(struct daemon *d, const struct vm_record *r, int dir_fd)
{
	struct vm *vm = vm_new(d, &r->request);

	if (vm) {
		vm->record = *r;
		vm->dir_fd = fcntl(dir_fd, F_DUPFD_CLOEXEC, 0);
		return vm;
	}
	log_fatal("no memory for what the runtime directory says");
}

/* The VM that DIR_FD's record tells of; NULL: none that is of use. */
static struct vm *adopt_record(struct daemon *d, int dir_fd)
{
	static struct vm_record record;
	struct vm *vm;
	int pidfd;

	if (record_read(dir_fd, RECORD_NAME, &record) < 0)
		return NULL;
	pidfd = open_process(d, &record, dir_fd);
	if (record.state == VM_STARTING && (pidfd < 0 || !record.waits)) {
		end_half_started(d, &record, pidfd);
		return NULL;
	}
	vm = make(d, &record, dir_fd);
	if (record.state == VM_STARTING)
		return adopt_waiting(vm, pidfd, NULL) ? vm : NULL;
	if (pidfd >= 0)
		adopt_running(vm, pidfd);
	else
		adopt_ended(vm);
	return vm;
}

/* Whether OLD, the VM on the path, has ended or is being stopped so that another one can start. */
static bool makes_way(const struct vm *old)
{
	return old == NULL || !vm_is_live(old) ||
	       (old->record.state == VM_STOPPING && old->record.cause == CAUSE_REPLACED);
}

/*
 * The VM that was to take OLD's place goes on, or it ends; which of the two says makes_way. Whether
 * it is there.
 */
static bool adopt_next(struct daemon *d, int dir_fd, struct vm *old)
{
	static struct vm_record record;
	int pidfd;

	if (record_read(dir_fd, RECORD_NEXT, &record) < 0)
		return false;
	pidfd = open_process(d, &record, dir_fd);
	if (pidfd >= 0 && record.waits && makes_way(old))
		return adopt_waiting(make(d, &record, dir_fd), pidfd, old);
	end_half_started(d, &record, pidfd);
	record_remove_next(dir_fd);
	return false;
}

/* The directory of one path; false: it is of no use. */
static bool adopt_one(struct daemon *d, int dir_fd)
{
	struct vm *vm = adopt_record(d, dir_fd);
	bool any = vm != NULL;

	return adopt_next(d, dir_fd, vm) || any;
}

static void read_next_uid(struct daemon *d)
{
	int fd = openat(d->run_fd, "uids", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	char text[16] = {0};

	/* Somewhere in the range to begin with: another vmmd of this host may use it too. */
	if (getrandom(&d->uid_next, sizeof(d->uid_next), 0) == sizeof(d->uid_next))
		d->uid_next %= UIDS_FOR_VMS;
	if (fd < 0)
		return;
	if (read(fd, text, sizeof(text) - 1) > 0)
		d->uid_next = (uint32_t)strtoul(text, NULL, 10) % UIDS_FOR_VMS;
	close(fd);
}

void vms_adopt(struct daemon *d)
{
	int fd = fcntl(d->vms_fd, F_DUPFD_CLOEXEC, 0);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	uint8_t id[DIGEST_SIZE];

	read_next_uid(d);
	while (dir && (entry = readdir(dir)) != NULL) {
		if (!record_dir_id(entry->d_name, id))
			continue;
		fd = record_open_dir(d, id);
		if (fd < 0 || !adopt_one(d, fd))
			record_remove_dir(d, id);
		if (fd >= 0)
			close(fd);
	}
	if (dir)
		closedir(dir);
}
