/* A transfer's life. Whatever ends it before its time leaves the volume as it was. */
#include "transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "copier.h"
#include "lifecycle.h"
#include "log.h"
#include "process.h"
#include "spawn.h"
#include "volume_dir.h"
#include "volume_requests.h"
#include "volumes.h"

#define WRITTEN_SECONDS 10 /* for the session to say so, after the end of what it wrote */

static uint64_t size_of(const struct transfer *t)
{
	return (uint64_t)t->volume->size_mb << 20;
}

bool transfer_below(const struct transfer *t, const struct path *path)
{
	return path_within(&t->volume->place->path, path);
}

uint64_t transfers_mb(const struct daemon *d, const struct path *top)
{
	uint64_t sum = 0;

	for (const struct transfer *t = d->volumes->transfers; t; t = t->next)
		if (t->upload && transfer_below(t, top))
			sum += t->volume->size_mb;
	return sum;
}

void transfer_describe(const struct transfer *t, const struct path *scope, char *out, size_t size)
{
	char name[PATH_TEXT_SIZE];

	path_format(&t->by, scope->depth, name);
	snprintf(out, size, "%s%s%s", t->upload ? "an upload" : "a dump",
		 path_within(&t->by, scope) ? " of " : "", path_within(&t->by, scope) ? name : "");
}

static struct session *session_of(const struct transfer *t)
{
	return t->dropped ? NULL : session_find(t->job.daemon, t->session);
}

static void stop_watching(struct transfer *t)
{
	if (t->exited)
		event_free(t->exited);
	if (t->timer)
		event_free(t->timer);
	if (t->pidfd >= 0)
		close(t->pidfd);
	if (t->status_fd >= 0)
		close(t->status_fd);
	t->exited = t->timer = NULL;
	t->pidfd = t->status_fd = -1;
}

/* The volume is everybody's again. */
static void transfer_free(struct transfer *t)
{
	struct daemon *d = t->job.daemon;
	struct transfer **at = &d->volumes->transfers;

	while (*at && *at != t)
		at = &(*at)->next;
	if (*at)
		*at = t->next;
	stop_watching(t);
	t->volume->transfer = NULL;
	free(t);
	volumes_released(d);
}

/* In a job's process. */
static int discard(const struct job *job, struct refusal *why)
{
	const struct volume *volume = ((const struct transfer *)job)->volume;
	int dir = place_open(&job->daemon->volumes->storage, &volume->place->path), error;

	if (dir < 0)
		return 0;
	error = volume_remove(dir, volume->name, true);
	close(dir);
	return error < 0 ? volume_fail(volume, "rid of what was uploaded", error, why) : 0;
}

/* Likewise: what was uploaded is the volume from here on. */
static int commit(const struct job *job, struct refusal *why)
{
	const struct volume *volume = ((const struct transfer *)job)->volume;
	int dir = place_open(&job->daemon->volumes->storage, &volume->place->path);
	int error = dir < 0 ? dir : volume_promote(dir, volume->name, true);

	if (dir >= 0)
		close(dir);
	return error < 0 ? volume_fail(volume, "replaced", error, why) : 0;
}

static void ended(struct job *job, int result, const char *why)
{
	struct transfer *t = (struct transfer *)job;
	struct session *session = session_of(t);

	if (result < 0)
		log_error("%s", why);
	if (session && result < 0)
		session_error(session, t->id, 503, "unavailable",
			      "the volume could not be replaced: %s", disk_problem(result));
	else if (session)
		session_end_reply(session, t->id);
	transfer_free(t);
}

/* Its last job. */
static void end_with(struct transfer *t, int (*work)(const struct job *, struct refusal *))
{
	t->state = TRANSFER_ENDING;
	t->job.work = work;
	t->job.done = ended;
	job_add(&t->job);
}

void transfer_commit(struct transfer *t)
{
	end_with(t, commit);
}

void transfer_give_up(struct transfer *t, uint32_t status, const char *word, const char *why)
{
	session_error(session_of(t), t->id, status, word, "%s", why);
	t->dropped = true;
	stop_watching(t);
	if (t->upload)
		end_with(t, discard);
	else
		transfer_free(t);
}

