/* The event log as vmmd writes it: to vmm_log, which keeps it, and as a line of its own log. */
#ifndef VMM_EVENTLOG_H
#define VMM_EVENTLOG_H

#include "entry.h"
#include "session.h"
#include "vm.h"

/* ENTRY with its type and fields; time and sequence number are set here. */
void eventlog_add(struct daemon *d, struct log_entry *entry);
/* Of TYPE, about SESSION's leaf, with its peer and DETAIL (NULL: none). */
void eventlog_session(const struct session *session, enum entry_type type, const char *detail);
/* Of TYPE, about VM, with its pid, end, taps and volumes as the type has them, by BY (NULL: nobody)
 * and with DETAIL (NULL: none). */
void eventlog_vm(const struct vm *vm, enum entry_type type, const struct path *by,
		 const char *detail);
/* A chain of ours without authority, as vmm_auth tells it. */
void eventlog_refused(struct daemon *d, const struct msg_session_refused *msg);

/*
 * vmm_log has every entry up to number SEQ; the first time that is what earlier ones left, and
 * numbers go on from there. False: it cannot have.
 */
bool eventlog_loaded(struct daemon *d, uint64_t seq);
/* To a vmm_log that has just become ready: what it has not said it has. */
void eventlog_resend(struct daemon *d);

/* The handler of LOG_OPEN. */
void session_log_open(struct session *session, const union message_body *body);

#endif
