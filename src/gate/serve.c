/* The loop of a session. */
#include "serve.h"

#include <poll.h>
#include <time.h>

#include "deadlines.h"
#include "exchange.h"

#define FDS_MAX (2 + HTTP2_STREAMS_MAX)

struct loop {
	struct http2 *http;
	struct desk desk;
	struct deadlines deadlines;
	bool once;  /* serve.h */
	bool ended; /* vmmd has ended the session */
	nfds_t nfds;
	struct pollfd fds[FDS_MAX];
	struct exchange *exchange[FDS_MAX];
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct activity activity(const struct loop *loop)
{
	const struct desk *desk = &loop->desk;

	return (struct activity){
	    .busy = desk_busy(desk),
	    .blocked = http2_blocked(loop->http) || http2_awaits(loop->http),
	    .progress = http2_progress(loop->http),
	    .refused = desk->refused && !loop->ended,
	    .ended = loop->ended,
	    .done = loop->once && desk->answered > 0,
	};
}

/* Why it is time to go. */
static const char *goodbye(const struct loop *loop, const struct activity *now)
{
	if (loop->desk.refused)
		return loop->desk.refusal.detail;
	return now->done ? "a session whose chain is so large has one answer"
			 : "no request and no stream for 600 seconds";
}

/* False: the session is over. WAIT: how long poll may. */
static bool deadlines_kept(struct loop *loop, short *tcp_events, int *wait)
{
	struct activity now = activity(loop);

	switch (deadlines_check(&loop->deadlines, &now, now_ms())) {
	case DEADLINE_DROP:
		return false;
	case DEADLINE_LEAVE:
		http2_goaway(loop->http, goodbye(loop, &now));
		if (http2_io(loop->http, tcp_events) != HTTP2_OPEN)
			return false;
		break;
	case DEADLINE_NONE:
		break;
	}
	*wait = deadlines_wait(&loop->deadlines, &now, now_ms());
	return true;
}

static void fds_add(struct loop *loop, int fd, short events, struct exchange *x)
{
	if (fd < 0 || loop->nfds == FDS_MAX)
		return;
	loop->fds[loop->nfds] = (struct pollfd){.fd = fd, .events = events};
	loop->exchange[loop->nfds++] = x;
}

static void fds_fill(struct loop *loop, int tcp, short tcp_events)
{
	struct desk *desk = &loop->desk;

	loop->nfds = 0;
	fds_add(loop, tcp, tcp_events, NULL);
	fds_add(loop, desk->session.fd, desk->outbox.first ? POLLIN | POLLOUT : POLLIN, NULL);
	for (struct exchange *x = desk->exchanges; x; x = x->next) {
		short events;
		int fd = exchange_wants(x, &events);

		fds_add(loop, fd, events, x);
	}
}

/* What vmmd, feeds and volumes have. Streams end in http2_io only, so these are alive. */
static void receive(struct loop *loop)
{
	struct desk *desk = &loop->desk;

	for (nfds_t i = 1; i < loop->nfds; i++) {
		if (loop->fds[i].revents == 0)
			continue;
		if (loop->exchange[i])
			exchange_ready(loop->exchange[i]);
		else if (!desk_receive(desk))
			loop->ended = true;
	}
	desk_flush(desk);
}

static void loop_run(struct loop *loop, int tcp)
{
	short tcp_events = POLLIN;
	int wait = -1;

	while (http2_io(loop->http, &tcp_events) == HTTP2_OPEN &&
	       deadlines_kept(loop, &tcp_events, &wait)) {
		fds_fill(loop, tcp, tcp_events);
		poll(loop->fds, loop->nfds, wait);
		receive(loop);
	}
}

void serve(const struct serve *what)
{
	static struct loop loop;

	loop.once = what->once;
	deadlines_init(&loop.deadlines, now_ms());
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
