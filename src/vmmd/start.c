/*
 * Starting a VM: everything that can refuse it comes first, then reservation and preparation, then
 * the monitor. Check and reservation are one step, for nothing else runs in between.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "console.h"
#include "lifecycle.h"
#include "log.h"
#include "process.h"
#include "quota.h"
#include "replace.h"
#include "spawn.h"

/* Descriptors of a monitor; KVM only where this host has it, GO for one that replaces another. */
enum { IMAGE_FD = 3, STATUS_FD = 4, KVM_FD = 5, GO_FD = 6, MONITOR_FDS };

#define OPTIONS_MAX 9 /* of a monitor, its name and the "--" before the guest's included */

/* The monitor's own memory beside the guest's and the mapped image. */
#define MONITOR_OVERHEAD_MB 64

static bool refuse(struct start_error *error, uint32_t status, const char *word, const char *format,
		   ...) __attribute__((format(printf, 4, 5)));

static bool refuse(struct start_error *error, uint32_t status, const char *word, const char *format,
		   ...)
{
	va_list args;

	error->status = status;
	error->word = word;
	va_start(args, format);
	vsnprintf(error->why.text, sizeof(error->why.text), format, args);
	va_end(args);
	return false;
}

/* What this version, on this machine, can run at all. */
static bool check_kind(const struct vm_config *vm, struct start_error *error)
{
	if (vm->image.form != IMAGE_EMBEDDED)
		return refuse(
		    error, 422, "image",
		    "compressed and detached images are not in this version: sign it embedded");
	if (vm->image.arch != ARCH_AMD64)
		return refuse(error, 422, "image", "the image is for arm64, this host is amd64");
	if (vm->nnets > 0)
		return refuse(error, 422, "image", "network devices are not in this version");
	if (vm->nblocks > 0)
		return refuse(error, 422, "image", "block devices are not in this version");
	if (!process_cpu_allowed(vm->cpuid))
		return refuse(error, 409, "quota",
			      "cpuid: asked for %u, this host does not have it", vm->cpuid);
	return true;
}

/* What it is goes to disk before it is used. */
uint32_t next_uid(struct daemon *d)
{
	uint32_t uid = d->options->uid_base + UIDS_FOR_ROLES + d->uid_next;
	int fd = openat(d->run_fd, "uids", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
			0600);

	d->uid_next = (d->uid_next + 1) % UIDS_FOR_VMS;
	if (fd >= 0) {
		dprintf(fd, "%u\n", d->uid_next);
		close(fd);
	}
	return uid;
}

static int prepare(struct vm *vm)
{
	struct daemon *d = vm->daemon;
	bool beside = vm_is_beside(vm);
	int error;

	vm->record.uid = d->root ? next_uid(d) : 0;
	vm->dir_fd = record_open_dir(d, vm->record.request.path_id);
	if (vm->dir_fd < 0)
		return vm->dir_fd;
	/* Before the record: an earlier process's is not this one's. */
	vm->note_fd = record_open_spawned(vm->dir_fd, true);
	if (vm->note_fd < 0)
		return vm->note_fd;
	error = console_open_fifo(vm, true);
	if (error == 0 && beside)
		error = replace_open_go(vm, true);
	if (error == 0)
		error = vm_store(vm);
	/* Until it has ended the console is the other one's. */
	return error < 0 || beside ? error : console_announce(vm, vm->replaced != NULL);
}

