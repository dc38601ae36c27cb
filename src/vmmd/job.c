/* Forks, waits, and starts what waited. */
#include "job.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fork.h"
#include "process.h"
#include "volume.h"

/* What a job writes at its end: fits into a pipe at once. */
struct outcome {
	int32_t result;
	struct refusal why;
};

_Noreturn static void run(const struct job *job, int fd)
{
	struct outcome out = {.result = 0};

	out.result = job->work(job, &out.why);
	_exit(write(fd, &out, sizeof(out)) == (ssize_t)sizeof(out) ? 0 : 1);
}

static void finish(struct job *job, int result, const char *why)
{
	struct job **at = &job->daemon->volumes->jobs;

	while (*at && *at != job)
		at = &(*at)->next;
	if (*at)
		*at = job->next;
	if (job->exited)
		event_free(job->exited);
	if (job->pidfd >= 0)
		close(job->pidfd);
	if (job->result_fd >= 0)
		close(job->result_fd);
	job->done(job, result, why);
}

static void start_next(struct daemon *d, const struct label *top);

static void on_exited(evutil_socket_t fd, short what, void *arg)
{
	struct job *job = arg;
	struct daemon *d = job->daemon;
	struct label top = job->top;
	struct outcome out;
	uint32_t value;

	(void)what;
	if (process_end(fd, &value) == END_NONE)
		return;
	if (read(job->result_fd, &out, sizeof(out)) != (ssize_t)sizeof(out)) {
		out.result = -ECHILD;
		snprintf(out.why.text, sizeof(out.why.text), "the process that did it was ended");
	}
	finish(job, out.result, out.why.text);
	start_next(d, &top);
}

static int start(struct job *job)
{
	struct daemon *d = job->daemon;
	int fds[2], keep[2], result;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	keep[0] = fds[1] < d->volumes->storage.fd ? fds[1] : d->volumes->storage.fd;
	keep[1] = fds[1] < d->volumes->storage.fd ? d->volumes->storage.fd : fds[1];
	result = process_fork(keep, 2, &job->pidfd);
	if (result == 1)
		run(job, fds[1]);
	close(fds[1]);
	job->result_fd = fds[0];
	if (result < 0) {
		job->pidfd = -1;
		return result;
	}
	job->exited = event_new(d->base, job->pidfd, EV_READ | EV_PERSIST, on_exited, job);
	if (job->exited && event_add(job->exited, NULL) == 0)
		return 0;
	/* It is killed by the loss of its parent alone: waited for. */
	process_wait(job->pidfd);
	return -ENOMEM;
}

static struct job *next_of(const struct daemon *d, const struct label *top)
{
	for (struct job *job = d->volumes->jobs; job; job = job->next)
		if (label_equal(&job->top, top))
			return job;
	return NULL;
}

/* The first of TOP runs or is started; one that cannot be is done, and makes way for the next. */
static void start_next(struct daemon *d, const struct label *top)
{
	struct job *job;
	int error;

	while ((job = next_of(d, top)) != NULL && job->pidfd < 0) {
		error = start(job);
		if (error == 0)
			return;
		finish(job, error, strerror(-error));
	}
}

void job_add(struct job *job)
{
	struct daemon *d = job->daemon;
	struct job **end = &d->volumes->jobs;
	struct label top = job->top;

	job->next = NULL;
	job->pidfd = job->result_fd = -1;
	job->exited = NULL;
	while (*end)
		end = &(*end)->next;
	*end = job;
	start_next(d, &top);
}

void jobs_end(struct daemon *d)
{
	for (struct job *job = d->volumes->jobs; job; job = job->next)
		if (job->pidfd >= 0)
			process_wait(job->pidfd);
}
