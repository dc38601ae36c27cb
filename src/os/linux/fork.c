/* fork, of which nothing of the parent's survives but memory. */
#include "fork.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Whatever the parent serves is not held open by its children. */
static int close_others(const int *keep, unsigned nkeep)
{
	unsigned from = STDERR_FILENO + 1;

	for (unsigned i = 0; i <= nkeep; i++) {
		unsigned end = i < nkeep ? (unsigned)keep[i] : ~0U;

		if (end > from && syscall(SYS_close_range, from, i < nkeep ? end - 1 : end, 0) < 0)
			return -errno;
		if (end >= from)
			from = end + 1;
	}
	return 0;
}

static int become_child(pid_t parent, const int *keep, unsigned nkeep)
{
	static const int handled[] = {SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGCHLD};
	sigset_t none;

	for (unsigned i = 0; i < sizeof(handled) / sizeof(handled[0]); i++)
		signal(handled[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || close_others(keep, nkeep) < 0)
		return -errno;
	/* It may have ended before that. */
	return getppid() == parent ? 1 : -ESRCH;
}

int process_fork(const int *keep, unsigned nkeep, int *pidfd)
{
	pid_t parent = getpid(), pid;
	sigset_t all, old;
	int error = 0;

	/* No handler of the parent's runs in the child. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	pid = fork();
	if (pid == 0) {
		if (become_child(parent, keep, nkeep) < 0)
			_exit(127);
		return 1;
	}
	/* Nobody else reaps it: the pid is still its own. */
	*pidfd = pid < 0 ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);
	if (*pidfd < 0)
		error = -errno;
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (error < 0 && pid > 0) {
		kill(pid, SIGKILL);
		waitid(P_PID, (id_t)pid, &(siginfo_t){0}, WEXITED);
	}
	return error;
}