static void add_option(struct strings *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add_option(struct strings *command, const char *format, ...)
{
	char option[128];
	va_list args;

	va_start(args, format);
	vsnprintf(option, sizeof(option), format, args);
	va_end(args);
	strings_add(command, option);
}

/* The monitor's arguments; false when the guest's do not fit beside ours. */
static bool make_command(struct vm_record *r, bool kvm, bool go)
{
	const struct vm_config *vm = &r->request.vm;
	const char *arg = NULL;

	add_option(&r->command, "vmm_monitor");
	add_option(&r->command, "--mem=%u", vm->memory_mb);
	add_option(&r->command, "--image=@%d:%llu:%llu", IMAGE_FD,
		   (unsigned long long)vm->image.offset, (unsigned long long)vm->image.size);
	add_option(&r->command, "--status=@%d", STATUS_FD);
	/* Beyond what Solo5's tender does: no image that it ran well executes data. */
	add_option(&r->command, "--nx");
	if (kvm)
		add_option(&r->command, "--kvm=@%d", KVM_FD);
	if (go)
		add_option(&r->command, "--go=@%d", GO_FD);
	add_option(&r->command, "--");
	while ((arg = strings_next(&vm->argv, arg)) != NULL)
		if (strings_add(&r->command, arg) < 0)
			return false;
	return true;
}

static void make_argv(struct strings *command, char **argv)
{
	char *at = command->bytes;

	for (uint32_t i = 0; i < command->count; i++) {
		*argv++ = at;
		at += strlen(at) + 1;
	}
	*argv = NULL;
}

static int spawn_monitor(struct vm *vm, int image_fd, int kvm_fd, const char **step)
{
	static char *argv[ARGV_COUNT_MAX + OPTIONS_MAX + 1];
	struct daemon *d = vm->daemon;
	const struct vm_config *config = &vm->record.request.vm;
	int pipe_fds[2], error;
	pid_t pid;

	*step = "make a pipe";
	if (pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	make_argv(&vm->record.command, argv);
	const int fds[MONITOR_FDS] = {d->null_fd,  vm->fifo_fd, vm->fifo_fd, image_fd,
				      pipe_fds[1], kvm_fd,	vm->go_fd};
	const struct spawn what = {
	    .program = d->monitor_fd,
	    .argv = argv,
	    .fds = fds,
	    .nfds = MONITOR_FDS,
	    .namespaces = &d->namespaces,
	    .uid = vm->record.uid,
	    .cpu = (int)config->cpuid,
	    .address_space = (((uint64_t)config->memory_mb + MONITOR_OVERHEAD_MB) << 20) +
			     config->image.offset + config->image.size,
	    .note = vm->note_fd};
	error = spawn(&what, &pid, &vm->pidfd, step);
	close(vm->note_fd);
	vm->note_fd = -1;
	close(pipe_fds[1]);
	if (error < 0) {
		close(pipe_fds[0]);
		vm->pidfd = -1;
		return error;
	}
	vm->status_fd = pipe_fds[0];
	vm->record.pid = (uint32_t)pid;
	vm->record.start_ticks = process_start_ticks(pid);
	return 0;
}

/* Undoes vm_new, prepare and the spawn. */
static void abandon(struct vm *vm)
{
	if (vm->pidfd >= 0) {
		process_signal(vm->pidfd, SIGKILL);
		waitpid((pid_t)vm->record.pid, NULL, 0);
	}
	vm_take_back(vm);
}

static bool launch(struct vm *vm, int image_fd, int kvm_fd, struct start_error *error)
{
	const char *step = "prepare its directory and console";
	int result = prepare(vm);

	if (result == 0)
		result = spawn_monitor(vm, image_fd, kvm_fd, &step);
	if (result == 0) {
		/* From here on its end, however early, comes through vm_watch. */
		vm_save(vm);
		result = vm_watch(vm);
		step = "watch it";
	}
	if (result == 0)
		return true;
	log_error("%s: cannot %s: %s", vm->name, step, strerror(-result));
	abandon(vm);
	return refuse(error, 503, "unavailable", "the host could not %s: %s", step,
		      strerror(-result));
}

/*
 * -1: only spt images run here, which the monitor says to those that are not: it knows the image.
 */
static int open_kvm(const struct daemon *d)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	/* An ordinary user's vmmd has said so at its start. */
	if (fd < 0 && errno != ENOENT && d->root)
		log_warning("hvt images cannot run here: /dev/kvm: %s", strerror(errno));
	return fd;
}

/* Whether VM, which is on the path already, may be there; true with FORCE: to be replaced. */
static bool check_path(const struct vm *vm, bool force, struct start_error *error)
{
	const char *name = vm->record.request.leaf.name;

	if (!force)
		return refuse(error, 409, "running", "%s is running already", name);
	if (vm_successor(vm))
		return refuse(error, 409, "running",
			      "%s is being replaced already: try again when that is done", name);
	if (vm->record.state != VM_RUNNING)
		return refuse(error, 409, "running", "%s is being %s: try again when that is done",
			      name, vm->record.state == VM_STARTING ? "started" : "stopped");
	return true;
}

static bool check_quota(struct daemon *d, const struct request *r, struct vm *old,
			struct start_error *error)
{
	const struct usage wanted = {.vms = 1, .memory_mb = r->vm.memory_mb};
	bool fits;

	if (old)
		old->yields = true;
	fits = quota_check(d, r, &wanted, &error->why);
	if (old)
		old->yields = fits;
	error->status = 409;
	error->word = "quota";
	return fits;
}

/* Whatever refuses the start of SESSION's VM without anything being made; OLD: on its path. */
static bool check(const struct session *session, struct vm *old, bool force,
		  struct start_error *error)
{
	const struct request *r = &session->request;

	if (force && !(r->permissions & (PERMIT_FORCE_CREATE | PERMIT_ALL)))
		return refuse(error, 403, "permission", "the certificate lacks the permission %s",
			      permission_name(PERMIT_FORCE_CREATE));
	return (old == NULL || check_path(old, force, error)) && check_kind(&r->vm, error) &&
	       check_quota(session->daemon, r, old, error);
}

/* A VM for SESSION's certificate, which holds its resources; NULL with ERROR. */
static struct vm *make(const struct session *session, struct vm *old, bool kvm,
		       struct start_error *error)
{
	struct daemon *d = session->daemon;
	const struct request *r = &session->request;
	struct vm *vm = vm_new(d, r);

	if (vm == NULL) {
		refuse(error, 503, "unavailable", "the host is out of memory");
		return NULL;
	}
	vm->replaced = old ? old : vm_find_ended(d, r->path_id);
	if (make_command(&vm->record, kvm, old != NULL))
		return vm;
	vm_free(vm);
	refuse(error, 422, "image",
	       "argv: too long beside the monitor's own options; 8000 bytes in 1000 "
	       "arguments fit");
	return NULL;
}

bool vm_start(struct session *session, uint32_t id, bool force, struct start_error *error)
{
	struct daemon *d = session->daemon;
	struct vm *old = vm_find_live(d, session->request.path_id), *vm;
	bool started = false;
	int kvm_fd;

	if (!check(session, old, force, error))
		return false;
	kvm_fd = open_kvm(d);
	vm = make(session, old, kvm_fd >= 0, error);
	if (vm) {
		vm->session = session->number;
		vm->record.digest_known = session->digest_known;
		memcpy(vm->record.sha256, session->sha256, DIGEST_SIZE);
		waiter_add(&vm->starting, session->number, id);
		started = launch(vm, session->image_fd, kvm_fd, error);
	} else if (old) {
		old->yields = false;
	}
	if (kvm_fd >= 0)
		close(kvm_fd);
	return started;
}

/* The next one: each that goes may take another one with it. */
static struct vm *find_starting(const struct daemon *d)
{
	for (struct vm *vm = d->vms; vm; vm = vm->next)
		if (vm->record.state == VM_STARTING && !vm->record.waits)
			return vm;
	return NULL;
}

void vms_abandon_starting(struct daemon *d)
{
	struct vm *vm;

	while ((vm = find_starting(d)) != NULL)
		abandon(vm);
}
