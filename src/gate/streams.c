/* The routes that answer with a stream: a VM's console, the event log. */
#include <string.h>
#include <time.h>

#include "feed.h"
#include "handlers.h"
#include "render.h"
#include "times.h"

/* More than a ring has. */
#define LINES_MAX 1000000

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* The query's "since" and "follow", which every stream has; NULL, or what is wrong with them. */
static const char *query_read(struct exchange *x, int64_t *since_us)
{
	const char *since = target_parameter(&x->target, "since");
	const char *follow = target_parameter(&x->target, "follow");

	if (since && !time_parse(since, now_us(), since_us))
		return "since takes a time like 2017-07-10T09:43:39Z, or -600s";
	if (follow && !flag_parse(follow, &x->follow))
		return "follow is given as follow, or follow=0";
	return NULL;
}

static void reply(struct exchange *x, struct incoming *in, const struct feed_kind *kind)
{
	if (in->type != MSG_REPLY_STREAM)
		return;
	x->feed = feed_start(x->stream, kind, channel_take(in, 0), x->follow);
	if (x->feed)
		x->answered = true;
	else
		exchange_problem(x, 503, "unavailable", "no memory for another stream");
}

/* GET /vms/PATH/console */

void console_start(struct exchange *x)
{
	const char *lines = target_parameter(&x->target, "lines");
	struct msg_console_open ask = {0};
	const char *problem = query_read(x, &ask.since_us);

	if (!problem && lines && !number_parse(lines, 1, LINES_MAX, &ask.lines))
		problem = "lines takes a number from 1 to 1000000";
	if (problem) {
		exchange_problem(x, 400, "bad-request", problem);
		return;
	}
	memcpy(ask.path, x->path, sizeof(ask.path));
	ask.follow = x->follow;
	exchange_ask(x, MSG_CONSOLE_OPEN, &ask);
}

static size_t console_render(const struct incoming *in, bool plain, char *out)
{
	switch (in->type) {
	case MSG_LINE:
		return render_line(&in->body.line, plain, out);
	case MSG_GAP:
		return render_gap(&in->body.gap, "lines", plain, out);
	case MSG_DETACHED:
		return render_detached("attached elsewhere", plain, out);
	case MSG_ENDED:
		return render_ended(&in->body.ended, plain, out);
	default:
		return 0;
	}
}

void console_reply(struct exchange *x, struct incoming *in)
{
	static const struct feed_kind kind = {console_render, "console restarted"};

	reply(x, in, &kind);
}

/* GET /log */

void log_start(struct exchange *x)
{
	struct msg_log_open ask = {0};
	const char *problem = query_read(x, &ask.since_us);

	if (problem) {
		exchange_problem(x, 400, "bad-request", problem);
		return;
	}
	ask.follow = x->follow;
	exchange_ask(x, MSG_LOG_OPEN, &ask);
}

static size_t log_render(const struct incoming *in, bool plain, char *out)
{
	switch (in->type) {
	case MSG_ENTRY:
		return render_entry(&in->body.entry, plain, out);
	case MSG_GAP:
		return render_gap(&in->body.gap, "entries", plain, out);
	default:
		return 0;
	}
}

void log_reply(struct exchange *x, struct incoming *in)
{
	static const struct feed_kind kind = {log_render, "log restarted"};

	reply(x, in, &kind);
}
