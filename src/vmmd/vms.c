/* Requests about VMs: list, start, destroy, console, statistics. */
#include <string.h>

#include "eventlog.h"
#include "lifecycle.h"
#include "lookup.h"
#include "readers.h"
#include "roles.h"
#include "stats.h"

bool session_found(struct session *session, uint32_t id, enum lookup_result found, const char *text,
		   const char *labels)
{
	if (found == LOOKUP_NONE)
		session_error(session, id, 404, "not-found", "there is no %.200s", text);
	else if (found == LOOKUP_AMBIGUOUS)
		session_error(session, id, 409, "ambiguous", "%.100s is more than one: %s", text,
			      labels);
	return found == LOOKUP_ONE;
}

/* The path that TEXT names; false: the session was answered. */
static bool resolve(struct session *session, uint32_t id, const char *text, struct path *path)
{
	char labels[LABELS_SIZE];

	return session_found(
	    session, id,
	    lookup_path(session->daemon, &session->scope, text, path, labels, sizeof(labels)), text,
	    labels);
}

static struct vm *resolve_vm(struct session *session, uint32_t id, const char *text)
{
	struct path path;
	struct vm *vm;

	if (!resolve(session, id, text, &path))
		return NULL;
	vm = lookup_vm(session->daemon, &path);
	if (vm == NULL)
		session_error(session, id, 404, "not-found", "there is no VM %.200s", text);
	return vm;
}

void session_vm_list(struct session *session, const union message_body *body)
{
	static struct msg_reply_vm row;
	uint32_t id = body->vm_path.id;
	struct path path;

	if (!resolve(session, id, body->vm_path.path, &path))
		return;
	for (const struct vm *vm = session->daemon->vms; vm; vm = vm->next) {
		if (!path_within(&vm->path, &path) || !vm_is_shown(vm))
			continue;
		vm_describe(vm, session->scope.depth, &row);
		row.id = id;
		session_reply(session, MSG_REPLY_VM, &row, NULL);
	}
	session_end_reply(session, id);
}

void session_vm_start(struct session *session, const union message_body *body)
{
	const struct msg_vm_start *ask = &body->vm_start;
	struct start_error error;

	if (vm_start(session, ask->id, ask->force, &error))
		return;
	eventlog_session(session, ENTRY_FAILED, error.why.text);
	session_error(session, ask->id, error.status, error.word, "%s", error.why.text);
}

void session_vm_destroy(struct session *session, const union message_body *body)
{
	uint32_t id = body->vm_path.id;
	struct vm *vm = resolve_vm(session, id, body->vm_path.path);
	struct path by;

	if (vm == NULL)
		return;
	request_path(&session->request, &by);
	if (vm_is_live(vm))
		vm_stop(vm, CAUSE_DESTROYED, &by, session, id);
	else
		session_error(session, id, 404, "not-found", "%.200s has ended already",
			      body->vm_path.path);
}

void session_console_open(struct session *session, const union message_body *body)
{
	const struct msg_console_open *ask = &body->console_open;
	struct msg_console_read msg = {
	    .since_us = ask->since_us, .lines = ask->lines, .follow = ask->follow};
	struct vm *vm = resolve_vm(session, ask->id, ask->path);

	if (vm == NULL)
		return;
	memcpy(msg.path_id, vm->record.request.path_id, DIGEST_SIZE);
	session_stream(session, ask->id, "vmm_console", roles_tell_console, MSG_CONSOLE_READ, &msg);
}

/* Of a VM that is being started there is nothing yet, of one that has ended nothing any more. */
void session_statistics(struct session *session, const union message_body *body)
{
	static struct msg_stats_read msg;
	const struct msg_statistics *ask = &body->statistics;
	const struct vm *vm;

	if (!resolve(session, ask->id, ask->path, &msg.path))
		return;
	vm = lookup_vm(session->daemon, &msg.path);
	if (vm && !vm_is_live(vm)) {
		session_error(session, ask->id, 404, "not-found",
			      "%.200s has ended: there are statistics of VMs that run", ask->path);
		return;
	}
	msg.skip = session->scope.depth;
	msg.nfamily = ask->family && session->scope.depth == 0;
	if (msg.nfamily > 0)
		stats_family(session->daemon, &msg.family[0]);
	session_stream(session, ask->id, "vmm_stats", roles_tell_stats, MSG_STATS_READ, &msg);
}
