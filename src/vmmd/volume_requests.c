/* Listing, making and destroying volumes: what can refuse comes first, then the list, then disks.
 */
#include "volume_requests.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "eventlog.h"
#include "job.h"
#include "log.h"
#include "lookup.h"
#include "quota.h"
#include "transfer.h"
#include "volume_dir.h"
#include "volumes.h"

/* A volume that is made or removed, for whom. */
struct change {
	struct job job;
	struct volume *volume;
	uint64_t session;
	uint32_t id;
};

const char *disk_problem(int error)
{
	if (error == -ENOSPC || error == -EDQUOT)
		return "the disk is full";
	return strerror(-error);
}

/* MB of the files of PATH's top delegation: as granted, and what is uploaded beside that. */
static uint64_t limit_mb(const struct daemon *d, const struct path *path)
{
	struct path top = {.depth = 1};
	const struct policy *policy;
	uint64_t mb, used;

	top.node[0] = path->node[0];
	policy = tree_policy(&d->tree, &top);
	used = volumes_used_mb(d, &top);
	/* What is there is there, even where a newer certificate grants less. */
	mb = policy && policy->block_mb > used ? policy->block_mb : used;
	return mb + transfers_mb(d, &top);
}

/* The directory of the delegation at PATH, within what is granted now; or -errno with WHY. */
static int make_room(const struct daemon *d, const struct path *path, struct refusal *why)
{
	const struct storage *storage = &d->volumes->storage;
	uint64_t limit = limit_mb(d, path);
	char name[STORAGE_NAME_SIZE], shown[PATH_TEXT_SIZE];
	int error;

	place_file_name(&path->node[0].label, name);
	error = storage_make(storage, name, limit, why);
	if (error < 0)
		return error;
	error = place_make(storage, path);
	if (error < 0) {
		path_format(path, 0, shown);
		refusal_say(why, "the directory of %s cannot be made: %s", shown, strerror(-error));
	}
	return error;
}

int volume_fail(const struct volume *volume, const char *what, int error, struct refusal *why)
{
	char owner[PATH_TEXT_SIZE];

	path_format(&volume->place->path, 0, owner);
	refusal_say(why, "volume %s/%s cannot be %s: %s", owner, volume->name, what,
		    strerror(-error));
	return error;
}

int volume_begin(const struct daemon *d, const struct volume *volume, struct refusal *why)
{
	int dir = make_room(d, &volume->place->path, why), error;

	if (dir < 0)
		return dir;
	error = volume_make_part(dir, volume->name, volume->size_mb);
	if (error == 0)
		return dir;
	close(dir);
	return volume_fail(volume, "made", error, why);
}

/* The delegation in TEXT, into OWNER, and *NAME, what follows. */
static enum lookup_result look_up(const struct session *session, const char *text,
				  struct path *owner, const char **name, char labels[LABELS_SIZE])
{
	char above[PATH_TEXT_SIZE];
	const char *slash = strrchr(text, '/');

	*name = slash ? slash + 1 : text;
	snprintf(above, sizeof(above), "%.*s", slash ? (int)(slash - text) : 0, text);
	return lookup_delegation(session->daemon, &session->scope, above, owner, labels,
				 LABELS_SIZE);
}

/* NULL where there is none for anybody who asks. */
static struct volume *find_ready(const struct session *session, const struct path *owner,
				 const char *name)
{
	struct volume *volume = volume_find(session->daemon->volumes, owner, name);

	/* A job that removes all of a place may be under way. */
	return volume && volume->state == VOLUME_READY && !volume->place->revoked ? volume : NULL;
}

struct volume *volume_asked(struct session *session, uint32_t id, const char *text)
{
	char labels[LABELS_SIZE];
	struct path owner;
	const char *name;
	enum lookup_result found = look_up(session, text, &owner, &name, labels);
	struct volume *volume = NULL;

	if (found == LOOKUP_ONE && (volume = find_ready(session, &owner, name)) == NULL)
		found = LOOKUP_NONE;
	session_found(session, id, found, text, labels);
	return volume;
}

