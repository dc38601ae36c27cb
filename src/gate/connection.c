/* Connections: limits, deadlines, eviction. */
#include "connection.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "tcp.h"

/* What counts against the limit of bytes: handshakes of people who send no image are below it. */
#define LARGE_BYTES 65536

static bool is_waiting(const struct connection *c)
{
	return c->phase < PHASE_SESSION;
}

void connections_init(struct connections *table, const struct limits *limits)
{
	*table = (struct connections){.limits = *limits};
}

static void unlink_connection(struct connections *table, struct connection *c)
{
	struct connection **at = &table->first;

	while (*at && *at != c)
		at = &(*at)->next;
	if (*at)
		*at = c->next;
	free(c);
}

void connection_watch(struct connection *c, struct event_base *base, int fd,
		      event_callback_fn callback)
{
	connection_unwatch(c);
	event_assign(&c->event, base, fd, EV_READ | EV_PERSIST, callback, c);
	event_add(&c->event, NULL);
	c->watched = true;
}

void connection_unwatch(struct connection *c)
{
	if (c->watched)
		event_del(&c->event);
	c->watched = false;
}

static void close_descriptors(struct connection *c)
{
	connection_unwatch(c);
	if (c->fd >= 0)
		close(c->fd);
	if (c->report >= 0)
		close(c->report);
	c->fd = c->report = -1;
}

static void uncount(struct connections *table, struct connection *c)
{
	if (is_waiting(c) && !c->served)
		table->untold.handshakes_lost++;
	if (is_waiting(c))
		table->waiting--;
	else if (c->phase == PHASE_SESSION)
		table->sessions--;
	c->phase = PHASE_ENDING;
}

/* TABLE is C's. */
static void end(struct connections *table, struct connection *c)
{
	close_descriptors(c);
	uncount(table, c);
	if (c->pid > 0)
		kill(c->pid, SIGKILL); /* not reaped yet, so the pid is still its own */
	else
		unlink_connection(table, c);
}

void connection_end(struct connection *c)
{
	end(c->table, c);
}

void connection_reaped(struct connection *c)
{
	close_descriptors(c);
	uncount(c->table, c);
	unlink_connection(c->table, c);
}

struct connection *connection_of(const struct connections *table, pid_t pid)
{
	struct connection *c = table->first;

	while (c && c->pid != pid)
		c = c->next;
	return c;
}

/* Whom to look for when somebody has to go. */
struct victim {
	bool session;		     /* in PHASE_SESSION, else one that waits */
	const struct source *source; /* NULL: any */
	uint64_t received_min;
	const struct connection *except;
};

static bool fits(const struct victim *wanted, const struct connection *c)
{
	return c != wanted->except && c->phase != PHASE_ENDING &&
	       is_waiting(c) != wanted->session &&
	       (!wanted->source || source_equal(wanted->source, &c->source));
}

/* The one that has sent nothing for longest, and what it sent before. */
static struct connection *most_silent(const struct connections *table, const struct victim *wanted,
				      uint64_t *received)
{
	struct connection *found = NULL;
	int64_t longest = -1;

	for (struct connection *c = table->first; c; c = c->next) {
		struct tcp_progress progress;

		if (!fits(wanted, c))
			continue;
		tcp_progress_read(c->fd, &progress);
		if (progress.received < wanted->received_min)
			continue;
		if (progress.silence_ms >= longest) { /* among equals the list's last is oldest */
			longest = progress.silence_ms;
			*received = progress.received;
			found = c;
		}
	}
	return found;
}

/* Ends one that is WANTED, if possible of its source; how much it had sent, -1: there is none. */
static int64_t evict(struct connections *table, struct victim wanted)
{
	uint64_t received = 0;
	struct connection *c = most_silent(table, &wanted, &received);

	if (!c && wanted.source) {
		wanted.source = NULL;
		c = most_silent(table, &wanted, &received);
	}
	if (!c)
		return -1;
	table->evicted++;
	end(table, c);
	return (int64_t)received;
}

bool connections_evict(struct connections *table, const struct connection *except)
{
	return evict(table, (struct victim){.except = except}) >= 0;
}

static unsigned waiting_of(const struct connections *table, const struct source *source)
{
	unsigned n = 0;

	for (const struct connection *c = table->first; c; c = c->next)
		n += is_waiting(c) && source_equal(source, &c->source);
	return n;
}

static void make_room(struct connections *table, const struct source *source)
{
	while ((table->waiting >= table->limits.waiting ||
		waiting_of(table, source) >= table->limits.waiting_per_source) &&
	       evict(table, (struct victim){.source = source}) >= 0)
		;
}

struct connection *connection_add(struct connections *table, int fd,
				  const struct sockaddr_storage *address, int64_t now_ms)
{
	struct connection *c = calloc(1, sizeof(*c));

	if (!c) {
		close(fd);
		return NULL;
	}
	c->table = table;
	c->fd = fd;
	c->report = -1;
	c->accepted_ms = now_ms;
	source_from(address, &c->source);
	address_format(address, c->peer);
	make_room(table, &c->source);
	c->next = table->first;
	table->first = c;
	table->waiting++;
	table->untold.connections++;
	return c;
}

void connection_authenticated(struct connection *c)
{
	struct connections *table = c->table;

	if (table->sessions >= table->limits.sessions)
		evict(table, (struct victim){.session = true, .source = &c->source, .except = c});
	table->waiting--;
	table->sessions++;
	c->phase = PHASE_SESSION;
}

static bool is_late(const struct limits *limits, const struct connection *c,
		    const struct tcp_progress *progress, int64_t now_ms)
{
	int64_t allowed = limits->begin_ms + (int64_t)(progress->received * 1000 / limits->rate);

	return now_ms - c->accepted_ms > allowed || progress->silence_ms > limits->pause_ms;
}

void connections_expire(struct connections *table, int64_t now_ms)
{
	int64_t bytes = 0, freed = 0;
	struct connection *next;

	for (struct connection *c = table->first; c; c = next) {
		struct tcp_progress progress;

		next = c->next;
		if (!is_waiting(c))
			continue;
		tcp_progress_read(c->fd, &progress);
		if (is_late(&table->limits, c, &progress, now_ms))
			end(table, c);
		else if (progress.received >= LARGE_BYTES)
			bytes += (int64_t)progress.received;
	}
	while (bytes > (int64_t)table->limits.waiting_bytes && freed >= 0) {
		freed = evict(table, (struct victim){.received_min = LARGE_BYTES});
		bytes -= freed;
	}
}