/* What the copier says, as a copier that hostile bytes went through. */
static void read_status(const struct transfer *t, char *line, size_t size)
{
	ssize_t n = read(t->status_fd, line, size - 1);
	size_t len = n > 0 ? (size_t)n : 0;

	for (size_t i = 0; i < len; i++) {
		if (line[i] == '\n')
			len = i;
		else if (line[i] < ' ' || line[i] > '~')
			line[i] = '?';
	}
	line[len] = 0;
}

/* An upload that ended in another way than it should. */
static void copy_failed(struct transfer *t, enum vm_end end, uint32_t value)
{
	char line[DETAIL_SIZE / 2], why[DETAIL_SIZE];

	read_status(t, line, sizeof(line));
	if (end == END_EXIT && value == COPIER_TOO_MUCH) {
		snprintf(why, sizeof(why), "the volume holds %u MB, and more came",
			 t->volume->size_mb);
		transfer_give_up(t, 413, "too-large", why);
		return;
	}
	if (end == END_EXIT && value == COPIER_FAILED && line[0])
		snprintf(why, sizeof(why), "%s; the volume is as it was", line);
	else if (end == END_EXIT && value == COPIER_SILENT)
		snprintf(why, sizeof(why), "nothing came for %d s; the volume is as it was",
			 COPIER_PATIENCE_MS / 1000);
	else
		snprintf(why, sizeof(why), "vmm_volume ended with %s %u; the volume is as it was",
			 end == END_EXIT ? "exit" : "signal", value);
	if (end != END_EXIT || value == COPIER_FAILED)
		log_error("upload to volume %s: %s", t->volume->name, why);
	transfer_give_up(t, 503, "unavailable", why);
}

/*
 * An end that came too early is all that whoever reads a dump can see of it; the reply only says
 * that the volume is free again.
 */
static void dump_ended(struct transfer *t, enum vm_end end, uint32_t value)
{
	char line[DETAIL_SIZE / 2];
	struct session *session;
	uint32_t id;

	read_status(t, line, sizeof(line));
	if (end == END_EXIT && value == COPIER_FAILED)
		log_error("dump of volume %s: %s", t->volume->name, line);
	else if (end != END_EXIT && !t->dropped)
		log_error("dump of volume %s: vmm_volume ended with signal %u", t->volume->name,
			  value);
	session = session_find(t->job.daemon, t->session);
	id = t->id;
	transfer_free(t);
	session_end_reply(session, id);
}

static void on_exited(evutil_socket_t fd, short what, void *arg)
{
	struct transfer *t = arg;
	uint32_t value;
	enum vm_end end = process_end(fd, &value);

	(void)what;
	if (end == END_NONE)
		return;
	event_del(t->exited);
	if (!t->upload) {
		dump_ended(t, end, value);
		return;
	}
	if (t->dropped) {
		transfer_give_up(t, 0, "", "");
		return;
	}
	if (end != END_EXIT || value != COPIER_DONE) {
		copy_failed(t, end, value);
		return;
	}
	t->state = TRANSFER_COPIED;
	if (t->written)
		transfer_commit(t);
	else
		event_add(t->timer, &(struct timeval){.tv_sec = WRITTEN_SECONDS});
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	transfer_give_up(
	    arg, 503, "unavailable",
	    "the upload ended without saying that it was complete; the volume is as it was");
}

static int watch(struct transfer *t)
{
	struct event_base *base = t->job.daemon->base;

	t->exited = event_new(base, t->pidfd, EV_READ | EV_PERSIST, on_exited, t);
	t->timer = evtimer_new(base, on_timer, t);
	return t->exited && t->timer && event_add(t->exited, NULL) == 0 ? 0 : -ENOMEM;
}

