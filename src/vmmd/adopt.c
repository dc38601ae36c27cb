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
#include "lifecycle.h"
#include "log.h"
#include "process.h"

static void end_process(int pidfd)
{
	process_signal(pidfd, SIGKILL);
	for (int i = 0; i < 500 && !process_ended(pidfd); i++)
		usleep(10000);
}

/* A start that nobody was told of: the monitor, if it came to that, goes. */
static void end_half_started(const struct vm_record *r, int pidfd)
{
	pid_t pid;

	if (pidfd >= 0)
		end_process(pidfd);
	while (r->uid > 0 && r->pid == 0 && (pid = process_of_uid(r->uid)) > 0) {
		int fd = process_open(pid, process_start_ticks(pid));

		if (fd < 0)
			continue;
		end_process(fd);
		close(fd);
	}
}

static void adopt_running(struct vm *vm, int pidfd)
{
	bool stopping = vm->record.state == VM_STOPPING;
	int error;

	vm->pidfd = pidfd;
	vm->record.state = VM_RUNNING;
	error = console_open_fifo(vm, false);
	if (error == 0)
		error = vm_watch(vm);
	if (error < 0)
		log_error("%s runs on (pid %u), but vmmd cannot watch it: %s", vm->name,
			  vm->record.pid, strerror(-error));
	else
		log_notice("%s runs on (pid %u)", vm->name, vm->record.pid);
	if (stopping)
		vm_stop(vm, CAUSE_DESTROYED, NULL, NULL, 0);
}

static void adopt_ended(struct vm *vm)
{
	if (vm->record.state == VM_ENDED)
		return;
	vm->record.state = VM_ENDED;
	vm->record.ended_us = now_us();
	vm->record.end = END_UNKNOWN;
	vm_save(vm);
	vm_log_stopped(vm);
}

/* The directory of one VM; false: it is of no use. */
static bool adopt_one(struct daemon *d, int dir_fd)
{
	static struct vm_record record;
	struct vm *vm;
	int pidfd = -1;

	if (record_read(dir_fd, &record) < 0)
		return false;
	if (record.state != VM_ENDED && strcmp(record.boot_id, d->boot_id) == 0)
		pidfd = process_open((pid_t)record.pid, record.start_ticks);
	if (record.state == VM_STARTING) {
		end_half_started(&record, pidfd);
		if (pidfd >= 0)
			close(pidfd);
		return false;
	}
	vm = vm_new(d, &record.request);
	if (vm == NULL)
		return true;
	vm->record = record;
	vm->dir_fd = dir_fd;
	if (pidfd >= 0)
		adopt_running(vm, pidfd);
	else
		adopt_ended(vm);
	return true;
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
		if (fd >= 0 && adopt_one(d, fd))
			continue;
		if (fd >= 0)
			close(fd);
		record_remove_dir(d, id);
	}
	if (dir)
		closedir(dir);
}
