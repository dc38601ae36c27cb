/* The socket pair of a stream. */
#include "readers.h"

#include <string.h>

void session_stream(struct session *session, uint32_t id, const char *name, roles_tell_fn *tell,
		    uint32_t type, const void *body)
{
	struct channel upper, lower;
	int error = channel_pair(LINK_READER, &upper, &lower);

	if (error < 0) {
		session_error(session, id, 503, "unavailable", "the host is short of resources: %s",
			      strerror(-error));
		return;
	}
	error = tell(session->daemon, type, body, &upper.fd);
	if (error < 0)
		session_error(session, id, 503, "unavailable",
			      "%s is being started again: try once more", name);
	else
		session_reply(session, MSG_REPLY_STREAM, &(struct msg_id){.id = id}, &lower.fd);
	channel_close(&upper);
	channel_close(&lower);
}
