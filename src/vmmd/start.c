/*
 * Starting a VM: everything that can refuse it comes first, then reservation and preparation, then
 * the monitor. Check and reservation are one step, for nothing else runs in between.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bridges.h"
#include "command.h"
#include "console.h"
#include "lifecycle.h"
#include "log.h"
#include "process.h"
#include "quota.h"
#include "replace.h"
#include "spawn.h"
#include "status.h"
#include "taps.h"
#include "volumes.h"

/* The monitor's own memory beside the guest's and the mapped image. */
#define MONITOR_OVERHEAD_MB 64

#define UIDS_TRIED	    1000

/* What a monitor is given of the host, until it has it; -1: nothing. */
struct lent {
	int image; /* the session's */
	int kvm;
	int page; /* the VM's own, for statistics */
	int net[DEVICES_MAX], block[DEVICES_MAX];
};

/* What this version, on this machine, can run at all. */
static bool check_kind(const struct vm_config *vm, struct start_error *error)
{
	if (vm->image.form != IMAGE_EMBEDDED)
		return start_refuse(
		    error, 422, "image",
		    "compressed and detached images are not in this version: sign it embedded");
	if (vm->image.arch != ARCH_AMD64)
		return start_refuse(error, 422, "image",
				    "the image is for arm64, this host is amd64");
	if (!process_cpu_allowed(vm->cpuid))
		return start_refuse(error, 409, "quota",
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

/* A uid for VM, of whose taps' names no interface has one: another vmmd's may have. */
static uint32_t find_uid(const struct vm *vm)
{
	struct daemon *d = vm->daemon;

	if (!d->root)
		return 0;
	for (unsigned i = 0; vm->record.request.vm.nnets > 0 && i < UIDS_TRIED; i++) {
		if (!taps_named(d->uid_next))
			break;
		next_uid(d);
	}
	return next_uid(d);
}

static int prepare(struct vm *vm, struct lent *lent)
{
	struct daemon *d = vm->daemon;
	bool beside = vm_is_beside(vm);
	int error;

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
		error = lent->page = record_make_page(vm->dir_fd, beside ? PAGE_NEXT : PAGE_NAME);
	if (error >= 0)
		error = vm_store(vm);
	/* Until it has ended the console is the other one's. */
	return error < 0 || beside ? error : console_announce(vm, vm->replaced != NULL);
}

/* Descriptors of VM's monitor, as its arguments name them; how many. */
static unsigned place(const struct vm *vm, const struct lent *lent, int status, int *fds)
{
	const struct vm_config *config = &vm->record.request.vm;
	unsigned n = COMMAND_DEVICE_FD;

	fds[0] = vm->daemon->null_fd;
	fds[1] = fds[2] = vm->fifo_fd;
	fds[COMMAND_IMAGE_FD] = lent->image;
	fds[COMMAND_STATUS_FD] = status;
	fds[COMMAND_KVM_FD] = lent->kvm;
	fds[COMMAND_GO_FD] = vm->go_fd;
	fds[COMMAND_STATS_FD] = lent->page;
	for (uint32_t k = 0; k < config->nnets; k++)
		fds[n++] = lent->net[k];
	for (uint32_t k = 0; k < config->nblocks; k++)
		fds[n++] = lent->block[k];
	return n;
}

static int spawn_monitor(struct vm *vm, const struct lent *lent, const char **step)
{
	static char *argv[COMMAND_ARGV_MAX];
	struct daemon *d = vm->daemon;
	const struct vm_config *config = &vm->record.request.vm;
	int fds[COMMAND_FDS_MAX], status, error;
	pid_t pid;

	*step = "make its status channel";
	error = status_open(vm, &status);
	if (error < 0)
		return error;
	command_argv(&vm->record.command, argv);
	const struct spawn what = {
	    .program = d->monitor_fd,
	    .argv = argv,
	    .fds = fds,
	    .nfds = place(vm, lent, status, fds),
	    .namespaces = &d->namespaces,
	    .uid = vm->record.uid,
	    .cpu = (int)config->cpuid,
	    .address_space = (((uint64_t)config->memory_mb + MONITOR_OVERHEAD_MB) << 20) +
			     config->image.offset + config->image.size,
	    .note = vm->note_fd};
	error = spawn(&what, &pid, &vm->pidfd, step);
	close(vm->note_fd);
	vm->note_fd = -1;
	close(status);
	if (error < 0) {
		vm->pidfd = -1;
		return error;
	}
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

static bool launch(struct vm *vm, struct lent *lent, struct start_error *error)
{
	const char *step = "prepare its directory and console";
	int result = prepare(vm, lent);

	if (result == 0) {
		step = "make its taps";
		result = taps_make(vm, lent->net);
	}
	if (result == 0)
		result = spawn_monitor(vm, lent, &step);
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
	return start_refuse(error, 503, "unavailable", "the host could not %s: %s", step,
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
		return start_refuse(error, 409, "running", "%s is running already", name);
	if (vm_successor(vm))
		return start_refuse(error, 409, "running",
				    "%s is being replaced already: try again when that is done",
				    name);
	if (vm->record.state != VM_RUNNING)
		return start_refuse(error, 409, "running",
				    "%s is being %s: try again when that is done", name,
				    vm->record.state == VM_STARTING ? "started" : "stopped");
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
		return start_refuse(error, 403, "permission",
				    "the certificate lacks the permission %s",
				    permission_name(PERMIT_FORCE_CREATE));
	return (old == NULL || check_path(old, force, error)) && check_kind(&r->vm, error) &&
	       check_quota(session->daemon, r, old, error);
}

/* A VM for SESSION's certificate, which holds its resources; NULL with ERROR. */
static struct vm *make(const struct session *session, uint32_t id, struct vm *old, bool kvm,
		       struct start_error *error)
{
	struct daemon *d = session->daemon;
	const struct request *r = &session->request;
	struct vm *vm = vm_new(d, r);

	if (vm == NULL) {
		start_refuse(error, 503, "unavailable", "the host is out of memory");
		return NULL;
	}
	vm->replaced = old ? old : vm_find_ended(d, r->path_id);
	vm->replaces = old != NULL;
	vm->kvm = kvm;
	vm->session = session->number;
	vm->record.digest_known = session->digest_known;
	memcpy(vm->record.sha256, session->sha256, DIGEST_SIZE);
	vm->record.uid = find_uid(vm);
	taps_plan(vm, old);
	error->status = 422;
	error->word = "image";
	if (!command_make(vm, &error->why)) {
		vm_free(vm);
		return NULL;
	}
	waiter_add(&vm->starting, session->number, id);
	return vm;
}

static void give_back(struct lent *lent)
{
	if (lent->kvm >= 0)
		close(lent->kvm);
	if (lent->page >= 0)
		close(lent->page);
	for (unsigned k = 0; k < DEVICES_MAX; k++) {
		if (lent->net[k] >= 0)
			close(lent->net[k]);
		if (lent->block[k] >= 0)
			close(lent->block[k]);
	}
}

/* What is the host's for the VM of R, but for its taps; false with ERROR, and nothing. */
static bool lend(struct daemon *d, const struct request *r, const struct vm *old, struct lent *lent,
		 struct start_error *error)
{
	memset(lent->net, -1, sizeof(lent->net));
	memset(lent->block, -1, sizeof(lent->block));
	if (!taps_check(d, r, old, error) || !volumes_lend(d, r, old, lent->block, error))
		return false;
	lent->kvm = open_kvm(d);
	return true;
}

bool vm_start(struct session *session, uint32_t id, bool force, struct start_error *error)
{
	struct daemon *d = session->daemon;
	struct vm *old = vm_find_live(d, session->request.path_id), *vm = NULL;
	struct lent lent = {.image = session->image_fd, .page = -1};
	bool started;

	if (!check(session, old, force, error))
		return false;
	if (lend(d, &session->request, old, &lent, error)) {
		vm = make(session, id, old, lent.kvm >= 0, error);
		started = vm && launch(vm, &lent, error);
		give_back(&lent);
		if (vm)
			return started;
	}
	if (old)
		old->yields = false;
	bridges_settle(d);
	return false;
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
