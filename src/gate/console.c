/* GET /vms/PATH/console. */
#include "console.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "answer.h"
#include "handlers.h"
#include "render.h"
#include "times.h"

#define CONSOLE_BUFFER (2 * RENDER_ENTRY_MAX)
/* More than a ring has. */
#define LINES_MAX 1000000

struct console {
	struct http2_stream *stream;
	struct channel reader; /* closed: the stream ends with what is buffered */
	bool plain, follow;
	bool told; /* why it ends has been said: {"detached"} or {"ended"} */
	size_t from, to;
	char buffer[CONSOLE_BUFFER];
};

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* The query into ASK; NULL, or what is wrong with it. */
static const char *query_read(const struct target *target, struct msg_console_open *ask)
{
	const char *since = target_parameter(target, "since");
	const char *lines = target_parameter(target, "lines");
	const char *follow = target_parameter(target, "follow");
	bool flag = false;

	if (since && !time_parse(since, now_us(), &ask->since_us))
		return "since takes a time like 2017-07-10T09:43:39Z, or -600s";
	if (lines && !number_parse(lines, 1, LINES_MAX, &ask->lines))
		return "lines takes a number from 1 to 1000000";
	if (follow && !flag_parse(follow, &flag))
		return "follow is given as follow, or follow=0";
	ask->follow = flag;
	return NULL;
}

void console_start(struct exchange *x)
{
	struct msg_console_open ask = {0};
	const char *problem = query_read(&x->target, &ask);

	if (problem) {
		exchange_problem(x, 400, "bad-request", problem);
		return;
	}
	memcpy(ask.path, x->path, sizeof(ask.path));
	x->follow = ask.follow;
	exchange_ask(x, MSG_CONSOLE_OPEN, &ask);
}

static size_t room(const struct console *console)
{
	return sizeof(console->buffer) - (console->to - console->from);
}

/* HTTP/2 takes what is there. */
static ssize_t console_read(void *arg, uint8_t *out, size_t size, bool *last)
{
	struct console *console = arg;
	size_t n = console->to - console->from;

	if (n > size)
		n = size;
	memcpy(out, console->buffer + console->from, n);
	console->from += n;
	*last = console->reader.fd < 0 && console->from == console->to;
	return n == 0 && !*last ? HTTP2_DEFER : (ssize_t)n;
}

void console_reply(struct exchange *x, struct incoming *in)
{
	const char *accept = http2_header(x->stream, "accept");
	struct console *console;

	if (in->type != MSG_REPLY_STREAM)
		return;
	console = calloc(1, sizeof(*console));
	if (!console) {
		exchange_problem(x, 503, "unavailable", "no memory for another stream");
		return;
	}
	console->stream = x->stream;
	console->plain = accept && strstr(accept, "text/plain");
	console->follow = x->follow;
	channel_init(&console->reader, channel_take(in, 0), LINK_READER, SIDE_LOWER);
	channel_set_nonblocking(&console->reader);
	x->console = console;
	x->answered = true;
	answer_stream(x->stream, console->plain,
		      &(struct http2_body){.read = console_read, .arg = console});
}

int console_wants(const struct console *console)
{
	return room(console) >= RENDER_ENTRY_MAX ? console->reader.fd : -1;
}

/* Where the next entry goes; there is room for one. */
static char *entry_place(struct console *console)
{
	memmove(console->buffer, console->buffer + console->from, console->to - console->from);
	console->to -= console->from;
	console->from = 0;
	return console->buffer + console->to;
}

static void entry_append(struct console *console, const struct incoming *in)
{
	char *out = entry_place(console);

	switch (in->type) {
	case MSG_LINE:
		console->to += render_line(&in->body.line, console->plain, out);
		break;
	case MSG_GAP:
		console->to += render_gap(&in->body.gap, console->plain, out);
		break;
	case MSG_DETACHED:
		console->told = true;
		console->to += render_detached("attached elsewhere", console->plain, out);
		break;
	case MSG_ENDED:
		console->told = true;
		console->to += render_ended(&in->body.ended, console->plain, out);
		break;
	default:
		break;
	}
}

void console_end(struct console *console, const char *why)
{
	if (console->follow && !console->told && room(console) >= RENDER_ENTRY_MAX)
		console->to += render_detached(why, console->plain, entry_place(console));
	console->told = true;
	channel_close(&console->reader);
	http2_resume(console->stream);
}

void console_receive(struct console *console)
{
	static struct incoming in;

	while (console_wants(console) >= 0) {
		enum channel_result result = channel_recv(&console->reader, &in);

		if (result == CHANNEL_AGAIN)
			break;
		if (result != CHANNEL_MESSAGE) {
			/* Whoever follows is told, unless the console said itself why. */
			console_end(console, "console restarted");
			return;
		}
		entry_append(console, &in);
		incoming_close(&in);
	}
	http2_resume(console->stream);
}

void console_close(struct console *console)
{
	if (!console)
		return;
	channel_close(&console->reader);
	free(console);
}