bool volume_is_idle(struct session *session, uint32_t id, const struct volume *volume)
{
	const struct vm *vm = volume_holder(session->daemon, volume);
	char who[PATH_TEXT_SIZE];

	if (vm)
		path_format(&vm->path, session->scope.depth, who);
	else if (volume->transfer)
		transfer_describe(volume->transfer, &session->scope, who, sizeof(who));
	else
		return true;
	session_error(session, id, 409, "in-use", "%.64s is in use by %.400s", volume->name, who);
	return false;
}

/* A row of VOLUME_LIST; DIR is its place's directory, -1 where that cannot be opened. */
static void reply_volume(struct session *session, uint32_t id, const struct volume *volume, int dir)
{
	static struct msg_reply_volume row;
	const struct vm *vm = volume_holder(session->daemon, volume);
	const struct path *owner = &volume->place->path;
	unsigned skip = session->scope.depth;

	memset(&row, 0, sizeof(row));
	row.id = id;
	volume_path(volume, skip, row.path);
	vm_label_path(session->daemon, owner, skip, row.label);
	row.size_mb = volume->size_mb;
	row.allocated = dir < 0 ? 0 : volume_allocated(dir, volume->name);
	if (vm)
		path_format(&vm->path, skip, row.holder);
	session_reply(session, MSG_REPLY_VOLUME, &row, NULL);
}

/* ONLY: that one; NULL: all of PLACE. */
static void reply_place(struct session *session, uint32_t id, const struct place *place,
			const struct volume *only)
{
	int dir = place_open(&session->daemon->volumes->storage, &place->path);

	for (const struct volume *v = place->first; v; v = v->next)
		if (v->state == VOLUME_READY && (only == NULL || v == only))
			reply_volume(session, id, v, dir);
	if (dir >= 0)
		close(dir);
}

/* Those of the delegation that TEXT names, and below; false: the session was answered. */
static bool reply_below(struct session *session, uint32_t id, const char *text)
{
	const struct daemon *d = session->daemon;
	const struct place *place = NULL;
	char labels[LABELS_SIZE];
	struct path path;

	if (!session_found(
		session, id,
		lookup_delegation(d, &session->scope, text, &path, labels, sizeof(labels)), text,
		labels))
		return false;
	while ((place = place_next(d, place)) != NULL)
		if (path_within(&place->path, &path))
			reply_place(session, id, place, NULL);
	return true;
}

void session_volume_list(struct session *session, const union message_body *body)
{
	uint32_t id = body->vm_path.id;
	const char *text = body->vm_path.path, *name;
	const struct volume *one = NULL;
	char labels[LABELS_SIZE];
	struct path owner;

	if (look_up(session, text, &owner, &name, labels) == LOOKUP_ONE)
		one = find_ready(session, &owner, name);
	if (one)
		reply_place(session, id, one->place, one);
	if (one || reply_below(session, id, text))
		session_end_reply(session, id);
}

static void log_volume(struct daemon *d, enum entry_type type, const struct volume *volume)
{
	struct log_entry entry = {.type = type, .path = volume->place->path};

	snprintf(entry.volume, sizeof(entry.volume), "%s", volume->name);
	entry.number = type == ENTRY_BLOCK_CREATE ? volume->size_mb : 0;
	eventlog_add(d, &entry);
}

void volumes_log_destroyed(struct daemon *d, const struct place *place)
{
	for (const struct volume *v = place->first; v; v = v->next)
		log_volume(d, ENTRY_BLOCK_DESTROY, v);
}

static bool begin(struct session *session, uint32_t id, struct volume *volume,
		  int (*work)(const struct job *, struct refusal *),
		  void (*done)(struct job *, int, const char *))
{
	struct change *change = calloc(1, sizeof(*change));

	if (change == NULL) {
		session_error(session, id, 503, "unavailable", "the host is out of memory");
		return false;
	}
	*change = (struct change){
	    .volume = volume, .session = session->number, .id = id, .job = {.work = work}};
	change->job.daemon = session->daemon;
	change->job.done = done;
	change->job.top = volume->place->path.node[0].label;
	job_add(&change->job);
	return true;
}

/* In the job's process. */
static int make(const struct job *job, struct refusal *why)
{
	const struct volume *volume = ((const struct change *)job)->volume;
	int dir = volume_begin(job->daemon, volume, why), error;

	if (dir < 0)
		return dir;
	error = volume_promote(dir, volume->name, false);
	if (error < 0)
		volume_remove(dir, volume->name, true);
	close(dir);
	return error < 0 ? volume_fail(volume, "made", error, why) : 0;
}

