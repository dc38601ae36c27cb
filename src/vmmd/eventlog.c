/*
 * What happened, to vmm_log and to vmmd's own log. An entry is kept here until vmm_log has said
 * that it is in a ring, so that none is lost when a vmm_log is.
 */
#include "eventlog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "logfiles.h"
#include "readers.h"
#include "roles.h"

/* Of entries that no vmm_log has taken: some thousands. */
#define UNKEPT_MAX (1u << 20)
/* A number beyond it is no time, and would leave too few for those to come. */
#define NUMBER_MAX (UINT64_MAX / 4)

struct unkept {
	struct unkept *next;
	uint64_t seq; /* 0: not known yet */
	size_t n;
	uint8_t bytes[]; /* encoded, without its number */
};

static uint64_t number_next(struct eventlog *log, int64_t now)
{
	log->last = (uint64_t)now > log->last ? (uint64_t)now : log->last + 1;
	return log->last;
}

static void unkept_drop(struct eventlog *log)
{
	struct unkept *first = log->first;

	log->first = first->next;
	log->unkept_bytes -= first->n;
	free(first);
}

static void lose_oldest(struct eventlog *log)
{
	if (log->lost++ == 0)
		log_warning("vmm_log does not take entries: the oldest ones are lost");
	unkept_drop(log);
}

/* Without memory it is not sent again, should this vmm_log not take it. */
static void unkept_add(struct eventlog *log, const struct log_entry *entry)
{
	static uint8_t bytes[MESSAGE_MAX];
	ssize_t n = wire_encode(entry_fields, entry, bytes, sizeof(bytes));
	struct unkept *new = n < 0 ? NULL : malloc(sizeof(*new) + (size_t)n);

	if (new == NULL)
		return;
	*new = (struct unkept){.seq = entry->seq, .n = (size_t)n};
	memcpy(new->bytes, bytes, (size_t)n);
	if (log->first == NULL)
		log->end = &log->first;
	*log->end = new;
	log->end = &new->next;
	log->unkept_bytes += new->n;
	while (log->first && log->unkept_bytes > UNKEPT_MAX)
		lose_oldest(log);
}

void eventlog_add(struct daemon *d, struct log_entry *entry)
{
	char text[ENTRY_TEXT_SIZE];

	entry->time_us = now_us();
	d->eventlog.counted[entry->type]++;
	entry_text(entry, 0, text);
	log_notice("%s", text);
	logfiles_need(d, entry);
	entry->seq = d->eventlog.numbered ? number_next(&d->eventlog, entry->time_us) : 0;
	unkept_add(&d->eventlog, entry);
	if (d->eventlog.numbered)
		roles_tell_log(d, MSG_LOG_ENTRY, entry, NULL);
}

bool eventlog_loaded(struct daemon *d, uint64_t seq)
{
	struct eventlog *log = &d->eventlog;

	if (seq > (log->numbered ? log->last : NUMBER_MAX))
		return false;
	if (!log->numbered) {
		log->numbered = true;
		log->last = seq;
		for (struct unkept *u = log->first; u; u = u->next)
			u->seq = number_next(log, now_us());
	}
	while (log->first && log->first->seq <= seq)
		unkept_drop(log);
	return true;
}

void eventlog_resend(struct daemon *d)
{
	static struct log_entry entry;
	struct eventlog *log = &d->eventlog;

	for (const struct unkept *u = log->first; u; u = u->next) {
		if (!wire_decode(entry_fields, u->bytes, u->n, &entry, sizeof(entry)))
			continue;
		entry.seq = u->seq;
		roles_tell_log(d, MSG_LOG_ENTRY, &entry, NULL);
	}
	if (log->lost > 0)
		log_warning("vmm_log takes entries again: %llu were lost",
			    (unsigned long long)log->lost);
	log->lost = 0;
}

void eventlog_session(const struct session *session, enum entry_type type, const char *detail)
{
	struct log_entry entry = {.type = type};

	request_path(&session->request, &entry.path);
	snprintf(entry.peer, sizeof(entry.peer), "%s", session->peer);
	snprintf(entry.detail, sizeof(entry.detail), "%s", detail ? detail : "");
	eventlog_add(session->daemon, &entry);
}

/* Names joined with ", "; what does not fit is told as "...". */
static void list_add(char *list, const char *name)
{
	size_t used = strlen(list), left = ENTRY_LIST_SIZE - used;

	if (strlen(name) + sizeof(", , ...") < left)
		snprintf(list + used, left, "%s%s", used > 0 ? ", " : "", name);
	else if (used < 4 || strcmp(list + used - 3, "...") != 0)
		snprintf(list + used, left, ", ...");
}

void eventlog_vm(const struct vm *vm, enum entry_type type, const struct path *by,
		 const char *detail)
{
	const struct vm_record *r = &vm->record;
	struct log_entry entry = {.type = type, .path = vm->path};

	if (type != ENTRY_FAILED)
		entry.pid = r->pid;
	if (type == ENTRY_STARTED) {
		for (uint32_t k = 0; k < r->ntaps; k++)
			list_add(entry.taps, r->tap[k].name);
		for (uint32_t i = 0; i < r->request.vm.nblocks; i++)
			list_add(entry.blocks, r->request.vm.block[i].volume);
	} else if (type == ENTRY_STOPPED) {
		entry.end = r->end;
		entry.end_value = r->end_value;
		entry.cause = r->cause;
	}
	if (by)
		entry.by = *by;
	snprintf(entry.detail, sizeof(entry.detail), "%s", detail ? detail : "");
	eventlog_add(vm->daemon, &entry);
}

void eventlog_refused(struct daemon *d, const struct msg_session_refused *msg)
{
	struct log_entry entry = {.type = ENTRY_REFUSED, .path = msg->path};
	bool named = msg->path.depth > 0 || msg->name[0] == 0;

	snprintf(entry.peer, sizeof(entry.peer), "%s", msg->peer);
	snprintf(entry.detail, sizeof(entry.detail), "%s%s%.*s", named ? "" : msg->name,
		 named ? "" : ": ", DETAIL_SIZE - NAME_SIZE - 2, msg->detail);
	eventlog_add(d, &entry);
}

void session_log_open(struct session *session, const union message_body *body)
{
	const struct msg_log_open *ask = &body->log_open;
	struct msg_log_read msg = {
	    .scope = session->scope, .since_us = ask->since_us, .follow = ask->follow};

	session_stream(session, ask->id, "vmm_log", roles_tell_log, MSG_LOG_READ, &msg);
}
