/* The answer to WHOAMI: the leaf, and what is granted and used above, at and below its scope. */
#include "lookup.h"
#include "session.h"

#include <string.h>

/* So many delegations below are told; of more, those in the uppermost levels. */
#define LEVELS_BELOW_MAX 1024

struct listing {
	struct session *session;
	uint32_t id;
	unsigned count[PATH_DEPTH_MAX + 1]; /* delegations at each depth */
	uint32_t deepest;		    /* told */
	unsigned left;
};

/* What is granted at PATH, and used where its session may know that. */
static void reply_level(struct session *session, uint32_t id, enum level_relation relation,
			const struct path *path, const struct policy *granted)
{
	static struct msg_reply_level msg;
	unsigned skip = relation == LEVEL_BELOW ? session->scope.depth : 0;
	struct usage used;

	memset(&msg, 0, sizeof(msg));
	msg.id = id;
	msg.relation = relation;
	path_format(path, skip, msg.path);
	vm_label_path(session->daemon, path, skip, msg.label);
	msg.granted = *granted;
	if (relation != LEVEL_ABOVE) {
		used = vm_usage(session->daemon, path);
		msg.used_vms = used.vms;
		msg.used_memory_mb = used.memory_mb;
		msg.used_block_mb = used.block_mb;
	}
	session_reply(session, MSG_REPLY_LEVEL, &msg, NULL);
}

static void reply_chain(struct session *session, uint32_t id)
{
	const struct request *r = &session->request;
	struct daemon *d = session->daemon;
	struct path path = {.depth = 0};

	if (r->depth == 0)
		reply_level(session, id, LEVEL_OWN, &path, &d->host);
	for (uint32_t n = 0; n < r->depth; n++) {
		const struct policy *newest;

		path.node[path.depth++] = r->level[n].node;
		newest = tree_policy(&d->tree, &path);
		reply_level(session, id, n + 1 == r->depth ? LEVEL_OWN : LEVEL_ABOVE, &path,
			    newest ? newest : &r->level[n].policy);
	}
}

static void count_level(void *arg, const struct tree_node *node, const struct path *path)
{
	struct listing *all = arg;

	all->count[path->depth] += node->policy != NULL;
}

static void tell_level(void *arg, const struct tree_node *node, const struct path *path)
{
	struct listing *all = arg;

	if (node->policy == NULL || path->depth > all->deepest || all->left == 0)
		return;
	all->left--;
	reply_level(all->session, all->id, LEVEL_BELOW, path, node->policy);
}

static void reply_below(struct session *session, uint32_t id)
{
	const struct tree_node *scope = tree_find(&session->daemon->tree, &session->scope);
	struct listing all = {.session = session, .id = id, .left = LEVELS_BELOW_MAX};
	struct path path = session->scope;
	unsigned sum = 0;

	if (scope == NULL)
		return;
	tree_walk(scope, &path, count_level, &all);
	all.deepest = session->scope.depth + 1;
	for (uint32_t depth = all.deepest; depth <= PATH_DEPTH_MAX; depth++) {
		sum += all.count[depth];
		if (sum <= LEVELS_BELOW_MAX)
			all.deepest = depth;
	}
	tree_walk(scope, &path, tell_level, &all);
}

void session_whoami(struct session *session, const union message_body *body)
{
	const struct request *r = &session->request;
	struct msg_reply_whoami msg = {.id = body->id.id,
				       .leaf = r->leaf,
				       .kind = r->kind,
				       .permissions = r->permissions,
				       .expires = r->expires};
	struct path path;

	request_path(r, &path);
	vm_label_path(session->daemon, &path, 0, msg.label);
	session_reply(session, MSG_REPLY_WHOAMI, &msg, NULL);
	reply_chain(session, msg.id);
	reply_below(session, msg.id);
	session_end_reply(session, msg.id);
}
