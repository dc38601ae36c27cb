/* vmm_stats, the program: as vmmd starts it, confined, at its work. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "program.h"
#include "rules.h"
#include "stats_world.h"

#define ROLE_UID  1879000001
#define GUEST_UID 1879000002
#define MANY	  1000
#define PTRACE	  "0000000000080000" /* CAP_SYS_PTRACE alone */
#define NOTHING	  "0000000000000000"

static uid_t role_uid(void)
{
	return geteuid() == 0 ? ROLE_UID : 0;
}

/* Whether it can be had here: not by everybody, nor in every container. */
static bool right_to_keep(void)
{
	return geteuid() == 0 && prctl(PR_CAPBSET_READ, CAP_SYS_PTRACE) == 1;
}

static void end_program(pid_t pid)
{
	channel_close(&vmmd);
	assert_int_equal(program_wait(pid, &vmmd), 0);
}

/* What its line NAME in /proc/PID/status says. */
static void expect_status(pid_t pid, const char *name, const char *expected)
{
	char path[64], line[256], found[256] = "";
	size_t n = strlen(name);
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (strncmp(line, name, n) == 0)
			sscanf(line + n, ": %s", found);
	fclose(file);
	assert_string_equal(found, expected);
}

static void it_keeps_one_right(void **state)
{
	const char *kept = right_to_keep() ? PTRACE : NOTHING;
	pid_t pid = program_start(role_uid(), NEVER);
	char uid[16];

	(void)state;
	expect_status(pid, "CapEff", kept);
	expect_status(pid, "CapPrm", kept);
	expect_status(pid, "CapInh", NOTHING);
	expect_status(pid, "CapAmb", NOTHING);
	expect_status(pid, "NoNewPrivs", "1");
	expect_status(pid, "Seccomp", "2");
	snprintf(uid, sizeof(uid), "%u", geteuid() == 0 ? ROLE_UID : geteuid());
	expect_status(pid, "Uid", uid);
	end_program(pid);
}

/* Calls that the kept right would count for, or that get at what it counts for. */
static const struct {
	long number;
	const char *name;
} forbidden[] = {
    {SYS_ptrace, "ptrace"},
    {SYS_process_vm_readv, "process_vm_readv"},
    {SYS_process_vm_writev, "process_vm_writev"},
    {SYS_process_madvise, "process_madvise"},
    {SYS_pidfd_open, "pidfd_open"},
    {SYS_pidfd_getfd, "pidfd_getfd"},
    {SYS_kcmp, "kcmp"},
    {SYS_perf_event_open, "perf_event_open"},
    {SYS_get_robust_list, "get_robust_list"},
    {SYS_move_pages, "move_pages"},
    {SYS_userfaultfd, "userfaultfd"},
    {SYS_bpf, "bpf"},
    {SYS_open, "open"},
    {SYS_openat2, "openat2"},
    {SYS_open_by_handle_at, "open_by_handle_at"},
    {SYS_io_uring_setup, "io_uring_setup"},
    {SYS_setns, "setns"},
    {SYS_execve, "execve"},
    {SYS_fork, "fork"},
    {SYS_capset, "capset"},
    {SYS_pwrite64, "pwrite64"},
#ifndef __SANITIZE_ADDRESS__ /* whose runtime makes these */
    {SYS_openat, "openat"},
    {SYS_readlink, "readlink"},
    {SYS_clone, "clone"},
    {SYS_ioctl, "ioctl"},
    {SYS_prctl, "prctl"},
    {SYS_prlimit64, "prlimit64"},
#endif
};

static void no_call_but_reading_can_use_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
		pid_t pid = fork();
		int status;

		assert_int_not_equal(pid, -1);
		if (pid == 0) {
			if (sandbox_isolate(NULL, 0, 0, SANDBOX_KEEP_NOTHING) < 0 ||
			    sandbox_restrict(stats_rules, stats_nrules) < 0)
				_exit(1);
			syscall(forbidden[i].number, -1L, -1L, -1L, -1L, -1L, -1L);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			fail_msg("%s is allowed", forbidden[i].name);
	}
}

/* Root without a uid for it, and everybody else. */
static void without_a_uid_it_keeps_nothing(void **state)
{
	pid_t pid = program_start(0, NEVER);

	(void)state;
	expect_status(pid, "CapEff", NOTHING);
	expect_status(pid, "CapPrm", NOTHING);
	end_program(pid);
}

