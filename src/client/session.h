/*
 * Requests to the server and what comes back, several at a time on one connection. Waiting is done
 * here and nowhere else. Prints nothing.
 */
#ifndef VMM_SESSION_H
#define VMM_SESSION_H

#include "http2.h"
#include "policy.h"
#include "status.h"
#include "tls.h"

#define SESSION_ANSWER_MAX  (64u << 20) /* bytes of an answer that is no stream */
#define SESSION_LINE_MAX    65536	/* bytes of a stream's line */
#define SESSION_PATIENCE_MS 120000	/* for an answer without any progress */

struct session {
	struct tls *tls;
	struct http2 *http2;
	char authority[ENDPOINT_TEXT_SIZE];
	short poll_for;
	bool over;
	enum status status; /* once it is over: why, */
	struct refusal why; /* and in words */
};

/* One request. Lives until OVER, or until session_forget. */
struct exchange {
	/* NULL: the body is collected. Else every line of a 200's body goes there as it comes, LEN
	 * bytes without the newline and a NUL. */
	void (*line)(void *arg, const char *line, size_t len);
	/* Set: a 200's body goes there as it comes; false: no more of it is wanted. */
	bool (*bytes)(void *arg, const uint8_t *bytes, size_t size);
	void *arg;

	/* What goes with the request, REQUEST_SIZE bytes; READ NULL: nothing. */
	struct http2_body request;
	uint64_t request_size;

	int status;	    /* HTTP's; 0: none yet */
	uint64_t announced; /* the answer's length in bytes; 0: it is not said */
	char *body;	    /* collected, NUL-terminated; freed with exchange_free */
	size_t size, room;
	bool over;     /* nothing more comes */
	bool complete; /* all of the answer came */
	bool too_long; /* the rest was not wanted */
	struct http2_stream *stream;
};

/* TLS, which is open, stays the caller's; false: no memory. */
bool session_open(struct session *session, struct tls *tls);
/* Says goodbye when it is not over yet. Every exchange is over then. */
void session_close(struct session *session);

/* Starts a request; PATH is percent-encoded. False: the session is over, or there is no memory. */
bool session_send(struct session *session, struct exchange *exchange, const char *method,
		  const char *path);
/* Nothing more of EXCHANGE is wanted; it may be freed. Not from within LINE. */
void session_forget(struct session *session, struct exchange *exchange);
void exchange_free(struct exchange *exchange);

enum turn {
	TURN_ON,	/* something may have come */
	TURN_INPUT,	/* INPUT can be read */
	TURN_INTERRUPT, /* Ctrl-C */
	TURN_TERMINATE, /* a signal to end the program */
	TURN_NO_OUTPUT, /* nobody reads OUTPUT any more */
	TURN_TIMEOUT,
	TURN_OVER, /* the session is: see its status and why */
};

/* Waits until there is something to send or to receive, does that, and comes back; or until INPUT
 * is readable, or OUTPUT a pipe without a reader (-1: not watched). */
enum turn session_turn(struct session *session, int input, int output, int timeout_ms);
/*
 * Takes turns until EXCHANGE is over, or as a stream (LINE) is accepted. TURN_ON, or what ended the
 * wait; then EXCHANGE was forgotten, and WHY has one line.
 */
enum turn session_await(struct session *session, struct exchange *exchange, struct refusal *why);

#endif
