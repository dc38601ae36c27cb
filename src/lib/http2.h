/*
 * One HTTP/2 session (RFC 9113) on one TLS connection, as a server (vmm_gate's worker) or as a
 * client (vmm_client): nghttp2 underneath, the same code for both. It owns neither the SSL nor its
 * socket, which must be non-blocking, the handshake done, ALPN h2 agreed, SIGPIPE ignored.
 *
 * The caller's loop:
 *
 *   struct http2 *session = http2_new(ssl, HTTP2_CLIENT, &events, arg);
 *   http2_request(session, &request, user);
 *   for (short poll_for;;) {
 *           if (http2_io(session, &poll_for) != HTTP2_OPEN)
 *                   break;                                  // http2_problem() says why
 *           ... poll the socket for POLL_FOR, other descriptors for theirs ...
 *   }
 *   http2_free(session);
 *
 * Whatever adds output (a request, a response, http2_resume, http2_goaway) takes effect in the next
 * http2_io: call it once before going back to poll. Callbacks run inside of http2_io, and of
 * http2_free for streams that were still open; they may call anything but http2_io and http2_free.
 *
 * Memory is bounded: the streams a peer may have open, a header list and what waits to be sent all
 * have limits; floods (PING, SETTINGS, RST_STREAM, CONTINUATION) end the session.
 *
 * A peer may answer before a request has come whole. What a client still sends then is taken and
 * dropped, HTTP2_DISCARD_MAX bytes of it, so that one that reads only when it has sent everything
 * gets its answer too; a client of ours stops sending (RFC 9113, 8.1).
 */
#ifndef VMM_HTTP2_H
#define VMM_HTTP2_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define HTTP2_STREAMS_MAX 32	/* a client may have open at once */
#define HTTP2_HEADERS_MAX 16384 /* bytes of one header list, counted as RFC 9113, 6.5.2 does */
#define HTTP2_DISCARD_MAX (UINT64_C(64) << 20) /* then the peer sees RST_STREAM NO_ERROR */

enum http2_side { HTTP2_CLIENT, HTTP2_SERVER };

enum http2_result {
	HTTP2_OPEN,
	HTTP2_CLOSED,  /* both sides said goodbye, or the peer sent close_notify */
	HTTP2_ABORTED, /* the connection broke: reset, or its end came without close_notify */
	HTTP2_TLS, /* a TLS alert, theirs or ours: how a client hears that its chain was refused */
	HTTP2_PROTOCOL, /* the peer broke HTTP/2's rules, or there is no memory */
};

struct http2;
struct http2_stream; /* one request and its response; valid until its closed() returned */

struct http2_header {
	const char *name; /* lower case */
	const char *value;
};

/* What READ returns when there is nothing yet: it is asked again after http2_resume. */
#define HTTP2_DEFER (-1)
/* What READ returns when it can never go on: the peer sees RST_STREAM. */
#define HTTP2_FAIL (-2)

/* Where an outgoing body comes from. READ NULL: there is no body. */
struct http2_body {
	/* Puts at most SIZE (> 0) bytes into OUT and returns how many; sets LAST with the final
	 * ones (then they may be none). None without LAST is HTTP2_DEFER. */
	ssize_t (*read)(void *arg, uint8_t *out, size_t size, bool *last);
	void (*release)(
	    void *arg); /* NULL, or called exactly once when the stream needs ARG no more */
	void *arg;
};

/* A body that is a copy of SIZE bytes; false: no memory. */
bool http2_body_copy(struct http2_body *body, const void *bytes, size_t size);

/* Any of them may be NULL. ARG is http2_new's. */
struct http2_events {
	/* A request's or (final) response's header list is there: http2_header, http2_status. */
	void (*head)(void *arg, struct http2_stream *stream);
	/* Part of the peer's body. */
	void (*body)(void *arg, struct http2_stream *stream, const uint8_t *bytes, size_t size);
	/* The peer has sent all of it. */
	void (*end)(void *arg, struct http2_stream *stream);
	/* STREAM is about to be freed. COMPLETE: the response was sent, or came, to its end. Comes
	 * once for every stream of which head() or http2_request was seen. */
	void (*closed)(void *arg, struct http2_stream *stream, bool complete);
};

/* EVENTS is kept, not copied. NULL: no memory. */
struct http2 *http2_new(SSL *ssl, enum http2_side side, const struct http2_events *events,
			void *arg);
/* Calls closed() for open streams. Sends nothing. */
void http2_free(struct http2 *session);

/*
 * Reads and writes as much as it can without waiting. POLL_FOR is set with HTTP2_OPEN: POLLIN,
 * POLLOUT or both. Any other result is final.
 */
enum http2_result http2_io(struct http2 *session, short *poll_for);
/* After a result other than HTTP2_OPEN: one line that says what happened. */
const char *http2_problem(const struct http2 *session);

/* Client: a request, sent with scheme https. */
struct http2_request {
	const char *method, *authority, *path;
	const struct http2_header *header;
	size_t nheaders;
	struct http2_body body; /* zero: none */
};
/* NULL: no memory, or the session takes no more requests. BODY is released then too. */
struct http2_stream *http2_request(struct http2 *session, const struct http2_request *request,
				   void *user);

/* Server: the response, once a stream, from head() on. 0 or -1; BODY is the session's either way.
 */
int http2_respond(struct http2_stream *stream, int status, const struct http2_header *header,
		  size_t nheaders, const struct http2_body *body);

/* The value of a header the peer sent, pseudo-headers (":path") included; NULL: there is none. */
const char *http2_header(const struct http2_stream *stream, const char *name);
int http2_status(const struct http2_stream *stream); /* of a response; 0: none yet */
void *http2_user(const struct http2_stream *stream);
void http2_set_user(struct http2_stream *stream, void *user);
/* A body that said HTTP2_DEFER has something again. */
void http2_resume(struct http2_stream *stream);
/*
 * Flow control by hand, from head() on, until the response: of the peer's body at most WINDOW
 * bytes come that http2_taken was not told of. (Other streams go on: it is this stream's window
 * alone that closes.)
 */
void http2_pace(struct http2_stream *stream, uint32_t window);
/* SIZE of the bytes that body() brought have found their place. */
void http2_taken(struct http2_stream *stream, size_t size);
/* Ends one stream with RST_STREAM CANCEL. */
void http2_cancel(struct http2_stream *stream);

/*
 * Says goodbye, and WHY: no new streams, open ones go on; http2_io closes when the last one ended.
 * The peer has WHY from its http2_goodbye: "" until it came; bytes as they were sent, cut to 159.
 */
void http2_goaway(struct http2 *session, const char *why);
const char *http2_goodbye(const struct http2 *session);
/* Says goodbye, then ends everything at once: http2_io closes when that much is sent. */
void http2_terminate(struct http2 *session);

/* For deadlines: streams open now; */
unsigned http2_streams(const struct http2 *session);
/* bytes of bodies and headers that went out or came in so far (PING and the like don't count); */
uint64_t http2_progress(const struct http2 *session);
/* whether output waits for the peer: its socket or its flow control windows are full. */
bool http2_blocked(const struct http2 *session);
/* Server: whether the rest of a request's body is the peer's to send, and none of it waits here. */
bool http2_awaits(const struct http2 *session);

#endif
