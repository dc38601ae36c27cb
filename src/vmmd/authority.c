/* A session's chain against the tree of labels and the revocation lists told lately. */
#include "authority.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bridges.h"
#include "eventlog.h"
#include "log.h"
#include "revocations.h"
#include "tree_file.h"

/* What a VM runs on, or a session, is not forgotten. */
static void mark_living(struct tree *tree, const void *arg)
{
	const struct daemon *d = arg;
	struct path path;

	for (const struct vm *vm = d->vms; vm; vm = vm->next)
		if (vm_is_live(vm))
			tree_mark(tree, &vm->path);
	for (const struct session *s = d->sessions; s; s = s->next) {
		request_path(&s->request, &path);
		tree_mark(tree, &path);
	}
}

void authority_open(struct daemon *d)
{
	int error;

	tree_init(&d->tree, mark_living, d);
	error = tree_file_open(&d->tree, d->run_fd);
	if (error < 0)
		log_error("%s/labels: %s; after a restart of vmmd older certificates would count",
			  d->options->run_dir, strerror(-error));
	for (const struct vm *vm = d->vms; vm; vm = vm->next)
		if (vm_is_live(vm))
			tree_note(&d->tree, &vm->record.request, false);
}

void authority_refuse(struct session *session, uint32_t status, const char *word,
		      const char *format, ...)
{
	struct refused *refused = &session->refused;
	va_list args;

	refused->status = status;
	snprintf(refused->word, sizeof(refused->word), "%s", word);
	va_start(args, format);
	vsnprintf(refused->detail, sizeof(refused->detail), format, args);
	va_end(args);
}

static void check_labels(struct session *session)
{
	struct refusal why;

	if (!tree_is_current(&session->daemon->tree, &session->request, &why))
		authority_refuse(session, 403, "superseded", "%s", why.text);
}

void authority_begin(struct session *session)
{
	struct revocations *lists = &session->daemon->revocations;
	const struct revocation *revoked;
	struct path path;
	char why[DETAIL_SIZE];

	revocations_forget_old(lists, now_us());
	request_path(&session->request, &path);
	revoked = revocations_find(lists, &path);
	if (revoked) {
		revocation_say(revoked, &path, why, sizeof(why));
		authority_refuse(session, 403, "revoked", "%s", why);
	}
	if (session->generation < lists->forgotten && !revoked)
		authority_refuse(session, 503, "unavailable",
				 "revocation lists came while the certificate was looked at: "
				 "connect again");
}

/* What a top delegation may, when it comes for the first time. */
static void log_delegation(struct daemon *d, const struct level *top)
{
	const struct policy *p = &top->policy;
	struct log_entry entry = {.type = ENTRY_DELEGATE, .path = {.depth = 1}};
	char cpus[128];
	int n;

	entry.path.node[0] = top->node;
	cpuset_format(&p->cpus, cpus, sizeof(cpus));
	n = snprintf(entry.detail, sizeof(entry.detail), "%u VMs, %u MB, cpuids %s, block %u MB",
		     p->vms, p->memory_mb, cpus, p->block_mb);
	for (uint32_t i = 0; i < p->nbridges; i++) {
		size_t left = sizeof(entry.detail) - (size_t)n;

		if (left <= BRIDGE_NAME_SIZE + sizeof(", bridge "))
			break;
		n += snprintf(entry.detail + n, left, ", bridge %s", p->bridge[i].name);
	}
	eventlog_add(d, &entry);
}

static void note(struct session *session)
{
	struct daemon *d = session->daemon;
	const struct request *r = &session->request;
	struct path top = {.depth = 1};
	bool first;

	top.node[0] = r->level[0].node;
	first = r->depth > 0 && tree_find(&d->tree, &top) == NULL;
	if (tree_note(&d->tree, r, true) < 0)
		log_error("%s: no memory to remember its certificates", r->leaf.name);
	if (first)
		log_delegation(d, &r->level[0]);
}

void authority_login(struct session *session)
{
	if (!authority_lasts(session))
		return;
	note(session);
	session->logged_in = true;
	if (session->request.depth > 0)
		bridges_login(session->daemon, &session->request.level[0].policy);
	eventlog_session(session, ENTRY_LOGIN, NULL);
}

/* The session's own timer knows nothing of a clock that is set, nor of a host that slept. */
static void check_date(struct session *session)
{
	if (time(NULL) > session->request.expires)
		authority_refuse(session, 403, "expired", "a certificate of the chain has expired");
}

bool authority_lasts(struct session *session)
{
	struct refused *refused = &session->refused;

	if (refused->status == 0)
		check_labels(session);
	if (refused->status == 0)
		check_date(session);
	if (refused->status == 0)
		return true;
	if (!refused->logged)
		eventlog_session(session, ENTRY_REFUSED, refused->detail);
	refused->logged = true;
	return false;
}
