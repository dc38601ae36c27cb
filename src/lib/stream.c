/* A reader's socket and its turns. */
#include "stream.h"

#include <errno.h>
#include <stddef.h>

/* What one reader may be sent before the others get their turn. */
#define TURN_SENDS 64

enum stream_step stream_send(struct stream *stream, uint32_t type, const void *body,
			     enum stream_step then)
{
	int error = channel_send(&stream->channel, type, body, NULL);

	if (error == -EAGAIN || error == -ENOBUFS)
		return STREAM_BLOCKED;
	return error < 0 ? STREAM_DONE : then;
}

void stream_pump(struct stream *stream)
{
	enum stream_step step = STREAM_SENT;

	for (unsigned i = 0; i < TURN_SENDS && step == STREAM_SENT; i++)
		step = stream->step(stream->owner);
	if (step == STREAM_DONE)
		stream->over(stream->owner, NULL);
	else if (step != STREAM_UP_TO_DATE)
		event_add(stream->writable, NULL);
}

void stream_wake(struct stream *stream)
{
	if (!event_pending(stream->writable, EV_WRITE, NULL))
		stream_pump(stream);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	stream_pump(arg);
}

/* A reader has nothing to say: whatever comes, its end of file above all, ends it. */
static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	static struct incoming in;
	struct stream *stream = arg;

	(void)fd;
	(void)what;
	if (channel_recv(&stream->channel, &in) == CHANNEL_AGAIN)
		return;
	incoming_close(&in);
	stream->over(stream->owner, in.problem);
}

int stream_open(struct stream *stream, struct event_base *base, int socket)
{
	int error;

	channel_init(&stream->channel, socket, LINK_READER, SIDE_UPPER);
	stream->readable = event_new(base, socket, EV_READ | EV_PERSIST, on_readable, stream);
	stream->writable = event_new(base, socket, EV_WRITE, on_writable, stream);
	error = channel_set_nonblocking(&stream->channel);
	if (!stream->readable || !stream->writable || event_add(stream->readable, NULL) < 0)
		error = -ENOMEM;
	if (error < 0)
		stream_close(stream);
	return error;
}

void stream_close(struct stream *stream)
{
	if (stream->readable)
		event_free(stream->readable);
	if (stream->writable)
		event_free(stream->writable);
	stream->readable = stream->writable = NULL;
	channel_close(&stream->channel);
}
