/*
 * The HTTP/2 session, the client's half: one loop around http2_io and poll.
 */
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "progress.h"
#include "signals.h"

/* Appends to the body, or to the line that has begun; false: too long, or no memory. */
static bool collect(struct exchange *exchange, const uint8_t *bytes, size_t size)
{
	size_t limit = exchange->line ? SESSION_LINE_MAX : SESSION_ANSWER_MAX;
	size_t need = exchange->size + size + 1;

	if (need > limit)
		return false;
	if (need > exchange->room) {
		size_t room = need < 2048 ? 4096 : 2 * need;
		char *body = realloc(exchange->body, room);
		if (!body)
			return false;
		exchange->body = body;
		exchange->room = room;
	}
	memcpy(exchange->body + exchange->size, bytes, size);
	exchange->size += size;
	exchange->body[exchange->size] = '\0';
	return true;
}

static void too_long(struct exchange *exchange)
{
	exchange->too_long = true;
	http2_cancel(exchange->stream);
}

static void on_body(void *arg, struct http2_stream *stream, const uint8_t *bytes, size_t size)
{
	struct exchange *exchange = http2_user(stream);
	(void)arg;

	if (!exchange || exchange->too_long)
		return;
	if (exchange->bytes && exchange->status == 200) {
		if (!exchange->bytes(exchange->arg, bytes, size))
			too_long(exchange);
		return;
	}
	if (!exchange->line || exchange->status != 200) {
		if (!collect(exchange, bytes, size))
			too_long(exchange);
		return;
	}
	while (size > 0) {
		const uint8_t *end = memchr(bytes, '\n', size);
		size_t len = end ? (size_t)(end - bytes) : size;
		if (!collect(exchange, bytes, len)) {
			too_long(exchange);
			return;
		}
		if (!end)
			return;
		exchange->line(exchange->arg, exchange->body, exchange->size);
		exchange->size = 0;
		bytes += len + 1;
		size -= len + 1;
	}
}

static void on_head(void *arg, struct http2_stream *stream)
{
	struct exchange *exchange = http2_user(stream);
	const char *length = http2_header(stream, "content-length");
	(void)arg;

	if (!exchange)
		return;
	exchange->status = http2_status(stream);
	exchange->announced = length ? strtoull(length, NULL, 10) : 0;
}

static void on_closed(void *arg, struct http2_stream *stream, bool complete)
{
	struct exchange *exchange = http2_user(stream);
	(void)arg;
	if (!exchange)
		return;
	exchange->over = true;
	exchange->complete = complete;
	exchange->stream = NULL;
}

static const struct http2_events events = {.head = on_head, .body = on_body, .closed = on_closed};

/* The session is over: an alert of the server's is the cause of whatever else went wrong. */
static void session_end(struct session *session, enum http2_result result)
{
	const char *why = http2_goodbye(session->http2);

	session->over = true;
	session->status = result == HTTP2_TLS ? STATUS_TLS : STATUS_CONNECT;
	if (tls_alerted(session->tls, &session->why))
		session->status = STATUS_TLS;
	else if (result == HTTP2_CLOSED)
		refusal_say(&session->why, "%s: the server ended the session%s%s",
			    session->authority, *why ? ": " : "", why);
	else
		refusal_say(&session->why, "%s: %s", session->authority,
			    http2_problem(session->http2));
}

/* Sends and receives what can be without waiting. */
static void pump(struct session *session)
{
	if (session->over)
		return;
	enum http2_result result = http2_io(session->http2, &session->poll_for);
	if (result != HTTP2_OPEN)
		session_end(session, result);
}

bool session_open(struct session *session, struct tls *tls)
{
	*session = (struct session){.tls = tls,
				    .http2 = http2_new(tls->ssl, HTTP2_CLIENT, &events, session)};
	endpoint_format(&tls->options->server, session->authority);
	return session->http2 != NULL;
}

void session_close(struct session *session)
{
	if (!session->over) {
		http2_terminate(session->http2);
		pump(session);
	}
	http2_free(session->http2);
}

bool session_send(struct session *session, struct exchange *exchange, const char *method,
		  const char *path)
{
	char length[24];
	const struct http2_header header = {"content-length", length};
	const struct http2_request request = {.method = method,
					      .authority = session->authority,
					      .path = path,
					      .header = &header,
					      .nheaders = exchange->request.read != NULL,
					      .body = exchange->request};

	snprintf(length, sizeof(length), "%llu", (unsigned long long)exchange->request_size);
	exchange->status = 0;
	exchange->size = 0;
	exchange->over = exchange->complete = exchange->too_long = false;
	exchange->stream = session->over ? NULL : http2_request(session->http2, &request, exchange);
	if (!exchange->stream)
		return false;
	pump(session);
	return true;
}

void session_forget(struct session *session, struct exchange *exchange)
{
	if (exchange->stream) {
		http2_set_user(exchange->stream, NULL);
		http2_cancel(exchange->stream);
	}
	exchange->stream = NULL;
	exchange->over = true;
	pump(session);
}

void exchange_free(struct exchange *exchange)
{
	free(exchange->body);
	exchange->body = NULL;
	exchange->size = exchange->room = 0;
}

enum turn session_turn(struct session *session, int input, int output, int timeout_ms)
{
	struct pollfd fds[] = {
	    {.fd = session->tls->fd, .events = session->poll_for},
	    {.fd = input, .events = POLLIN},
	    {.fd = output}, /* for POLLERR: a pipe without a reader */
	};

	if (session->over)
		return TURN_OVER;
	int ready = signals_poll(fds, sizeof(fds) / sizeof(fds[0]), timeout_ms);
	unsigned flags = signals_take(SIGNAL_TERMINATE | SIGNAL_INTERRUPT);
	if (ready > 0 && fds[0].revents)
		pump(session);
	if (flags & SIGNAL_TERMINATE)
		return TURN_TERMINATE;
	if (flags & SIGNAL_INTERRUPT)
		return TURN_INTERRUPT;
	if (ready > 0 && fds[2].revents & (POLLERR))
		return TURN_NO_OUTPUT;
	if (ready == 0)
		return TURN_TIMEOUT;
	return ready > 0 && fds[1].revents ? TURN_INPUT : TURN_ON;
}

static bool is_there(const struct exchange *exchange)
{
	return exchange->over || (exchange->line && exchange->status == 200);
}

/* Why the wait for an answer ended without one. */
static void say_no_answer(const struct session *session, enum turn turn, struct refusal *why)
{
	if (turn == TURN_OVER)
		*why = session->why;
	else if (turn == TURN_TIMEOUT)
		refusal_say(why, "%s: no answer for %d s", session->authority,
			    SESSION_PATIENCE_MS / 1000);
	else
		refusal_say(why, "interrupted");
}

enum turn session_await(struct session *session, struct exchange *exchange, struct refusal *why)
{
	int64_t deadline = clock_ms() + SESSION_PATIENCE_MS;
	enum turn turn = TURN_ON;

	while (!is_there(exchange) && turn == TURN_ON) {
		int64_t left = deadline - clock_ms();
		turn = session_turn(session, -1, -1, left > 0 ? (int)left : 0);
	}
	if (is_there(exchange))
		return TURN_ON;
	say_no_answer(session, turn, why);
	session_forget(session, exchange);
	return turn;
}
