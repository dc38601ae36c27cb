/*
 * The connection below an HTTP/2 session: bytes between OpenSSL and nghttp2, and how it ends. An
 * end of stream without close_notify is an abort, never an end of data.
 */
#include <errno.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "http2_private.h"

/* Reads of one http2_io: a peer that sends without pause must not keep the caller from poll. */
#define READS_MAX 16
/* Bytes of one turn of writing, likewise: a body may come as fast as the peer takes it. */
#define WRITE_MAX (256u << 10)
/* Frames that may wait behind a full socket before we stop reading what causes them. */
#define OUTBOUND_QUEUE_MAX 64

static bool error_is_wait(int error)
{
	return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

/* What ERROR of SSL_read or SSL_write means, called before anything else touches errno. */
static enum http2_result io_failed(struct http2 *session, int error)
{
	int number = errno;
	unsigned long reason = ERR_peek_error();
	const char *text = ERR_reason_error_string(reason);

	if (error == SSL_ERROR_ZERO_RETURN)
		return http2_fail(session, HTTP2_CLOSED, "the peer closed the connection");
	if (error == SSL_ERROR_SSL && ERR_GET_REASON(reason) != SSL_R_UNEXPECTED_EOF_WHILE_READING)
		return http2_fail(session, HTTP2_TLS, "TLS: %s", text ? text : "unknown error");
	if (error == SSL_ERROR_SYSCALL && number != 0)
		return http2_fail(session, HTTP2_ABORTED, "the connection broke: %s",
				  strerror(number));
	return http2_fail(session, HTTP2_ABORTED, "the connection ended without a TLS goodbye");
}

/* Fills OUT from nghttp2; false: nghttp2 has failed. */
static bool out_fill(struct http2 *session)
{
	for (;;) {
		size_t room = sizeof(session->out) - session->out_to;
		size_t n = session->chunk_size < room ? session->chunk_size : room;
		ssize_t got;

		if (n > 0) {
			memcpy(session->out + session->out_to, session->chunk, n);
			session->out_to += n;
			session->chunk += n;
			session->chunk_size -= n;
		}
		if (n == room)
			return true;
		got = nghttp2_session_mem_send(session->frames, &session->chunk);
		if (got < 0) {
			http2_fail(session, HTTP2_PROTOCOL, "HTTP/2: %s",
				   nghttp2_strerror((int)got));
			return false;
		}
		if (got == 0)
			return true;
		session->chunk_size = (size_t)got;
	}
}

/* Writes until there is nothing more, the socket is full, or it is time to read. */
static enum http2_result output_write(struct http2 *session)
{
	size_t written = 0;

	session->write_blocked = session->write_more = false;
	for (;;) {
		int n, error;

		if (written >= WRITE_MAX) {
			session->write_more = true;
			return HTTP2_OPEN;
		}
		if (session->out_from == session->out_to) {
			session->out_from = session->out_to = 0;
			if (!out_fill(session))
				return session->result;
			if (session->out_to == 0)
				return HTTP2_OPEN;
		}
		ERR_clear_error();
		errno = 0;
		n = SSL_write(session->ssl, session->out + session->out_from,
			      (int)(session->out_to - session->out_from));
		if (n > 0) {
			session->out_from += (size_t)n;
			written += (size_t)n;
			continue;
		}
		error = SSL_get_error(session->ssl, n);
		if (!error_is_wait(error))
			return io_failed(session, error);
		session->write_blocked = true;
		return HTTP2_OPEN;
	}
}

/* Reads once. GOT: whether there may be more. */
static enum http2_result input_read(struct http2 *session, bool *got)
{
	uint8_t bytes[16384];
	int n, error;
	ssize_t used;

	*got = false;
	ERR_clear_error();
	errno = 0;
	n = SSL_read(session->ssl, bytes, sizeof(bytes));
	if (n <= 0) {
		error = SSL_get_error(session->ssl, n);
		return error_is_wait(error) ? HTTP2_OPEN : io_failed(session, error);
	}
	*got = true;
	used = nghttp2_session_mem_recv(session->frames, bytes, (size_t)n);
	if (used < 0)
		return http2_fail(session, HTTP2_PROTOCOL, "the peer broke the rules of HTTP/2: %s",
				  nghttp2_strerror((int)used));
	return HTTP2_OPEN;
}

/* A peer that causes answers and reads none of them waits until it does. */
static bool input_paused(struct http2 *session)
{
	return session->write_blocked &&
	       nghttp2_session_get_outbound_queue_size(session->frames) > OUTBOUND_QUEUE_MAX;
}

/* Both sides are done and everything has left: our close_notify follows. */
static enum http2_result session_over(struct http2 *session)
{
	ERR_clear_error();
	SSL_shutdown(session->ssl);
	return http2_fail(session, HTTP2_CLOSED, "the session was closed");
}

/*
 * A socket that takes no more may still hold the alert that says why: the peer's last words count
 * for more than our broken pipe.
 */
static enum http2_result last_words(struct http2 *session)
{
	char problem[HTTP2_PROBLEM_SIZE];
	bool got = true;

	if (session->result != HTTP2_ABORTED)
		return session->result;
	memcpy(problem, session->problem, sizeof(problem));
	session->result = HTTP2_OPEN;
	while (got && session->result == HTTP2_OPEN)
		input_read(session, &got);
	if (session->result == HTTP2_OPEN || session->result == HTTP2_ABORTED) {
		session->result = HTTP2_ABORTED;
		memcpy(session->problem, problem, sizeof(problem));
	}
	return session->result;
}

enum http2_result http2_io(struct http2 *session, short *poll_for)
{
	bool got = true;

	for (int reads = 0; session->result == HTTP2_OPEN; reads++) {
		if (output_write(session) != HTTP2_OPEN)
			return last_words(session);
		if (!session->write_blocked && !session->write_more &&
		    !nghttp2_session_want_read(session->frames) &&
		    !nghttp2_session_want_write(session->frames))
			return session_over(session);
		if (!got || input_paused(session))
			break;
		/* What OpenSSL has decrypted already, poll would never tell of. */
		if (reads >= READS_MAX && SSL_pending(session->ssl) == 0)
			break;
		input_read(session, &got);
	}
	*poll_for = (short)((input_paused(session) ? 0 : POLLIN) |
			    (session->write_blocked || session->write_more ? POLLOUT : 0));
	return session->result;
}

const char *http2_problem(const struct http2 *session)
{
	return session->problem;
}

const char *http2_goodbye(const struct http2 *session)
{
	return session->goodbye;
}

void http2_goaway(struct http2 *session, const char *why)
{
	nghttp2_submit_goaway(session->frames, NGHTTP2_FLAG_NONE,
			      nghttp2_session_get_last_proc_stream_id(session->frames),
			      NGHTTP2_NO_ERROR, (const uint8_t *)why, strlen(why));
}

void http2_terminate(struct http2 *session)
{
	nghttp2_session_terminate_session(session->frames, NGHTTP2_NO_ERROR);
}

unsigned http2_streams(const struct http2 *session)
{
	return session->nstreams;
}

uint64_t http2_progress(const struct http2 *session)
{
	return session->progress;
}

bool http2_awaits(const struct http2 *session)
{
	for (const struct http2_stream *s = session->streams; s; s = s->next) {
		if (s->head_seen && !s->received_all && s->untaken == 0)
			return true;
	}
	return false;
}

bool http2_blocked(const struct http2 *session)
{
	if (session->write_blocked)
		return true;
	for (const struct http2_stream *s = session->streams; s; s = s->next) {
		if (s->body.read && !s->deferred && !s->sent_all)
			return true;
	}
	return false;
}
