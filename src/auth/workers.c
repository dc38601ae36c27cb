/*
 * A list of workers and the processes that judge their chains, so many at once and no more. Two
 * lanes: a large chain never keeps a small one waiting. Looks at no byte of a chain.
 */
#include "workers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"

static struct incoming in;

void workers_init(struct workers *all)
{
	all->first = NULL;
	all->end = &all->first;
	all->count = 0;
}

bool workers_full(const struct workers *all)
{
	return all->count >= all->limit;
}

static void stop_listening(struct worker *worker)
{
	if (worker->readable)
		event_free(worker->readable);
	worker->readable = NULL;
	channel_close(&worker->channel);
}

static void close_chain(struct worker *worker)
{
	if (worker->socket >= 0)
		close(worker->socket);
	if (worker->memfd >= 0)
		close(worker->memfd);
	worker->socket = worker->memfd = -1;
}

static void worker_free(struct workers *all, struct worker *worker)
{
	struct worker **at = &all->first;
	bool was_full = workers_full(all);

	while (*at != worker)
		at = &(*at)->next;
	*at = worker->next;
	if (all->end == &worker->next)
		all->end = at;
	all->count--;
	stop_listening(worker);
	close_chain(worker);
	free(worker);
	if (was_full)
		all->room(all->arg);
}

static void worker_start(struct workers *all, struct worker *worker)
{
	all->before(all->arg);
	pid_t pid = fork();

	if (pid == 0)
		all->judge(all->arg, worker->peer, worker->socket, worker->memfd);
	if (pid < 0) {
		log_error("cannot fork for %s: %s", worker->peer, strerror(errno));
		worker_free(all, worker);
		return;
	}
	close_chain(worker);
	worker->state = WORKER_JUDGED;
	worker->pid = pid;
	all->running[worker->large]++;
}

static void start_queued(struct workers *all)
{
	static const unsigned most[] = {SMALL_PROCESSES, LARGE_PROCESSES};
	struct worker *next;

	for (struct worker *worker = all->first; worker; worker = next) {
		next = worker->next;
		if (worker->state == WORKER_QUEUED &&
		    all->running[worker->large] < most[worker->large])
			worker_start(all, worker);
	}
}

static void chain_arrived(struct worker *worker)
{
	struct stat stat;

	worker->socket = channel_take(&in, 0);
	worker->memfd = channel_take(&in, 1);
	/* Not a memfd, or one without a size: its process will say so. */
	worker->large = fstat(worker->memfd, &stat) == 0 && stat.st_size > SMALL_CHAIN;
	worker->state = WORKER_QUEUED;
	stop_listening(worker); /* one chain, and no more */
	start_queued(worker->all);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct worker *worker = arg;

	(void)fd;
	(void)what;
	switch (channel_recv(&worker->channel, &in)) {
	case CHANNEL_MESSAGE:
		chain_arrived(worker);
		return;
	case CHANNEL_AGAIN:
		return;
	case CHANNEL_BAD:
		log_warning("worker of %s sent %s", worker->peer, in.problem);
		break;
	case CHANNEL_EOF:
		break;
	}
	worker_free(worker->all, worker);
}

void workers_add(struct workers *all, const char *peer, int fd)
{
	struct worker *worker = calloc(1, sizeof(*worker));

	if (!worker) {
		close(fd);
		return;
	}
	worker->all = all;
	worker->socket = worker->memfd = -1;
	(void)snprintf(worker->peer, sizeof(worker->peer), "%s", peer);
	channel_init(&worker->channel, fd, LINK_CHAIN, SIDE_UPPER);
	*all->end = worker;
	all->end = &worker->next;
	all->count++;
	worker->readable = event_new(all->base, fd, EV_READ | EV_PERSIST, on_readable, worker);
	if (!worker->readable || event_add(worker->readable, NULL) < 0)
		worker_free(all, worker);
}

static struct worker *worker_of(const struct workers *all, pid_t pid)
{
	struct worker *worker = all->first;

	while (worker && (worker->state != WORKER_JUDGED || worker->pid != pid))
		worker = worker->next;
	return worker;
}

bool workers_ended(struct workers *all, pid_t pid, int status)
{
	struct worker *worker = worker_of(all, pid);

	if (!worker)
		return false;
	if (WIFSIGNALED(status))
		log_error("the process for %s ended with signal %d", worker->peer,
			  WTERMSIG(status));
	all->running[worker->large]--;
	worker_free(all, worker);
	start_queued(all);
	return true;
}
