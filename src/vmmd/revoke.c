/* Applies revocation lists: to the tree of labels, to VMs, volumes and sessions, in this order. */
#include "revoke.h"

#include <stdio.h>
#include <string.h>

#include "authority.h"
#include "eventlog.h"
#include "lifecycle.h"
#include "roles.h"
#include "volumes.h"

void session_revoke(struct session *session, const union message_body *body)
{
	const struct msg_revocation_push msg = {.session = session->number, .id = body->id.id};

	if (session->push.state != PUSH_NONE) {
		session_error(session, msg.id, 409, "running",
			      "this certificate's list is being applied");
		return;
	}
	if (roles_push_list(session->daemon, &msg, session->image_fd) < 0) {
		session_error(session, msg.id, 503, "unavailable",
			      "vmm_auth is being started again: try once more");
		return;
	}
	session->push = (struct push){.state = PUSH_SENT, .id = msg.id};
}

/* The session whose push vmm_auth answers; NULL: it is gone, or there was none. */
static struct session *find_pusher(struct daemon *d, uint64_t number, uint32_t id)
{
	struct session *session = number ? session_find(d, number) : NULL;

	if (session && session->push.state == PUSH_SENT && session->push.id == id)
		return session;
	return NULL;
}

void revocation_refused(struct daemon *d, const struct msg_revocation_refused *msg)
{
	struct session *pusher = find_pusher(d, msg->session, msg->id);

	if (pusher == NULL)
		return;
	pusher->push.state = PUSH_NONE;
	session_error(pusher, msg->id, msg->status, msg->word, "%s", msg->detail);
}

void revocation_lost(struct daemon *d)
{
	for (struct session *s = d->sessions; s; s = s->next) {
		if (s->push.state != PUSH_SENT)
			continue;
		s->push.state = PUSH_NONE;
		session_error(
		    s, s->push.id, 503, "unavailable",
		    "vmm_auth ended before it answered: the list counts if it was stored");
	}
}

/* VOLUME is its name in the delegation at PATH, PEER a session's; else empty. */
static void reply_ended(struct session *pusher, enum ended_kind kind, const struct path *path,
			const char *volume, const char *peer)
{
	static struct msg_reply_ended row;
	unsigned skip;
	size_t n;

	if (pusher == NULL)
		return;
	skip = pusher->scope.depth;
	memset(&row, 0, sizeof(row));
	row.id = pusher->push.id;
	row.kind = kind;
	path_format(path, skip, row.path);
	n = strlen(row.path);
	snprintf(row.path + n, sizeof(row.path) - n, "%s%s", *volume ? "/" : "", volume);
	vm_label_path(pusher->daemon, path, skip, row.label);
	snprintf(row.peer, sizeof(row.peer), "%s", peer);
	session_reply(pusher, MSG_REPLY_ENDED, &row, NULL);
}

static void log_revoked(struct daemon *d, const struct path *path, const struct path *by,
			uint64_t number)
{
	struct log_entry entry = {
	    .type = ENTRY_REVOKED, .path = *path, .by = *by, .number = number};

	eventlog_add(d, &entry);
}

/* Forgets what LIST takes back; how many nodes were known. */
static unsigned forget_nodes(struct daemon *d, const struct revocation *list, uint64_t number)
{
	const struct tree_node *scope = tree_find(&d->tree, &list->scope), *next;
	struct path path = list->scope;
	unsigned n = 0;

	if (path.depth == PATH_DEPTH_MAX)
		return 0;
	path.depth++;
	for (const struct tree_node *node = scope ? scope->children : NULL; node; node = next) {
		next = node->next;
		path.node[path.depth - 1] = node->node;
		if (!revocation_matches(list, &path))
			continue;
		log_revoked(d, &path, &list->scope, number);
		tree_remove(&d->tree, &path);
		n++;
	}
	return n;
}

static void end_vms(struct daemon *d, const struct revocation *list, struct session *pusher)
{
	for (struct vm *vm = d->vms; vm; vm = vm->next) {
		/* One that is to take its place goes with it. */
		if (!vm_is_live(vm) || !vm_is_shown(vm) || !revocation_matches(list, &vm->path))
			continue;
		reply_ended(pusher, ENDED_VM, &vm->path, "", "");
		if (pusher)
			pusher->push.left++;
		vm_stop(vm, CAUSE_REVOKED, &list->scope, pusher, pusher ? pusher->push.id : 0);
	}
}

/*
 * A session that shook hands is told why and closed; one that has not yet will be answered so. The
 * pusher's own is answered first.
 */
static void end_session(struct session *session, const struct revocation *list,
			const struct path *path, struct session *pusher)
{
	char why[DETAIL_SIZE];

	revocation_say(list, path, why, sizeof(why));
	if (session->logged_in)
		reply_ended(pusher, ENDED_SESSION, path, "", session->peer);
	authority_refuse(session, 403, "revoked", "%s", why);
	if (session == pusher)
		pusher->push.close = true;
	else if (session->channel.state == STATE_READY)
		session_close(session, why);
}

static void end_sessions(struct daemon *d, const struct revocation *list, struct session *pusher)
{
	struct session *next;
	struct path path;

	for (struct session *session = d->sessions; session; session = next) {
		next = session->next;
		request_path(&session->request, &path);
		if (revocation_matches(list, &path))
			end_session(session, list, &path, pusher);
	}
}

/* Every VM and volume is gone, or will not go. */
static void finish(struct session *pusher)
{
	struct push push = pusher->push;

	pusher->push.state = PUSH_NONE;
	if (push.problem[0])
		session_error(pusher, push.id, 503, "unavailable", "%s", push.problem);
	else
		session_end_reply(pusher, push.id);
	if (push.close)
		session_close_answered(pusher, pusher->refused.detail);
}

void push_volume_ends(struct session *pusher, const struct path *owner, const char *name)
{
	reply_ended(pusher, ENDED_VOLUME, owner, name, "");
	if (pusher)
		pusher->push.left++;
}

bool push_vm_gone(struct session *session, uint32_t id, const char *problem)
{
	struct push *push = &session->push;

	if (push->state != PUSH_ENDING || push->id != id)
		return false;
	if (problem)
		snprintf(push->problem, sizeof(push->problem), "%s", problem);
	if (--push->left == 0)
		finish(session);
	return true;
}

const char *revocation_list(struct daemon *d, struct incoming *in)
{
	const struct msg_revocation_list *msg = &in->body.revocation_list;
	struct session *pusher = find_pusher(d, msg->session, msg->id);
	const char *problem;
	struct revocation *list = revocation_map(in->fd[0], msg->count, &msg->scope, &problem);

	if (list == NULL)
		return problem;
	/* One of ours counts itself, so that no VM that ends at once is the last too early. */
	if (pusher) {
		pusher->push.state = PUSH_ENDING;
		pusher->push.left = 1;
	}
	if (forget_nodes(d, list, msg->number) == 0 && msg->session)
		log_revoked(d, &msg->scope, &msg->scope, msg->number);
	end_vms(d, list, pusher);
	volumes_revoke(d, list, pusher);
	end_sessions(d, list, pusher);
	revocations_keep(&d->revocations, list, msg->generation, now_us());
	if (pusher)
		push_vm_gone(pusher, msg->id, NULL);
	return NULL;
}
