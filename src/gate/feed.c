/* Streams of entries. */
#include "feed.h"

#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "render.h"

#define FEED_BUFFER (2 * RENDER_ENTRY_MAX)
/* Beyond it: why the stream ends, which a reader that is behind has to be told too. */
#define LAST_WORDS RENDER_ENTRY_MAX

struct feed {
	const struct feed_kind *kind;
	struct http2_stream *stream;
	struct channel reader; /* closed: the stream ends with what is buffered */
	bool plain, follow;
	bool told; /* why it ends has been said */
	size_t from, to;
	char buffer[FEED_BUFFER + LAST_WORDS];
};

/* HTTP/2 takes what is there. */
static ssize_t feed_read(void *arg, uint8_t *out, size_t size, bool *last)
{
	struct feed *feed = arg;
	size_t n = feed->to - feed->from;

	if (n > size)
		n = size;
	memcpy(out, feed->buffer + feed->from, n);
	feed->from += n;
	*last = feed->reader.fd < 0 && feed->from == feed->to;
	return n == 0 && !*last ? HTTP2_DEFER : (ssize_t)n;
}

struct feed *feed_start(struct http2_stream *stream, const struct feed_kind *kind, int reader,
			bool follow)
{
	const char *accept = http2_header(stream, "accept");
	struct feed *feed = calloc(1, sizeof(*feed));

	if (!feed)
		return NULL;
	feed->kind = kind;
	feed->stream = stream;
	feed->plain = accept && strstr(accept, "text/plain");
	feed->follow = follow;
	channel_init(&feed->reader, reader, LINK_READER, SIDE_LOWER);
	channel_set_nonblocking(&feed->reader);
	answer_stream(stream, feed->plain, &(struct http2_body){.read = feed_read, .arg = feed});
	return feed;
}

int feed_wants(const struct feed *feed)
{
	return feed->to - feed->from <= FEED_BUFFER - RENDER_ENTRY_MAX ? feed->reader.fd : -1;
}

/* Where the next entry goes; there is room for one. */
static char *entry_place(struct feed *feed)
{
	memmove(feed->buffer, feed->buffer + feed->from, feed->to - feed->from);
	feed->to -= feed->from;
	feed->from = 0;
	return feed->buffer + feed->to;
}

void feed_end(struct feed *feed, const char *why)
{
	if (why && !feed->told)
		feed->to += render_detached(why, feed->plain, entry_place(feed));
	feed->told = true;
	channel_close(&feed->reader);
	http2_resume(feed->stream);
}

void feed_receive(struct feed *feed)
{
	static struct incoming in;

	while (feed_wants(feed) >= 0) {
		enum channel_result result = channel_recv(&feed->reader, &in);

		if (result == CHANNEL_AGAIN)
			break;
		if (result != CHANNEL_MESSAGE) {
			/* Whoever follows is told, unless the sender said itself why. A replay ends
			 * so. */
			feed_end(feed, feed->follow ? feed->kind->lost : NULL);
			return;
		}
		feed->told |= in.type == MSG_DETACHED || in.type == MSG_ENDED;
		feed->to += feed->kind->render(&in, feed->plain, entry_place(feed));
		incoming_close(&in);
	}
	http2_resume(feed->stream);
}

void feed_close(struct feed *feed)
{
	if (!feed)
		return;
	channel_close(&feed->reader);
	free(feed);
}
