/*
 * What a revoked delegation had goes with everything below it, at once: the file system of a top
 * delegation, else a directory. It waits until no VM and no transfer has any of it.
 */
#include <stdlib.h>
#include <string.h>

#include "job.h"
#include "log.h"
#include "revoke.h"
#include "transfer.h"
#include "volume_dir.h"
#include "volume_requests.h"
#include "volumes.h"

#define RETRY_SECONDS 30 /* longer than a VM that can be ended takes */

struct removal {
	struct job job;
	struct removal *next;
	struct path path; /* what was revoked */
	uint64_t session; /* that revoked it; 0: nobody waits */
	uint32_t id;
	unsigned told;	/* volumes that the session waits for */
	bool under_way; /* with a job */
	bool failed;	/* tried again by RETRY alone */
	struct event *retry;
};

/* In a job's process. */
static int work(const struct job *job, struct refusal *why)
{
	const struct storage *storage = &job->daemon->volumes->storage;
	const struct path *path = &((const struct removal *)job)->path;
	char name[STORAGE_NAME_SIZE], shown[PATH_TEXT_SIZE];
	int error;

	if (path->depth == 1) {
		place_file_name(&path->node[0].label, name);
		return storage_remove(storage, name, why);
	}
	error = place_remove(storage, path);
	path_format(path, 0, shown);
	if (error < 0)
		refusal_say(why, "the volumes of %s cannot be removed: %s", shown,
			    strerror(-error));
	return error;
}

/* PROBLEM: why they are not gone; NULL: they are. */
static void tell(struct removal *removal, const char *problem)
{
	struct session *session = session_find(removal->job.daemon, removal->session);

	while (removal->told > 0) {
		removal->told--;
		if (session == NULL || !push_vm_gone(session, removal->id, problem))
			removal->told = 0;
	}
}

/* They are gone from the disk. */
static void finish(struct daemon *d, struct removal *removal)
{
	struct removal **at = &d->volumes->removals;
	const struct place *place = NULL;

	while ((place = place_next(d, place)) != NULL)
		if (path_within(&place->path, &removal->path))
			volumes_log_destroyed(d, place);
	places_forget(d->volumes, &removal->path);
	tell(removal, NULL);
	while (*at != removal)
		at = &(*at)->next;
	*at = removal->next;
	event_free(removal->retry);
	free(removal);
}

static void try_later(struct removal *removal)
{
	event_add(removal->retry, &(struct timeval){.tv_sec = RETRY_SECONDS});
}

static void done(struct job *job, int result, const char *why)
{
	struct removal *removal = (struct removal *)job;

	if (result == 0) {
		finish(job->daemon, removal);
		return;
	}
	log_error("%s; it is tried again", why);
	removal->under_way = false;
	removal->failed = true;
	tell(removal, "a volume could not be removed yet; vmmd goes on trying");
	try_later(removal);
}

static bool is_free(const struct daemon *d, const struct path *path)
{
	const struct place *place = NULL;

	while ((place = place_next(d, place)) != NULL)
		if (path_within(&place->path, path))
			for (const struct volume *v = place->first; v; v = v->next)
				if (v->transfer || volume_holder(d, v))
					return false;
	return true;
}

static void start(struct removal *removal)
{
	removal->under_way = true;
	event_del(removal->retry);
	job_add(&removal->job);
}

/* Whoever waits is not kept by a VM that does not end. */
static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	struct removal *removal = arg;

	(void)fd;
	(void)what;
	if (is_free(removal->job.daemon, &removal->path)) {
		start(removal);
		return;
	}
	tell(removal, "a volume is in use still; vmmd removes it when it is not");
	try_later(removal);
}

void volumes_released(struct daemon *d)
{
	struct removal *next;

	for (struct removal *r = d->volumes ? d->volumes->removals : NULL; r; r = next) {
		next = r->next;
		/* One that failed has its time. */
		if (!r->under_way && !r->failed && is_free(d, &r->path))
			start(r);
	}
}

/* Of what was revoked at PATH; NULL without memory. */
static struct removal *removal_for(struct daemon *d, const struct path *path)
{
	struct removal *removal;

	for (removal = d->volumes->removals; removal; removal = removal->next)
		if (path_within(path, &removal->path))
			return removal;
	removal = calloc(1, sizeof(*removal));
	if (removal)
		removal->retry = evtimer_new(d->base, on_retry, removal);
	if (removal == NULL || removal->retry == NULL) {
		free(removal);
		return NULL;
	}
	removal->path = *path;
	removal->job = (struct job){
	    .daemon = d, .top = path->node[0].label, .work = work, .done = done};
	removal->next = d->volumes->removals;
	d->volumes->removals = removal;
	try_later(removal);
	return removal;
}

static void revoke(struct daemon *d, struct place *place, const struct path *path,
		   struct session *pusher)
{
	struct removal *removal = removal_for(d, path);

	if (removal == NULL) {
		log_error("no memory to remove revoked volumes; a restart of vmmd does");
		return;
	}
	place->revoked = true;
	for (const struct volume *v = place->first; v && pusher; v = v->next) {
		if (v->state != VOLUME_READY)
			continue;
		removal->session = pusher->number;
		removal->id = pusher->push.id;
		removal->told++;
		push_volume_ends(pusher, &place->path, v->name);
	}
}

void volumes_revoke(struct daemon *d, const struct revocation *list, struct session *pusher)
{
	struct path path;

	if (d->volumes == NULL)
		return;
	for (struct place *place = d->volumes->places; place; place = place->next) {
		if (place->revoked || !revocation_matches(list, &place->path))
			continue;
		path = place->path;
		path.depth = list->scope.depth + 1;
		revoke(d, place, &path, pusher);
	}
	for (struct removal *r = d->volumes->removals; r; r = r->next)
		transfers_revoke(d, &r->path);
	volumes_released(d);
}
