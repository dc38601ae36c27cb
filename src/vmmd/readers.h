/* Streams for sessions: vmmd joins a worker and the role that has what it wants to read. */
#ifndef VMM_READERS_H
#define VMM_READERS_H

#include "session.h"

/* How a role is told something: roles_tell_console, roles_tell_log. */
typedef int roles_tell_fn(struct daemon *d, uint32_t type, const void *body, const int *fds);

/*
 * Answers request ID of SESSION with a stream: its other end goes with TYPE and BODY through TELL
 * to the role called NAME. Answers with an error when that is down.
 */
void session_stream(struct session *session, uint32_t id, const char *name, roles_tell_fn *tell,
		    uint32_t type, const void *body);

#endif
