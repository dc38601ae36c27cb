/*
 * One reader of a stream of messages, vmm_console's, vmm_log's or vmm_stats's: a socket that is
 * sent as much as it takes and never waited for. It owns its socket; whose stream it is owns it.
 */
#ifndef VMM_STREAM_H
#define VMM_STREAM_H

#include <event2/event.h>

#include "channel.h"

/* What became of one attempt to get a reader further. */
enum stream_step { STREAM_SENT, STREAM_BLOCKED, STREAM_UP_TO_DATE, STREAM_DONE };

struct stream {
	struct channel channel;
	struct event *readable, *writable;
	/* Sends what is next, if anything; SENT too when that was nothing, but others are to have
	 * their turn. */
	enum stream_step (*step)(void *owner);
	/* The stream is over, because of PROBLEM or not (NULL); closes it. */
	void (*over)(void *owner, const char *problem);
	void *owner;
};

/* Takes SOCKET over; STEP, OVER and OWNER are set. 0, or -errno with all of it closed again. */
int stream_open(struct stream *stream, struct event_base *base, int socket);
void stream_close(struct stream *stream);
/* For STEP: sends one message; THEN when it was sent. */
enum stream_step stream_send(struct stream *stream, uint32_t type, const void *body,
			     enum stream_step then);
/* Sends a turn's worth; the owner may be gone after. */
void stream_pump(struct stream *stream);
/* There is something new: the same, unless the stream waits for its socket and goes on by itself.
 */
void stream_wake(struct stream *stream);

#endif
