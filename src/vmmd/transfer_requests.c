/* Requests for uploads and dumps, until a copier is started. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "log.h"
#include "transfer.h"
#include "volume_requests.h"
#include "volumes.h"

/* In a job's process. */
static int prepare(const struct job *job, struct refusal *why)
{
	int dir = volume_begin(job->daemon, ((const struct transfer *)job)->volume, why);

	if (dir < 0)
		return dir;
	close(dir);
	return 0;
}

static void prepared(struct job *job, int result, const char *why)
{
	struct transfer *t = (struct transfer *)job;
	char problem[DETAIL_SIZE];

	if (result < 0) {
		log_error("%s", why);
		snprintf(problem, sizeof(problem), "the upload cannot begin: %s",
			 disk_problem(result));
		transfer_give_up(t, 503, "unavailable", problem);
	} else if (t->dropped) {
		transfer_give_up(t, 0, "", "");
	} else {
		transfer_start(t);
	}
}

static bool has_room(struct session *session, uint32_t id, const struct volume *volume)
{
	struct path top = {.depth = 1};
	unsigned n = 0;

	top.node[0] = volume->place->path.node[0];
	for (struct transfer *t = session->daemon->volumes->transfers; t; t = t->next)
		n += transfer_below(t, &top);
	if (n < TRANSFERS_MAX)
		return true;
	session_error(session, id, 503, "unavailable",
		      "%d uploads and dumps are under way: try again when one is done",
		      TRANSFERS_MAX);
	return false;
}

/* A transfer for the volume that TEXT names; NULL: the session was answered. */
static struct transfer *begin(struct session *session, uint32_t id, struct volume *volume,
			      bool upload)
{
	struct daemon *d = session->daemon;
	struct transfer *t;

	if (!volume_is_idle(session, id, volume) || !has_room(session, id, volume))
		return NULL;
	t = calloc(1, sizeof(*t));
	if (t == NULL) {
		session_error(session, id, 503, "unavailable", "the host is out of memory");
		return NULL;
	}
	t->job.daemon = d;
	t->job.top = volume->place->path.node[0].label;
	t->volume = volume;
	t->upload = upload;
	t->session = session->number;
	t->id = id;
	t->pidfd = t->status_fd = -1;
	request_path(&session->request, &t->by);
	volume->transfer = t;
	t->next = d->volumes->transfers;
	d->volumes->transfers = t;
	return t;
}

void session_volume_read(struct session *session, const union message_body *body)
{
	uint32_t id = body->vm_path.id;
	struct volume *volume = volume_asked(session, id, body->vm_path.path);
	struct transfer *t = volume ? begin(session, id, volume, false) : NULL;

	if (t)
		transfer_start(t);
}

void session_volume_write(struct session *session, const union message_body *body)
{
	const struct msg_volume_write *ask = &body->volume_write;
	struct volume *volume = volume_asked(session, ask->id, ask->path);
	struct transfer *t;

	if (volume && ask->size != VOLUME_SIZE_UNKNOWN &&
	    ask->size > (uint64_t)volume->size_mb << 20) {
		session_error(session, ask->id, 413, "too-large",
			      "%.64s holds %u MB, and %llu bytes were announced", volume->name,
			      volume->size_mb, (unsigned long long)ask->size);
		return;
	}
	t = volume ? begin(session, ask->id, volume, true) : NULL;
	if (t == NULL)
		return;
	t->job.work = prepare;
	t->job.done = prepared;
	job_add(&t->job);
}

void session_volume_written(struct session *session, const union message_body *body)
{
	struct transfer *t = session->daemon->volumes->transfers;

	while (t && (t->session != session->number || t->id != body->id.id || !t->upload))
		t = t->next;
	/* One that was given up was answered then. */
	if (t == NULL || t->dropped || t->written)
		return;
	t->written = true;
	if (t->state == TRANSFER_COPIED)
		transfer_commit(t);
}
