/*
 * A stream of entries, of a console or of the event log: messages from a reader's socket, rendered,
 * into a bounded buffer that HTTP/2 empties. While the buffer is full the socket is not read, so
 * that it is the sender who counts what this reader misses.
 */
#ifndef VMM_GATE_FEED_H
#define VMM_GATE_FEED_H

#include "channel.h"
#include "http2.h"

/* What tells one kind of stream from another. */
struct feed_kind {
	/* One message as an entry, at most RENDER_ENTRY_MAX bytes into OUT; how many. */
	size_t (*render)(const struct incoming *in, bool plain, char *out);
	const char *lost; /* what has happened when the sender goes without a word */
};

struct feed;

/*
 * Answers STREAM with what comes from READER, which is taken over. NULL: no memory. Without FOLLOW
 * the end of READER is the end of what there is.
 */
struct feed *feed_start(struct http2_stream *stream, const struct feed_kind *kind, int reader,
			bool follow);
/* The descriptor to poll for reading; -1: not now. */
int feed_wants(const struct feed *feed);
void feed_receive(struct feed *feed);
/* Ends the stream after what is buffered, with an entry that says WHY; NULL: it is complete. */
void feed_end(struct feed *feed, const char *why);
/* FEED may be NULL. */
void feed_close(struct feed *feed);

#endif
