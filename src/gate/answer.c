/* HTTP responses: headers, JSON, problem documents. */
#include "answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "render.h"

#define HEADERS_MAX 6

/* With every response: it is of this moment, and it is what its content-type says. */
static size_t common_headers(struct http2_header *header, const char *type, const char *location)
{
	size_t n = 0;

	header[n++] = (struct http2_header){"cache-control", "no-store"};
	header[n++] = (struct http2_header){"x-content-type-options", "nosniff"};
	if (type)
		header[n++] = (struct http2_header){"content-type", type};
	if (location)
		header[n++] = (struct http2_header){"location", location};
	return n;
}

static int respond(struct http2_stream *stream, int status, const char *type, const char *location,
		   const void *bytes, size_t size)
{
	struct http2_header header[HEADERS_MAX];
	size_t n = common_headers(header, type, location);
	const char *method = http2_header(stream, ":method");
	struct http2_body body = {0};

	if (size > 0 && method && strcmp(method, "HEAD") != 0 &&
	    !http2_body_copy(&body, bytes, size)) {
		http2_cancel(stream);
		return -1;
	}
	return http2_respond(stream, status, header, n, &body);
}

/* VALUE with a newline, for people who use curl. */
static int respond_json(struct http2_stream *stream, int status, const char *type,
			const char *location, json_t *value)
{
	char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;
	size_t size = text ? strlen(text) : 0;
	int result = -1;

	json_decref(value);
	if (text) {
		text[size++] = '\n'; /* takes the place of the terminator */
		result = respond(stream, status, type, location, text, size);
	} else {
		http2_cancel(stream);
	}
	free(text);
	return result;
}

int answer_json(struct http2_stream *stream, int status, json_t *value, const char *location)
{
	return respond_json(stream, status, "application/json", location, value);
}

int answer_text(struct http2_stream *stream, const char *type, const struct text *text)
{
	return respond(stream, 200, type, NULL, text->bytes, text->size);
}

int answer_nothing(struct http2_stream *stream)
{
	return respond(stream, 204, NULL, NULL, NULL, 0);
}

int answer_bytes(struct http2_stream *stream, uint64_t size, const struct http2_body *body)
{
	struct http2_header header[HEADERS_MAX];
	size_t n = common_headers(header, "application/octet-stream", NULL);
	char length[24];

	snprintf(length, sizeof(length), "%llu", (unsigned long long)size);
	header[n++] = (struct http2_header){"content-length", length};
	return http2_respond(stream, 200, header, n, body);
}

int answer_problem(struct http2_stream *stream, int status, const char *word, const char *format,
		   ...)
{
	char detail[DETAIL_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);
	return respond_json(stream, status, "application/problem+json", NULL,
			    render_problem(status, word, detail));
}

int answer_stream(struct http2_stream *stream, bool plain, const struct http2_body *body)
{
	struct http2_header header[HEADERS_MAX];
	size_t n = common_headers(
	    header, plain ? "text/plain; charset=utf-8" : "application/x-ndjson", NULL);

	return http2_respond(stream, 200, header, n, body);
}
