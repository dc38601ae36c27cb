/* The routes of volumes: listed, created, destroyed; their contents out and in. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "dump.h"
#include "gather.h"
#include "handlers.h"
#include "render.h"
#include "upload.h"

/* GET /volumes, GET /volumes/PATH */

void volumes_start(struct exchange *x)
{
	exchange_ask_path(x, MSG_VOLUME_LIST);
}

void volumes_reply(struct exchange *x, struct incoming *in)
{
	if (in->type == MSG_REPLY_VOLUME)
		gather_append(x, "[", render_volume(&in->body.reply_volume));
	else if (in->type == MSG_REPLY_END)
		gather_answer(x, "[", "]\n");
}

/* PUT /volumes/PATH */

void volume_create_start(struct exchange *x)
{
	const char *size = target_parameter(&x->target, "size");
	struct msg_volume_create ask = {0};

	if (!size || !number_parse(size, 1, POLICY_NUMBER_MAX, &ask.size_mb)) {
		exchange_problem(x, 400, "bad-request",
				 "size says how large the volume is to be, in MB: size=1 to "
				 "size=2147483647");
		return;
	}
	memcpy(ask.path, x->path, sizeof(ask.path));
	exchange_ask(x, MSG_VOLUME_CREATE, &ask);
}

void volume_create_reply(struct exchange *x, struct incoming *in)
{
	if (in->type == MSG_REPLY_VOLUME)
		gather_object(x, render_volume(&in->body.reply_volume));
	else if (in->type == MSG_REPLY_END)
		gather_created(x, "/volumes/");
}

/* DELETE /volumes/PATH */

void volume_destroy_start(struct exchange *x)
{
	exchange_ask_path(x, MSG_VOLUME_DESTROY);
}

static void no_memory(struct exchange *x)
{
	exchange_problem(x, 503, "unavailable", "no memory for another transfer");
}

/* GET /volumes/PATH/data */

void volume_read_start(struct exchange *x)
{
	exchange_ask_path(x, MSG_VOLUME_READ);
}

void volume_read_reply(struct exchange *x, struct incoming *in)
{
	if (in->type == MSG_REPLY_END && x->dump)
		dump_let_go(x->dump);
	if (in->type != MSG_REPLY_DATA)
		return;
	x->dump = dump_start(x->stream, channel_take(in, 0), in->body.reply_data.size);
	if (x->dump)
		x->answered = true;
	else
		no_memory(x);
}

/* PUT /volumes/PATH/data */

/* What the client says that it is going to send. */
static uint64_t announced(const struct http2_stream *stream)
{
	const char *text = http2_header(stream, "content-length");
	uint64_t size = 0;

	if (!text || *text == '\0')
		return VOLUME_SIZE_UNKNOWN;
	for (; isdigit((unsigned char)*text); text++) {
		if (size > (VOLUME_SIZE_UNKNOWN - 10) / 10)
			return VOLUME_SIZE_UNKNOWN - 1;
		size = 10 * size + (uint64_t)(*text - '0');
	}
	return *text == '\0' ? size : VOLUME_SIZE_UNKNOWN;
}

void volume_write_start(struct exchange *x)
{
	struct msg_volume_write ask = {.size = announced(x->stream)};

	x->upload = upload_new(x->stream);
	if (!x->upload) {
		no_memory(x);
		return;
	}
	memcpy(ask.path, x->path, sizeof(ask.path));
	exchange_ask(x, MSG_VOLUME_WRITE, &ask);
}

static void too_long(struct exchange *x)
{
	char detail[DETAIL_SIZE];

	snprintf(detail, sizeof(detail), "%.200s holds %llu MB, and what is sent is more", x->path,
		 (unsigned long long)(upload_room(x->upload) >> 20));
	exchange_problem(x, 413, "too-large", detail);
}

/*
 * In this order: a socket that ends and no VOLUME_WRITTEN in front of that is an upload that broke
 * off.
 */
static void written(struct exchange *x)
{
	struct msg_id whole = {.id = x->id};

	exchange_tell(x, MSG_VOLUME_WRITTEN, &whole);
	desk_flush(x->desk);
}

void volume_write_ready(struct exchange *x)
{
	switch (upload_flush(x->upload)) {
	case UPLOAD_ON:
		break;
	case UPLOAD_TOO_LONG:
		too_long(x);
		break;
	case UPLOAD_WHOLE:
		written(x);
		break;
	}
}

void volume_write_body(struct exchange *x, const uint8_t *bytes, size_t size)
{
	if (!x->upload)
		return;
	if (bytes)
		upload_body(x->upload, bytes, size);
	else
		upload_end(x->upload);
	volume_write_ready(x);
}

void volume_write_reply(struct exchange *x, struct incoming *in)
{
	if (in->type == MSG_REPLY_DATA) {
		upload_open(x->upload, channel_take(in, 0), in->body.reply_data.size);
		volume_write_ready(x);
	} else if (in->type == MSG_REPLY_END) {
		x->answered = true;
		answer_nothing(x->stream);
	}
}
