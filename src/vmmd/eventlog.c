/* What happened, to vmm_log and to vmmd's own log. */
#include "eventlog.h"

#include <stdio.h>

#include "log.h"

void eventlog_add(struct daemon *d, struct log_entry *entry)
{
	char text[ENTRY_TEXT_SIZE];

	(void)d;
	entry->time_us = now_us();
	entry_text(entry, 0, text);
	log_notice("%s", text);
}

void eventlog_session(const struct session *session, enum entry_type type, const char *detail)
{
	struct log_entry entry = {.type = type};

	request_path(&session->request, &entry.path);
	snprintf(entry.peer, sizeof(entry.peer), "%s", session->peer);
	snprintf(entry.detail, sizeof(entry.detail), "%s", detail ? detail : "");
	eventlog_add(session->daemon, &entry);
}

void eventlog_vm(const struct vm *vm, enum entry_type type, const struct path *by,
		 const char *detail)
{
	struct log_entry entry = {.type = type,
				  .path = vm->path,
				  .pid = vm->record.pid,
				  .end = vm->record.end,
				  .end_value = vm->record.end_value};

	if (by)
		entry.by = *by;
	snprintf(entry.detail, sizeof(entry.detail), "%s", detail ? detail : "");
	eventlog_add(vm->daemon, &entry);
}

void session_log_open(struct session *session, const union message_body *body)
{
	session_error(session, body->log_open.id, 503, "unavailable", "there is no event log yet");
}
