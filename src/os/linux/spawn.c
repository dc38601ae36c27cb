/*
 * clone(CLONE_VM | CLONE_VFORK): the child borrows our memory until it executes, so nothing is
 * copied, and it tells its error by writing it there. It uses system calls only, never a library
 * that locks or allocates; set*id go to the kernel directly, for glibc's would tell "our" other
 * threads.
 */
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

#define STACK_SIZE (64 * 1024)

struct child {
	const struct spawn *what;
	int error;
	const char *step;
};

static bool fail(struct child *c, const char *step)
{
	c->error = errno;
	c->step = step;
	return false;
}

/*
 * For who comes after a parent that was killed before it could write the pid down: the process's
 * line of /proc has its pid and its start (process_noted).
 */
static bool write_note(struct child *c)
{
	char line[512];
	ssize_t n;
	int fd;

	if (c->what->note == 0)
		return true;
	fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail(c, "read its line of /proc");
	n = read(fd, line, sizeof(line));
	close(fd);
	return (n > 0 && write(c->what->note, line, (size_t)n) == n) ||
	       fail(c, "write down who it is");
}

static bool join_namespaces(struct child *c)
{
	const struct namespaces *set = c->what->namespaces;

	for (unsigned i = 0; set && i < set->n; i++)
		if (setns(set->fd[i], 0) < 0)
			return fail(c, "enter the empty namespaces");
	return true;
}

/* First above everything that is wanted, then down into place, where close-on-exec is off. */
static bool place_fds(struct child *c, int *program)
{
	int high[SPAWN_FDS_MAX];

	*program = fcntl(c->what->program, F_DUPFD_CLOEXEC, SPAWN_FDS_MAX);
	if (*program < 0)
		return fail(c, "duplicate descriptors");
	for (unsigned i = 0; i < c->what->nfds; i++) {
		high[i] = -1;
		if (c->what->fds[i] < 0)
			continue;
		high[i] = fcntl(c->what->fds[i], F_DUPFD_CLOEXEC, SPAWN_FDS_MAX);
		if (high[i] < 0)
			return fail(c, "duplicate descriptors");
	}
	for (unsigned i = 0; i < c->what->nfds; i++)
		if (high[i] < 0)
			close((int)i);
		else if (dup2(high[i], (int)i) < 0)
			return fail(c, "duplicate descriptors");
	/* Belt and braces: whatever else is open and not close-on-exec by mistake. */
	if (syscall(SYS_close_range, c->what->nfds, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */) < 0)
		return fail(c, "close descriptors");
	return true;
}

static bool set_limits(struct child *c)
{
	const struct rlimit none = {0, 0};
	struct rlimit space = {c->what->address_space, c->what->address_space};
	cpu_set_t cpus;

	if (c->what->cpu >= 0) {
		CPU_ZERO(&cpus);
		CPU_SET(c->what->cpu, &cpus);
		if (sched_setaffinity(0, sizeof(cpus), &cpus) < 0)
			return fail(c, "pin it to its cpu");
	}
	if (setrlimit(RLIMIT_CORE, &none) < 0)
		return fail(c, "set its limits");
	if (c->what->address_space > 0 && setrlimit(RLIMIT_AS, &space) < 0)
		return fail(c, "set its limits");
	return true;
}

static bool drop_uid(struct child *c)
{
	uid_t uid = c->what->uid;

	if (uid > 0 &&
	    (syscall(SYS_setgroups, 0, NULL) < 0 || syscall(SYS_setresgid, uid, uid, uid) < 0 ||
	     syscall(SYS_setresuid, uid, uid, uid) < 0))
		return fail(c, "change its uid");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fail(c, "forbid new privileges");
	return true;
}

static void default_signals(void)
{
	sigset_t none;

	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int child_main(void *arg)
{
	static char *const environment[] = {NULL};
	struct child *c = (struct child *)arg;
	int program;

	if (write_note(c) && join_namespaces(c) && place_fds(c, &program) && set_limits(c) &&
	    drop_uid(c)) {
		default_signals();
		syscall(SYS_execveat, program, "", c->what->argv, environment, AT_EMPTY_PATH);
		fail(c, "execute it");
	}
	_exit(127);
}

int spawn(const struct spawn *what, pid_t *pid, int *pidfd, const char **step)
{
	static char stack[STACK_SIZE] __attribute__((aligned(16)));
	struct child child = {.what = what};
	sigset_t all, old;

	if (what->nfds > SPAWN_FDS_MAX)
		return -EINVAL;
#ifdef __SANITIZE_ADDRESS__
	/* The child before never returned: what it left marked as out of scope is used again. */
	ASAN_UNPOISON_MEMORY_REGION(stack, sizeof(stack));
#endif
	/* A handler of ours must not run in the child, on our memory. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	*pid = clone(child_main, stack + STACK_SIZE, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD,
		     &child, pidfd);
	if (*pid < 0) {
		child.error = errno;
		child.step = "make a process";
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	*step = child.step;
	if (child.error == 0)
		return 0;
	if (*pid > 0) {
		waitid(P_PID, (id_t)*pid, &(siginfo_t){0}, WEXITED);
		close(*pidfd);
	}
	return -child.error;
}