/* As a monitor is: another uid, not to be traced. It has read a megabyte, and waits. */
static pid_t start_guest(int *files)
{
	static const char *const names[] = {"stat", "status", "io"};
	static char bytes[1 << 20];
	int done[2];
	pid_t pid;

	assert_int_equal(pipe2(done, O_CLOEXEC), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		int zero = open("/dev/zero", O_RDONLY);

		if (geteuid() == 0 && setuid(GUEST_UID) < 0)
			_exit(1);
		/* After the uid, which resets both. */
		if (prctl(PR_SET_DUMPABLE, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
		    read(zero, bytes, sizeof(bytes)) < 0 || write(done[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(done[0], bytes, 1), 1);
	close(done[0]);
	close(done[1]);
	for (int i = 0; i < 3; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, names[i]);
		close(files[i]);
		files[i] = open(path, O_RDONLY | O_CLOEXEC);
		/* Nobody else may even open it. */
		if (files[i] < 0)
			files[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	}
	return pid;
}

static void stop_guest(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* What that right is for: without it there is the rest. */
static void it_reads_what_others_may_not(void **state)
{
	const uid_t uids[] = {role_uid(), 0};
	const struct statpage page = {.console = 1};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct guest guest = guest_new("alice/vm");
		pid_t child = start_guest(guest.file), pid = program_start(uids[i], NEVER);
		struct reading now;

		guest_counted(&guest, &page);
		guest_add(&guest);
		read_now("alice/vm", &now, NULL);
		assert_int_equal(now.parts & READ_BLOCK,
				 uids[i] > 0 && right_to_keep() ? READ_BLOCK : 0);
		assert_int_equal(now.parts & READ_PROCESS, READ_PROCESS);
		if (now.parts & READ_BLOCK)
			assert_in_range(now.block_read, 1 << 20, 2 << 20);
		end_program(pid);
		stop_guest(child);
		guest_free(&guest);
	}
}

static void set_up_everything(void)
{
	int host[2] = {open("/proc/stat", O_RDONLY | O_CLOEXEC),
		       open("/proc/meminfo", O_RDONLY | O_CLOEXEC)};
	int links = links_open();

	assert_true(links >= 0);
	assert_int_equal(channel_send(&vmmd, MSG_STATS_LINKS, &(struct msg_empty){0}, &links), 0);
	assert_int_equal(channel_send(&vmmd, MSG_STATS_HOST, &(struct msg_empty){0}, host), 0);
	close(host[0]);
	close(host[1]);
	close(links);
}

/* Its sandbox allows what its work takes: interfaces, the host, a thousand VMs, rounds. */
static void it_may_do_its_work(void **state)
{
	struct guest guest = guest_new("alice/vm");
	struct channel lower, reader;
	unsigned told = 0;
	pid_t pid;

	(void)state;
	assert_int_equal(channel_pair(LINK_STATS, &vmmd, &lower), 0);
	pid = program_execute(VMM_STATS, &lower);
	set_up_everything();
	send_interval(1);
	guest_used(&guest, 1);
	guest.is.ntaps = 1;
	for (unsigned n = 0; n < MANY; n++) {
		snprintf(guest.is.tap[0].name, sizeof(guest.is.tap[0].name), "nosuch%u", n);
		memcpy(guest.is.path_id, &n, sizeof(n));
		guest_add(&guest);
	}
	/* Until a round has passed. */
	for (in.body.sample.before.time_us = 0; in.body.sample.before.time_us == 0;) {
		reader = reader_of("", 0);
		expect_sample(&reader, "alice/vm");
		channel_close(&reader);
	}
	reader = family_reader(&(struct family_reading){.vms = 5});
	while (channel_recv(&reader, &in) == CHANNEL_MESSAGE && in.type == MSG_SAMPLE)
		told++;
	assert_int_equal(told, MANY);
	assert_int_equal(in.type, MSG_FAMILY);
	assert_int_equal(in.body.family.host_known, 1);
	expect_end(&reader);
	for (unsigned n = 0; n < MANY; n++) {
		memcpy(guest.is.path_id, &n, sizeof(n));
		guest_remove(&guest);
	}
	reader = reader_of("", 0);
	expect_end(&reader);
	end_program(pid);
	guest_free(&guest);
}

static void nonsense_ends_the_program(void **state)
{
	pid_t pid = program_start(0, NEVER);
	int status;

	(void)state;
	assert_int_equal(send(vmmd.fd, "nonsense", 8, 0), 8);
	status = program_wait(pid, &vmmd);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_keeps_one_right),
	    cmocka_unit_test(no_call_but_reading_can_use_it),
	    cmocka_unit_test(without_a_uid_it_keeps_nothing),
	    cmocka_unit_test(it_reads_what_others_may_not),
	    cmocka_unit_test(it_may_do_its_work),
	    cmocka_unit_test(nonsense_ends_the_program),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
