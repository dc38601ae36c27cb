/* vmmd: the supervisor of the family. This file is its table of contents. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "authority.h"
#include "bridges.h"
#include "daemon.h"
#include "eventlog.h"
#include "lifecycle.h"
#include "listen.h"
#include "log.h"
#include "logfiles.h"
#include "notify.h"
#include "owned.h"
#include "process.h"
#include "relock.h"
#include "roles.h"
#include "rundir.h"
#include "statedir.h"
#include "stats.h"
#include "taps.h"
#include "tree_file.h"
#include "unprivileged.h"
#include "volumes.h"

#define RESERVE_LEAST_MB 256 /* of the host's memory, or a sixteenth: not for VMs */

int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Holds descriptors 0 to 2 and the limit on descriptors, which every VM and session needs some of.
 */
static void set_up_process(struct daemon *d)
{
	struct rlimit files;
	int error;

	d->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (d->null_fd < 0)
		log_fatal("/dev/null: %s", strerror(errno));
	while (d->null_fd <= STDERR_FILENO) {
		fcntl(d->null_fd, F_SETFD, 0);
		d->null_fd = fcntl(d->null_fd, F_DUPFD_CLOEXEC, 0);
	}
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	umask(077);
	signal(SIGPIPE, SIG_IGN);
	d->root = geteuid() == 0;
	error = d->root ? process_keep_needed_capabilities() : 0;
	if (error < 0)
		log_fatal("cannot give up capabilities: %s", strerror(-error));
}

static void set_up_limits(struct daemon *d)
{
	uint64_t host = host_memory_mb();
	uint64_t reserve = host / 16 > RESERVE_LEAST_MB ? host / 16 : RESERVE_LEAST_MB;

	uint64_t memory = d->options->max_memory_mb ? d->options->max_memory_mb
			  : host > reserve	    ? host - reserve
						    : 0;

	d->host.vms = POLICY_NUMBER_MAX;
	d->host.memory_mb = (uint32_t)(memory < POLICY_NUMBER_MAX ? memory : POLICY_NUMBER_MAX);
	for (unsigned cpu = 0; cpu < CPUS_MAX; cpu++)
		if (process_cpu_allowed(cpu))
			cpuset_add(&d->host.cpus, cpu);
	if (host_boot_id(d->boot_id) < 0)
		log_fatal("this boot has no id: is /proc mounted?");
}

/* One line about a file that is not there, before anything is started. */
static void check_files(const struct options *options)
{
	const char *const files[][2] = {
	    {"--ca", options->ca}, {"--cert", options->cert}, {"--key", options->key}};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (access(files[i][1], R_OK) < 0)
			log_fatal("%s %s: %s", files[i][0], files[i][1], strerror(errno));
}

