/* See stepping.h. */
#include "stepping.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

void stepping_begin(void)
{
	if (ptrace(PTRACE_TRACEME, 0, 0, 0) < 0)
		_exit(77);
	raise(SIGSTOP);
}

void stepping_through(void (*run)(void *arg), void (*look)(void *arg), void *arg)
{
	int status;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		run(arg);
		_exit(0);
	}
	for (bool stepping = false;;) {
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (!WIFSTOPPED(status))
			break;
		if (WSTOPSIG(status) == SIGSTOP)
			stepping = true;
		if (stepping)
			look(arg);
		assert_int_equal(ptrace(stepping ? PTRACE_SINGLESTEP : PTRACE_CONT, pid, 0, 0), 0);
	}
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}
