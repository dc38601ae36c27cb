/*
 * What an HTTP/2 session has nghttp2 do: its callbacks, and the limits that bound a peer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http2_private.h"

#define OUTBOUND_ACKS_MAX 64 /* PING and SETTINGS answers that may wait to be sent */
/* What may be under way to us on a connection, and to a client on a stream: what a long line holds
 * at tens of MB a second. A server's streams have HTTP/2's 64 KB, but for paced ones. */
#define WINDOW_SIZE (1 << 20)

static struct http2_stream *stream_find(nghttp2_session *frames, int32_t id)
{
	return nghttp2_session_get_stream_user_data(frames, id);
}

static bool head_append(struct http2_stream *stream, const uint8_t *text, size_t size)
{
	size_t need = stream->head_size + size + 1;

	if (need > stream->head_room) {
		size_t room = need < 512 ? 512 : 2 * need;
		char *head = realloc(stream->head, room);

		if (!head)
			return false;
		stream->head = head;
		stream->head_room = room;
	}
	memcpy(stream->head + stream->head_size, text, size);
	stream->head[need - 1] = '\0';
	stream->head_size = need;
	return true;
}

static void head_clear(struct http2_stream *stream)
{
	stream->head_size = 0;
	stream->head_cost = 0;
	stream->status = 0;
}

/* nghttp2's callbacks: incoming. */

static int on_begin_headers(nghttp2_session *frames, const nghttp2_frame *frame, void *arg)
{
	struct http2 *session = arg;
	struct http2_stream *stream;

	if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
		return 0;
	stream = http2_stream_new(session);
	if (!stream)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	stream->id = frame->hd.stream_id;
	nghttp2_session_set_stream_user_data(frames, stream->id, stream);
	return 0;
}

static int on_header(nghttp2_session *frames, const nghttp2_frame *frame, const uint8_t *name,
		     size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags,
		     void *arg)
{
	struct http2_stream *stream = stream_find(frames, frame->hd.stream_id);

	(void)flags;
	(void)arg;
	if (!stream)
		return 0;
	/* Trailers count against the same limit, and nobody reads them. */
	stream->head_cost += name_size + value_size + 32;
	if (stream->head_cost > HTTP2_HEADERS_MAX)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	if (stream->head_seen)
		return 0;
	if (!head_append(stream, name, name_size) || !head_append(stream, value, value_size))
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	if (name_size == 7 && !memcmp(name, ":status", 7))
		stream->status = atoi((const char *)value); /* nghttp2 saw three digits */
	return 0;
}

static void headers_received(struct http2 *session, struct http2_stream *stream)
{
	if (stream->head_seen)
		return;
	if (session->side == HTTP2_CLIENT && stream->status < 200) {
		head_clear(stream); /* interim: the final response comes in a list of its own */
		return;
	}
	stream->head_seen = stream->known = true;
	session->progress += stream->head_size;
	if (session->events->head)
		session->events->head(session->arg, stream);
}

static void goaway_received(struct http2 *session, const nghttp2_goaway *frame)
{
	size_t n = frame->opaque_data_len;

	if (frame->error_code != NGHTTP2_NO_ERROR) {
		session->rules_broken = true;
		snprintf(session->problem, sizeof(session->problem),
			 "the peer ended the HTTP/2 session: %s",
			 nghttp2_http2_strerror(frame->error_code));
	}
	if (n >= sizeof(session->goodbye))
		n = sizeof(session->goodbye) - 1;
	if (n > 0)
		memcpy(session->goodbye, frame->opaque_data, n);
	session->goodbye[n] = '\0';
}

static int on_frame_recv(nghttp2_session *frames, const nghttp2_frame *frame, void *arg)
{
	struct http2 *session = arg;
	struct http2_stream *stream;

	if (frame->hd.type == NGHTTP2_GOAWAY)
		goaway_received(session, &frame->goaway);
	if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
		return 0;
	stream = stream_find(frames, frame->hd.stream_id);
	if (!stream)
		return 0;
	if (frame->hd.type == NGHTTP2_HEADERS)
		headers_received(session, stream);
	if (!(frame->hd.flags & NGHTTP2_FLAG_END_STREAM) || !stream->head_seen)
		return 0;
	stream->received_all = true;
	/* What the server answered does not hang on the rest of our body. */
	if (session->side == HTTP2_CLIENT && stream->body.read && !stream->sent_all)
		nghttp2_submit_rst_stream(frames, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_NO_ERROR);
	if (session->events->end)
		session->events->end(session->arg, stream);
	return 0;
}

/* Without this a client could go on sending into a stream that nobody reads. */
static void end_discarding(struct http2_stream *stream)
{
	if (stream->sent_all && !stream->received_all && stream->discarded > HTTP2_DISCARD_MAX)
		nghttp2_submit_rst_stream(stream->session->frames, NGHTTP2_FLAG_NONE, stream->id,
					  NGHTTP2_NO_ERROR);
}

