/* The loop of a session, and its deadlines. */
#include "serve.h"

#include <poll.h>
#include <time.h>

#include "console.h"
#include "exchange.h"

#define IDLE_MS	    600000 /* without requests or streams */
#define REFUSED_MS  30000  /* long enough to ask, and to be told why not */
#define STALL_MS    60000  /* output waits, and the client takes less of it in this time than */
#define STALL_BYTES 4096
#define GOODBYE_MS  5000 /* for what is still under way when the session is over */
#define FDS_MAX	    (2 + HTTP2_STREAMS_MAX)

struct loop {
	struct http2 *http;
	struct desk desk;
	bool once;
	bool ended;		/* vmmd has ended the session: */
	int64_t ended_ms;	/* when */
	bool leaving;		/* the client was told */
	int64_t leaving_ms;	/* when */
	int64_t active_ms;	/* when a request was last under way */
	bool stalled;		/* output waits; */
	int64_t stalled_ms;	/* since when, */
	uint64_t stalled_bytes; /* and how much had gone until then */
	nfds_t nfds;
	struct pollfd fds[FDS_MAX];
	struct console *console[FDS_MAX];
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void leave(struct loop *loop, int64_t now)
{
	if (loop->leaving)
		return;
	http2_goaway(loop->http);
	loop->leaving = true;
	loop->leaving_ms = now;
}

/* Whether the client has taken too little of what waits for too long. */
static bool is_stalled(struct loop *loop, int64_t now)
{
	uint64_t sent = http2_progress(loop->http);

	if (!http2_blocked(loop->http)) {
		loop->stalled = false;
		return false;
	}
	if (!loop->stalled || sent >= loop->stalled_bytes + STALL_BYTES) {
		loop->stalled = true;
		loop->stalled_ms = now;
		loop->stalled_bytes = sent;
	}
	return now - loop->stalled_ms >= STALL_MS;
}

static int64_t idle_allowed(const struct loop *loop)
{
	return loop->desk.refused ? REFUSED_MS : IDLE_MS;
}

/*
 * Whether it is time for the goodbye. Answers go out before it: not every client reads on after a
 * GOAWAY, though it should.
 */
static bool is_finished(const struct loop *loop, int64_t now)
{
	if (now - loop->active_ms >= idle_allowed(loop) ||
	    (loop->ended && now - loop->ended_ms >= GOODBYE_MS))
		return true;
	return !desk_busy(&loop->desk) && (loop->ended || (loop->once && loop->desk.answered > 0));
}

/* False: it is over, whatever is still under way. */
static bool deadlines_kept(struct loop *loop)
{
	int64_t now = now_ms();

	if (desk_busy(&loop->desk) && !loop->leaving)
		loop->active_ms = now;
	if (is_finished(loop, now))
		leave(loop, now);
	if (is_stalled(loop, now))
		return false;
	return !loop->leaving || desk_busy(&loop->desk) || now - loop->leaving_ms < GOODBYE_MS;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* How long poll may wait until a deadline has to be looked at; -1: there is none. */
static int wait_ms(const struct loop *loop)
{
	int64_t now = now_ms(), until = INT64_MAX;

	if (loop->stalled)
		until = loop->stalled_ms + STALL_MS;
	if (loop->ended && !loop->leaving)
		until = earlier(until, loop->ended_ms + GOODBYE_MS);
	if (loop->leaving && !desk_busy(&loop->desk))
		until = earlier(until, loop->leaving_ms + GOODBYE_MS);
	if (!loop->leaving)
		until = earlier(until, loop->active_ms + idle_allowed(loop));
	if (until == INT64_MAX)
		return -1;
	return until > now ? (int)(until - now) : 0;
}

static void fds_add(struct loop *loop, int fd, short events, struct console *console)
{
	if (fd < 0 || loop->nfds == FDS_MAX)
		return;
	loop->fds[loop->nfds] = (struct pollfd){.fd = fd, .events = events};
	loop->console[loop->nfds++] = console;
}

static void fds_fill(struct loop *loop, int tcp, short tcp_events)
{
	struct desk *desk = &loop->desk;

	loop->nfds = 0;
	fds_add(loop, tcp, tcp_events, NULL);
	fds_add(loop, desk->session.fd, desk->outbox.first ? POLLIN | POLLOUT : POLLIN, NULL);
	for (struct exchange *x = desk->exchanges; x; x = x->next)
		fds_add(loop, x->console ? console_wants(x->console) : -1, POLLIN, x->console);
}

/* What vmmd and the consoles have. Streams end in http2_io only, so CONSOLE's are alive. */
static void receive(struct loop *loop)
{
	struct desk *desk = &loop->desk;

	for (nfds_t i = 1; i < loop->nfds; i++) {
		if (loop->fds[i].revents == 0)
			continue;
		if (loop->console[i]) {
			console_receive(loop->console[i]);
		} else if (!desk_receive(desk)) {
			loop->ended = true;
			loop->ended_ms = now_ms();
		}
	}
	if (desk->outbox.first && desk->session.fd >= 0)
		outbox_flush(&desk->outbox, &desk->session); /* its end is seen by reading */
}

static void loop_run(struct loop *loop, int tcp)
{
	short tcp_events = POLLIN;

	while (http2_io(loop->http, &tcp_events) == HTTP2_OPEN && deadlines_kept(loop)) {
		/* Again, for what the deadlines may have queued: a goodbye. */
		if (http2_io(loop->http, &tcp_events) != HTTP2_OPEN)
			break;
		fds_fill(loop, tcp, tcp_events);
		poll(loop->fds, loop->nfds, wait_ms(loop));
		receive(loop);
	}
}

void serve(const struct serve *what)
{
	static struct loop loop;

	loop.once = what->once;
	loop.active_ms = now_ms();
	desk_init(&loop.desk, what->session);
	if (what->refusal)
		desk_refuse(&loop.desk, 403, what->refusal->word, what->refusal->detail);
	loop.http = http2_new(what->ssl, HTTP2_SERVER, &desk_events, &loop.desk);
	if (!loop.http)
		return;
	loop_run(&loop, SSL_get_fd(what->ssl));
	http2_free(loop.http);
	channel_close(&loop.desk.session);
}
