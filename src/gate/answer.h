/* Responses of the kinds the interface has. Each 0, or -1 when there is no memory for it. */
#ifndef VMM_GATE_ANSWER_H
#define VMM_GATE_ANSWER_H

#include <jansson.h>

#include "http2.h"
#include "text.h"

/* VALUE is taken. LOCATION may be NULL. */
int answer_json(struct http2_stream *stream, int status, json_t *value, const char *location);
/* 200 with TEXT, which stays the caller's. */
int answer_text(struct http2_stream *stream, const char *type, const struct text *text);
int answer_nothing(struct http2_stream *stream);
/* SIZE bytes that come from BODY, which is the stream's either way. */
int answer_bytes(struct http2_stream *stream, uint64_t size, const struct http2_body *body);
/* A problem document (RFC 9457) of type urn:vmm:WORD. */
int answer_problem(struct http2_stream *stream, int status, const char *word, const char *format,
		   ...) __attribute__((format(printf, 4, 5)));
/* The beginning of a stream: BODY is the stream's either way. */
int answer_stream(struct http2_stream *stream, bool plain, const struct http2_body *body);

#endif
