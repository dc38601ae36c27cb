/*
 * What http2.c (streams), http2_frames.c (nghttp2) and http2_io.c (the connection) share. Nobody
 * else includes it.
 */
#ifndef VMM_HTTP2_PRIVATE_H
#define VMM_HTTP2_PRIVATE_H

#include <nghttp2/nghttp2.h>

#include "http2.h"

#define HTTP2_PROBLEM_SIZE 160
/* As much as one TLS record holds: small frames leave together. */
#define HTTP2_OUT_SIZE 16384

struct http2_stream {
	struct http2 *session;
	struct http2_stream *next;
	int32_t id; /* 0: a request that nghttp2 has not taken yet */
	void *user;
	/* What the peer sent: name NUL value NUL, back to back. */
	char *head;
	size_t head_size, head_room, head_cost;
	bool head_seen; /* what comes now are trailers */
	bool known;	/* to the caller: closed() is due */
	int status;
	struct http2_body body; /* ours */
	bool responded, deferred, sent_all, received_all;
	/* The peer's: */
	bool paced;
	size_t untaken;	    /* bytes that http2_taken was not told of */
	uint64_t discarded; /* bytes that came behind the response */
};

struct http2 {
	SSL *ssl;
	enum http2_side side;
	const struct http2_events *events;
	void *arg;
	nghttp2_session *frames;
	struct http2_stream *streams;
	unsigned nstreams;
	uint64_t progress;

	/* Output: what is in OUT leaves first, then the rest of nghttp2's own chunk. */
	uint8_t out[HTTP2_OUT_SIZE];
	size_t out_from, out_to;
	const uint8_t *chunk;
	size_t chunk_size;
	bool write_blocked;
	bool write_more; /* it was time to read again */

	enum http2_result result; /* HTTP2_OPEN until it is over */
	bool rules_broken;	  /* GOAWAY with an error code went out or came in */
	char problem[HTTP2_PROBLEM_SIZE];
	char goodbye[HTTP2_PROBLEM_SIZE]; /* the peer's */
};

/* Keeps the first result and problem: what follows is its consequence. */
enum http2_result http2_fail(struct http2 *session, enum http2_result result, const char *format,
			     ...) __attribute__((format(printf, 3, 4)));

/* Adds a stream to SESSION; NULL: no memory. */
struct http2_stream *http2_stream_new(struct http2 *session);
/* Takes STREAM out of SESSION again, telling the caller when it knew of it. */
void http2_stream_free(struct http2 *session, struct http2_stream *stream);

/* SESSION->frames with callbacks, limits and our SETTINGS; 0 or nghttp2's error. */
int http2_frames_new(struct http2 *session);
/* nghttp2 asks for more of an outgoing body; SOURCE->ptr is the stream. */
ssize_t http2_body_wanted(nghttp2_session *frames, int32_t id, uint8_t *out, size_t size,
			  uint32_t *flags, nghttp2_data_source *source, void *arg);

#endif
