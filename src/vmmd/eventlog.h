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

/* The handler of LOG_OPEN. */
void session_log_open(struct session *session, const union message_body *body);

#endif
