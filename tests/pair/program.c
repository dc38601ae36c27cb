/* See program.h. */
#include "program.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

pid_t program_execute(const char *path, struct channel *lower)
{
	return program_execute_as(path, lower, NULL, NULL);
}

pid_t program_execute_as(const char *path, struct channel *lower, const char *option,
			 void (*before)(void))
{
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		/* dup2 of a descriptor to itself would leave it close-on-exec. */
		int copy = fcntl(lower->fd, F_DUPFD, 10);

		if (copy < 0 || dup2(copy, 3) < 0)
			_exit(99);
		close(copy);
		if (before)
			before();
		execl(path, path, option, (char *)NULL);
		_exit(99);
	}
	channel_close(lower);
	return pid;
}

int program_wait(pid_t pid, struct channel *upper)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	channel_close(upper);
	return status;
}