static void body_discarded(struct http2_stream *stream, size_t size)
{
	stream->discarded += size;
	end_discarding(stream);
}

static int on_data(nghttp2_session *frames, uint8_t flags, int32_t id, const uint8_t *bytes,
		   size_t size, void *arg)
{
	struct http2 *session = arg;
	struct http2_stream *stream = stream_find(frames, id);

	(void)flags;
	session->progress += size;
	/* The connection's window is never what a slow stream closes: others share it. */
	nghttp2_session_consume_connection(frames, size);
	if (!stream || !stream->head_seen || !stream->paced)
		nghttp2_session_consume_stream(frames, id, size);
	if (!stream || !stream->head_seen)
		return 0;
	if (stream->paced)
		stream->untaken += size;
	if (stream->responded)
		body_discarded(stream, size);
	else if (session->events->body)
		session->events->body(session->arg, stream, bytes, size);
	return 0;
}

static int on_stream_close(nghttp2_session *frames, int32_t id, uint32_t error, void *arg)
{
	struct http2_stream *stream = stream_find(frames, id);

	(void)error;
	if (stream)
		http2_stream_free(arg, stream);
	return 0;
}

/* nghttp2's callbacks: outgoing. */

ssize_t http2_body_wanted(nghttp2_session *frames, int32_t id, uint8_t *out, size_t size,
			  uint32_t *flags, nghttp2_data_source *source, void *arg)
{
	struct http2_stream *stream = source->ptr;
	bool last = false;
	ssize_t n = stream->body.read(stream->body.arg, out, size, &last);

	(void)frames;
	(void)id;
	(void)arg;
	if (n == HTTP2_FAIL || n > (ssize_t)size)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	if (last) {
		*flags |= NGHTTP2_DATA_FLAG_EOF;
		return n > 0 ? n : 0;
	}
	if (n <= 0) {
		stream->deferred = true;
		return NGHTTP2_ERR_DEFERRED;
	}
	return n;
}

static int on_frame_send(nghttp2_session *frames, const nghttp2_frame *frame, void *arg)
{
	struct http2 *session = arg;
	struct http2_stream *stream;

	if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code != NGHTTP2_NO_ERROR) {
		session->rules_broken = true;
		snprintf(session->problem, sizeof(session->problem),
			 "the peer broke the rules of HTTP/2: %s",
			 nghttp2_http2_strerror(frame->goaway.error_code));
	}
	if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
		return 0;
	session->progress += frame->hd.length;
	stream = stream_find(frames, frame->hd.stream_id);
	if (stream && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)) {
		stream->sent_all = true;
		end_discarding(stream);
	}
	return 0;
}

/* Setting up. */

static void callbacks_fill(nghttp2_session_callbacks *callbacks)
{
	nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
	nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_send);
}

static void options_fill(nghttp2_option *option)
{
	nghttp2_option_set_max_outbound_ack(option, OUTBOUND_ACKS_MAX);
	nghttp2_option_set_max_settings(option, 16);
	nghttp2_option_set_max_continuations(option, 4);
	nghttp2_option_set_stream_reset_rate_limit(option, 100, 20);
	nghttp2_option_set_no_closed_streams(option, 1);
	nghttp2_option_set_no_auto_window_update(option, 1); /* on_data does it */
}

static int session_new(struct http2 *session)
{
	nghttp2_session_callbacks *callbacks = NULL;
	nghttp2_option *option = NULL;
	int problem = NGHTTP2_ERR_NOMEM;

	if (nghttp2_session_callbacks_new(&callbacks) || nghttp2_option_new(&option))
		goto out;
	callbacks_fill(callbacks);
	options_fill(option);
	problem = session->side == HTTP2_SERVER
		      ? nghttp2_session_server_new2(&session->frames, callbacks, session, option)
		      : nghttp2_session_client_new2(&session->frames, callbacks, session, option);
out:
	nghttp2_option_del(option);
	nghttp2_session_callbacks_del(callbacks);
	return problem;
}

static int settings_submit(struct http2 *session)
{
	nghttp2_settings_entry server[] = {
	    {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, HTTP2_STREAMS_MAX},
	    {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HTTP2_HEADERS_MAX},
	};
	nghttp2_settings_entry client[] = {
	    {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
	    {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HTTP2_HEADERS_MAX},
	    {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW_SIZE},
	};
	bool is_server = session->side == HTTP2_SERVER;

	return nghttp2_submit_settings(session->frames, NGHTTP2_FLAG_NONE,
				       is_server ? server : client, is_server ? 2 : 3);
}

int http2_frames_new(struct http2 *session)
{
	int problem = session_new(session);

	if (problem)
		return problem;
	problem = settings_submit(session);
	return problem ? problem
		       : nghttp2_session_set_local_window_size(session->frames, NGHTTP2_FLAG_NONE,
							       0, WINDOW_SIZE);
}