/* Starts the copier with FILE, SOCKET and STATUS, all of which stay the caller's. */
static int spawn_copier(struct transfer *t, int file, int socket, int status)
{
	struct daemon *d = t->job.daemon;
	char name[] = "vmm_volume", verb[8], size[24], *argv[] = {name, verb, size, NULL};
	const int fds[COPIER_FDS] = {d->null_fd, d->null_fd, STDERR_FILENO, file, socket, status};
	const struct spawn what = {.program = d->copier_fd,
				   .argv = argv,
				   .fds = fds,
				   .nfds = COPIER_FDS,
				   .namespaces = &d->namespaces,
				   .uid = d->root ? next_uid(d) : 0,
				   .cpu = -1};
	const char *step;
	pid_t pid;
	int error;

	snprintf(verb, sizeof(verb), "%s", t->upload ? "write" : "read");
	snprintf(size, sizeof(size), "%llu", (unsigned long long)size_of(t));
	error = spawn(&what, &pid, &t->pidfd, &step);
	if (error < 0) {
		t->pidfd = -1;
		log_error("vmm_volume: cannot %s: %s", step, strerror(-error));
		return error;
	}
	return watch(t);
}

/* The copier with FILE, and the other end of its socket to the session. */
static int launch(struct transfer *t, int file)
{
	struct msg_reply_data reply = {.id = t->id, .size = size_of(t)};
	int ends[2], status[2], error;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	error = pipe2(status, O_CLOEXEC | O_NONBLOCK) < 0 ? -errno : 0;
	if (error == 0) {
		t->status_fd = status[0];
		error = spawn_copier(t, file, ends[0], status[1]);
		close(status[1]);
	}
	if (error == 0) {
		t->state = TRANSFER_COPYING;
		session_reply(session_of(t), MSG_REPLY_DATA, &reply, &ends[1]);
	}
	close(ends[0]);
	close(ends[1]);
	return error;
}

/* The volume's own file, or what is to take its place. */
static int open_file(const struct transfer *t)
{
	const struct volume *volume = t->volume;
	int dir = place_open(&t->job.daemon->volumes->storage, &volume->place->path), fd;

	if (dir < 0)
		return dir;
	fd = volume_open(dir, volume->name, t->upload, t->upload ? O_WRONLY : O_RDONLY,
			 volume->size_mb);
	close(dir);
	return fd;
}

void transfer_start(struct transfer *t)
{
	int file = open_file(t), error = file < 0 ? file : launch(t, file);
	char why[DETAIL_SIZE];

	if (file >= 0)
		close(file);
	if (error == 0)
		return;
	snprintf(why, sizeof(why), "the host could not start a copy: %s", strerror(-error));
	log_error("volume %s: %s", t->volume->name, why);
	if (t->pidfd >= 0) {
		process_signal(t->pidfd, SIGKILL);
		process_wait(t->pidfd);
	}
	transfer_give_up(t, 503, "unavailable", why);
}

/* From here on it is nobody's: what it holds goes as soon as it can. */
static void drop(struct transfer *t)
{
	t->dropped = true;
	if (t->state == TRANSFER_COPYING)
		process_signal(t->pidfd, SIGKILL);
	else if (t->state == TRANSFER_COPIED)
		transfer_give_up(t, 0, "", "");
}

void volumes_session_gone(struct session *session)
{
	struct volumes *all = session->daemon->volumes;
	struct transfer *next;

	for (struct transfer *t = all ? all->transfers : NULL; t; t = next) {
		next = t->next;
		if (t->session == session->number)
			drop(t);
	}
}

void transfers_revoke(struct daemon *d, const struct path *path)
{
	struct transfer *next;

	for (struct transfer *t = d->volumes->transfers; t; t = next) {
		next = t->next;
		if (!transfer_below(t, path))
			continue;
		/* Who reads a dump sees that it ends; who uploads may be above, and there still. */
		if (t->upload)
			session_error(session_of(t), t->id, 404, "not-found",
				      "the volume's delegation was revoked");
		drop(t);
	}
}

void transfers_end(struct daemon *d)
{
	for (struct transfer *t = d->volumes->transfers; t; t = t->next) {
		if (t->state != TRANSFER_COPYING)
			continue;
		process_signal(t->pidfd, SIGKILL);
		process_wait(t->pidfd);
	}
}
