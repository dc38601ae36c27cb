/*
 * HTTP/2 sessions and their streams: requests, responses and outgoing bodies. It never touches the
 * connection (http2_io.c does), never logs, knows no route.
 */
#include "http2.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http2_private.h"

#define REQUEST_HEADERS_MAX 16

enum http2_result http2_fail(struct http2 *session, enum http2_result result, const char *format,
			     ...)
{
	va_list args;

	if (session->result != HTTP2_OPEN)
		return session->result;
	if (session->rules_broken) /* the GOAWAY that said so noted the problem */
		return session->result = HTTP2_PROTOCOL;
	session->result = result;
	va_start(args, format);
	vsnprintf(session->problem, sizeof(session->problem), format, args);
	va_end(args);
	return result;
}

struct http2_stream *http2_stream_new(struct http2 *session)
{
	struct http2_stream *stream = calloc(1, sizeof(*stream));

	if (!stream)
		return NULL;
	stream->session = session;
	stream->next = session->streams;
	session->streams = stream;
	session->nstreams++;
	return stream;
}

static void body_release(struct http2_body *body)
{
	if (body->release)
		body->release(body->arg);
	*body = (struct http2_body){0};
}

void http2_stream_free(struct http2 *session, struct http2_stream *stream)
{
	struct http2_stream **at = &session->streams;
	bool complete = session->side == HTTP2_CLIENT ? stream->received_all : stream->sent_all;

	if (stream->known && session->events->closed)
		session->events->closed(session->arg, stream, complete);
	body_release(&stream->body);
	while (*at && *at != stream)
		at = &(*at)->next;
	if (*at)
		*at = stream->next;
	session->nstreams--;
	free(stream->head);
	free(stream);
}

struct http2 *http2_new(SSL *ssl, enum http2_side side, const struct http2_events *events,
			void *arg)
{
	struct http2 *session = calloc(1, sizeof(*session));

	if (!session)
		return NULL;
	session->ssl = ssl;
	session->side = side;
	session->events = events;
	session->arg = arg;
	SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	if (http2_frames_new(session)) {
		http2_free(session);
		return NULL;
	}
	return session;
}

void http2_free(struct http2 *session)
{
	if (!session)
		return;
	while (session->streams)
		http2_stream_free(session, session->streams);
	nghttp2_session_del(session->frames);
	free(session);
}

/* Requests and responses. */

static nghttp2_nv header_pair(const char *name, const char *value)
{
	nghttp2_nv pair = {
	    .name = (uint8_t *)(uintptr_t)name, /* nghttp2 copies what it is given */
	    .value = (uint8_t *)(uintptr_t)value,
	    .namelen = strlen(name),
	    .valuelen = strlen(value),
	};

	return pair;
}

static size_t header_pairs(nghttp2_nv *pair, size_t n, const struct http2_header *header,
			   size_t nheaders)
{
	for (size_t i = 0; i < nheaders; i++)
		pair[n++] = header_pair(header[i].name, header[i].value);
	return n;
}

struct http2_stream *http2_request(struct http2 *session, const struct http2_request *request,
				   void *user)
{
	nghttp2_nv pair[4 + REQUEST_HEADERS_MAX] = {
	    header_pair(":method", request->method),
	    header_pair(":scheme", "https"),
	    header_pair(":authority", request->authority),
	    header_pair(":path", request->path),
	};
	struct http2_stream *stream = NULL;
	struct http2_body body = request->body;
	nghttp2_data_provider provider = {.read_callback = http2_body_wanted};

	if (request->nheaders <= REQUEST_HEADERS_MAX && session->result == HTTP2_OPEN)
		stream = http2_stream_new(session);
	if (!stream) {
		body_release(&body);
		return NULL;
	}
	stream->user = user;
	stream->body = body;
	provider.source.ptr = stream;
	stream->id = nghttp2_submit_request(
	    session->frames, NULL, pair, header_pairs(pair, 4, request->header, request->nheaders),
	    body.read ? &provider : NULL, stream);
	if (stream->id > 0) {
		stream->known = true;
		return stream;
	}
	http2_stream_free(session, stream);
	return NULL;
}

int http2_respond(struct http2_stream *stream, int status, const struct http2_header *header,
		  size_t nheaders, const struct http2_body *body)
{
	nghttp2_nv pair[1 + REQUEST_HEADERS_MAX];
	nghttp2_data_provider provider = {.source.ptr = stream, .read_callback = http2_body_wanted};
	struct http2_body mine = body ? *body : (struct http2_body){0};
	char digits[16];

	if (stream->responded || nheaders > REQUEST_HEADERS_MAX) {
		body_release(&mine);
		return -1;
	}
	stream->responded = true;
	stream->body = mine;
	http2_taken(stream,
		    stream->untaken); /* what waits, and what comes, has no place any more */
	stream->paced = false;
	snprintf(digits, sizeof(digits), "%d", status);
	pair[0] = header_pair(":status", digits);
	return nghttp2_submit_response(stream->session->frames, stream->id, pair,
				       header_pairs(pair, 1, header, nheaders),
				       mine.read ? &provider : NULL)
		   ? -1
		   : 0;
}

/* What a body that is a copy keeps. */
struct copy {
	size_t size, at;
	uint8_t bytes[];
};

static ssize_t copy_read(void *arg, uint8_t *out, size_t size, bool *last)
{
	struct copy *copy = arg;
	size_t left = copy->size - copy->at;
	size_t n = left < size ? left : size;

	memcpy(out, copy->bytes + copy->at, n);
	copy->at += n;
	*last = n == left;
	return (ssize_t)n;
}

bool http2_body_copy(struct http2_body *body, const void *bytes, size_t size)
{
	struct copy *copy = malloc(sizeof(*copy) + size);

	if (!copy)
		return false;
	copy->size = size;
	copy->at = 0;
	if (size > 0)
		memcpy(copy->bytes, bytes, size);
	*body = (struct http2_body){.read = copy_read, .release = free, .arg = copy};
	return true;
}

/* What callers ask about streams, and tell them. */

const char *http2_header(const struct http2_stream *stream, const char *name)
{
	const char *at = stream->head, *end = stream->head + stream->head_size;

	while (at < end) {
		const char *value = at + strlen(at) + 1;

		if (!strcmp(at, name))
			return value;
		at = value + strlen(value) + 1;
	}
	return NULL;
}

int http2_status(const struct http2_stream *stream)
{
	return stream->status;
}

void *http2_user(const struct http2_stream *stream)
{
	return stream->user;
}

void http2_set_user(struct http2_stream *stream, void *user)
{
	stream->user = user;
}

void http2_resume(struct http2_stream *stream)
{
	if (!stream->deferred)
		return;
	stream->deferred = false;
	nghttp2_session_resume_data(stream->session->frames, stream->id);
}

void http2_pace(struct http2_stream *stream, uint32_t window)
{
	stream->paced = true;
	nghttp2_session_set_local_window_size(stream->session->frames, NGHTTP2_FLAG_NONE,
					      stream->id, (int32_t)window);
}

void http2_taken(struct http2_stream *stream, size_t size)
{
	if (size > stream->untaken)
		size = stream->untaken;
	stream->untaken -= size;
	if (size > 0)
		nghttp2_session_consume_stream(stream->session->frames, stream->id, size);
}

void http2_cancel(struct http2_stream *stream)
{
	nghttp2_submit_rst_stream(stream->session->frames, NGHTTP2_FLAG_NONE, stream->id,
				  NGHTTP2_CANCEL);
}