static void made(struct job *job, int result, const char *why)
{
	struct change *change = (struct change *)job;
	struct daemon *d = job->daemon;
	struct session *session = session_find(d, change->session);

	if (result < 0) {
		log_error("%s", why);
		session_error(session, change->id, 503, "unavailable",
			      "the volume could not be made: %s", disk_problem(result));
		volume_forget(d->volumes, change->volume);
	} else {
		change->volume->state = VOLUME_READY;
		log_volume(d, ENTRY_BLOCK_CREATE, change->volume);
		if (session)
			reply_place(session, change->id, change->volume->place, change->volume);
		session_end_reply(session, change->id);
	}
	free(change);
}

/* Whatever refuses a volume NAME of OWNER without anything being made. */
static bool may_make(struct session *session, const struct msg_volume_create *ask,
		     const struct path *owner, const char *name)
{
	struct volumes *all = session->daemon->volumes;
	const char *problem = volume_name_problem(name, strlen(name));
	struct refusal why;

	if (owner->depth == 0)
		session_error(session, ask->id, 400, "bad-request",
			      "a volume belongs to a delegation: write DELEGATION/%.64s", name);
	else if (problem)
		session_error(session, ask->id, 400, "bad-request", "the name of a volume %s",
			      problem);
	else if (ask->size_mb == 0)
		session_error(session, ask->id, 400, "bad-request", "a volume has 1 MB at least");
	else if (volume_find(all, owner, name))
		session_error(session, ask->id, 409, "exists", "there is a volume %.64s already",
			      name);
	else if (volumes_count(all, owner) >= VOLUMES_MAX)
		session_error(session, ask->id, 409, "quota",
			      "%s has no room for another volume: %d are the most",
			      owner->node[0].name, VOLUMES_MAX);
	else if (!quota_check_volume(session->daemon, &session->request, owner, ask->size_mb, &why))
		session_error(session, ask->id, 409, "quota", "%s", why.text);
	else
		return true;
	return false;
}

void session_volume_create(struct session *session, const union message_body *body)
{
	const struct msg_volume_create *ask = &body->volume_create;
	struct volumes *all = session->daemon->volumes;
	char labels[LABELS_SIZE];
	struct volume *volume;
	struct path owner;
	const char *name;

	if (!session_found(session, ask->id, look_up(session, ask->path, &owner, &name, labels),
			   ask->path, labels) ||
	    !may_make(session, ask, &owner, name))
		return;
	volume = volume_new(all, &owner, name, ask->size_mb);
	if (volume == NULL)
		session_error(session, ask->id, 503, "unavailable", "the host is out of memory");
	else if (!begin(session, ask->id, volume, make, made))
		volume_forget(all, volume);
}

static int destroy(const struct job *job, struct refusal *why)
{
	const struct volume *volume = ((const struct change *)job)->volume;
	const struct storage *storage = &job->daemon->volumes->storage;
	int dir = place_open(storage, &volume->place->path), error;

	error = dir < 0 ? dir : volume_remove(dir, volume->name, false);
	if (dir >= 0)
		close(dir);
	if (error < 0 && error != -ENOENT)
		return volume_fail(volume, "removed", error, why);
	place_prune(storage, &volume->place->path);
	return 0;
}

static void destroyed(struct job *job, int result, const char *why)
{
	struct change *change = (struct change *)job;
	struct session *session = session_find(job->daemon, change->session);

	if (result < 0) {
		log_error("%s", why);
		change->volume->state = VOLUME_READY;
		session_error(session, change->id, 503, "unavailable",
			      "the volume could not be removed: %s", disk_problem(result));
	} else {
		log_volume(job->daemon, ENTRY_BLOCK_DESTROY, change->volume);
		volume_forget(job->daemon->volumes, change->volume);
		session_end_reply(session, change->id);
	}
	free(change);
}

void session_volume_destroy(struct session *session, const union message_body *body)
{
	uint32_t id = body->vm_path.id;
	struct volume *volume = volume_asked(session, id, body->vm_path.path);

	if (volume == NULL || !volume_is_idle(session, id, volume))
		return;
	volume->state = VOLUME_REMOVING;
	if (!begin(session, id, volume, destroy, destroyed))
		volume->state = VOLUME_READY;
}
