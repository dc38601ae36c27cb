/* One tool at a time: what it writes goes to memory, so that nothing has to be read meanwhile. */
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spawn.h"

enum { INPUT, OUTPUT, ERRORS, STREAMS };

static int find(const char *name)
{
	static const char *const folders[] = {"/usr/sbin", "/sbin", "/usr/local/sbin"};
	char path[128];
	int fd = -1;

	for (size_t i = 0; fd < 0 && i < sizeof(folders) / sizeof(folders[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folders[i], name);
		fd = open(path, O_PATH | O_CLOEXEC);
	}
	return fd;
}

static bool open_streams(int *streams)
{
	streams[INPUT] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	streams[OUTPUT] = memfd_create("output", MFD_CLOEXEC);
	streams[ERRORS] = memfd_create("errors", MFD_CLOEXEC);
	return streams[INPUT] >= 0 && streams[OUTPUT] >= 0 && streams[ERRORS] >= 0;
}

static void close_streams(const int *streams)
{
	for (int i = 0; i < STREAMS; i++)
		if (streams[i] >= 0)
			close(streams[i]);
}

static char *written(int fd)
{
	struct stat st;
	char *text = fstat(fd, &st) < 0 ? NULL : malloc((size_t)st.st_size + 1);
	ssize_t n = text ? pread(fd, text, (size_t)st.st_size, 0) : -1;

	if (n < 0) {
		free(text);
		return NULL;
	}
	text[n] = 0;
	return text;
}

static int failed(const char *const *argv, const siginfo_t *end, int errors, struct refusal *why)
{
	char *text = written(errors);

	if (text)
		text[strcspn(text, "\n")] = 0;
	if (text && *text)
		refusal_say(why, "%s %s: %s", argv[0], argv[1], text);
	else
		refusal_say(why, "%s %s ended with %s %d", argv[0], argv[1],
			    end->si_code == CLD_EXITED ? "exit" : "signal", end->si_status);
	free(text);
	return -EIO;
}

static int start_and_wait(int program, const char *const *argv, const int *streams, siginfo_t *end,
			  struct refusal *why)
{
	/* exec's argument vector is of strings that could be changed; they are not. */
	char *words[TOOL_ARGS] = {NULL};
	struct spawn what = {
	    .program = program, .argv = words, .nfds = STREAMS, .fds = streams, .cpu = -1};
	const char *step;
	pid_t pid;
	int pidfd, error;

	for (size_t i = 0; i + 1 < TOOL_ARGS && argv[i]; i++)
		memcpy(&words[i], &argv[i], sizeof(words[i]));
	error = spawn(&what, &pid, &pidfd, &step);
	if (error) {
		refusal_say(why, "%s cannot %s: %s", argv[0], step, strerror(-error));
		return error;
	}
	while (waitid(P_PIDFD, (id_t)pidfd, end, WEXITED) < 0 && error == 0)
		if (errno != EINTR)
			error = -errno;
	close(pidfd);
	if (error)
		refusal_say(why, "%s cannot be waited for: %s", argv[0], strerror(-error));
	return error;
}

int tool_run(const char *const *argv, char **output, struct refusal *why)
{
	int program = find(argv[0]), streams[STREAMS], error;
	siginfo_t end = {0};

	if (program < 0) {
		refusal_say(why, "%s is in none of /usr/sbin, /sbin and /usr/local/sbin", argv[0]);
		return -ENOENT;
	}
	if (open_streams(streams)) {
		error = start_and_wait(program, argv, streams, &end, why);
	} else {
		error = -errno;
		refusal_say(why, "%s has nowhere to write to: %s", argv[0], strerror(-error));
	}
	if (error == 0 && (end.si_code != CLD_EXITED || end.si_status != 0))
		error = failed(argv, &end, streams[ERRORS], why);
	if (error == 0 && output && (*output = written(streams[OUTPUT])) == NULL) {
		error = -ENOMEM;
		refusal_say(why, "no memory for what %s says", argv[0]);
	}
	close(program);
	close_streams(streams);
	return error;
}