static void open_run_dir(struct daemon *d)
{
	const char *path = d->options->run_dir, *problem;

	d->run_fd = rundir_open(path, &d->run_mounted, &problem);
	if (d->run_fd < 0)
		log_fatal("%s %s: %s", path, problem, strerror(-d->run_fd));
	/* A process that a killed vmmd was about to execute has it until it is executed. */
	if (!owned_lock(d->run_fd))
		log_fatal("%s is in use by another vmmd", path);
	if (mkdirat(d->run_fd, "vms", 0700) < 0 && errno != EEXIST)
		log_fatal("%s/vms: %s", path, strerror(errno));
	d->vms_fd = openat(d->run_fd, "vms", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (d->vms_fd < 0)
		log_fatal("%s/vms: %s", path, strerror(errno));
}

static void make_namespaces(struct daemon *d)
{
	int error = namespaces_prepare(&d->namespaces, "/proc");

	if (error < 0 && d->root)
		log_fatal("cannot make empty namespaces: %s", strerror(-error));
	if (!d->root)
		unprivileged_say(d, error);
	else if (access("/dev/kvm", R_OK | W_OK) < 0)
		log_notice("no hvt images: /dev/kvm: %s", strerror(errno));
}

static void on_stop(evutil_socket_t signal, short what, void *arg)
{
	struct daemon *d = arg;

	(void)signal;
	(void)what;
	d->stopping = true;
	event_base_loopbreak(d->base);
}

static void on_reload(evutil_socket_t signal, short what, void *arg)
{
	(void)signal;
	(void)what;
	log_notice("reloading certificates");
	logfiles_reopen(arg);
	roles_reload(arg);
}

static void watch_signals(struct daemon *d)
{
	static const int stop[] = {SIGTERM, SIGINT};
	struct event *event = evsignal_new(d->base, SIGHUP, on_reload, d);

	if (event == NULL || event_add(event, NULL) < 0)
		log_fatal("out of memory");
	for (int i = 0; i < 2; i++) {
		event = evsignal_new(d->base, stop[i], on_stop, d);
		if (event == NULL || event_add(event, NULL) < 0)
			log_fatal("out of memory");
	}
}

static bool anything_runs(const struct daemon *d)
{
	for (const struct vm *vm = d->vms; vm; vm = vm->next)
		if (vm_is_live(vm))
			return true;
	return false;
}

/* When no VM runs, nothing is left behind. */
static void leave_run_dir(struct daemon *d)
{
	while (d->vms)
		vm_forget(d->vms);
	logfiles_remove(d);
	bridges_leave(d);
	unlinkat(d->run_fd, "vms", AT_REMOVEDIR);
	unlinkat(d->run_fd, "uids", 0);
	tree_free(&d->tree);
	tree_file_unlink(d->run_fd);
	close(d->vms_fd);
	close(d->run_fd);
	if (d->run_mounted)
		rundir_unmount(d->options->run_dir);
}

/* VMs go on without us. */
static void clean_up(struct daemon *d)
{
	notify("STOPPING=1");
	sessions_close_all(d, "vmmd is stopping");
	vms_abandon_starting(d);
	volumes_close(d);
	roles_stop(d);
	if (anything_runs(d)) {
		log_notice("stopped; the VMs run on");
		return;
	}
	leave_run_dir(d);
	log_notice("stopped");
}

/* A start that failed leaves no mount behind either. */
static struct daemon *starting;

static void leave_failed_start(void)
{
	if (starting && !starting->announced && starting->run_mounted && !anything_runs(starting))
		leave_run_dir(starting);
}

static int check_only(struct daemon *d)
{
	statedir_check(d);
	volumes_check(d);
	listen_open(d);
	logfiles_open(d);
	make_namespaces(d);
	roles_start(d);
	event_base_dispatch(d->base);
	roles_stop(d);
	puts("vmmd: the configuration is good");
	return d->announced ? 0 : 1;
}

int main(int argc, char **argv)
{
	static struct options options;
	static struct daemon d = {.options = &options,
				  .run_fd = -1,
				  .vms_fd = -1,
				  .revocations_fd = -1,
				  .bridges_fd = -1,
				  .tree = {.file = {.dir_fd = -1, .fd = -1}},
				  .null_fd = -1,
				  .monitor_fd = -1,
				  .copier_fd = -1,
				  .eventlog = {.dir_fd = -1, .file = -1, .syslog = -1},
				  .slot = {{.program = -1},
					   {.program = -1},
					   {.program = -1},
					   {.program = -1},
					   {.program = -1}}};

	options_read(argc, argv, &options);
	log_init("vmmd", options.verbose);
	d.started_us = now_us();
	set_up_process(&d);
	set_up_limits(&d);
	check_files(&options);
	if (roles_find(&d) < 0)
		return 1;
	d.base = event_base_new();
	if (d.base == NULL)
		log_fatal("out of memory");
	if (options.check)
		return check_only(&d);
	starting = &d;
	atexit(leave_failed_start);
	open_run_dir(&d);
	roles_end_leftovers(&d);
	statedir_open(&d);
	listen_open(&d);
	make_namespaces(&d);
	taps_open(&d);
	logfiles_open(&d);
	volumes_open(&d);
	eventlog_add(&d, &(struct log_entry){.type = ENTRY_STARTUP});
	vms_adopt(&d);
	authority_open(&d);
	bridges_open(&d);
	stats_open(&d);
	relock_open(&d);
	watch_signals(&d);
	roles_start(&d);
	event_base_dispatch(d.base);
	starting = NULL;
	clean_up(&d);
	return 0;
}
