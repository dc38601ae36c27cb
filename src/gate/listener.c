/* The listener's loop. */
#include "listener.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "control.h"
#include "log.h"
#include "tcp.h"
#include "worker.h"

#define TICK_MS		  250
#define ACCEPTS_AT_ONCE	  32
#define EVICTIONS_SAID_MS 60000 /* one line for so long */

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Runs while there is a deadline to keep, a shortage to see the end of or a count to be told. */
static void tick_start(struct listener *l)
{
	const struct timeval every = {.tv_usec = TICK_MS * 1000};

	if (!evtimer_pending(l->tick, NULL))
		event_add(l->tick, &every);
}

/* Accepting, and not being able to. */

static void resume(struct listener *l)
{
	if (!l->paused || l->draining)
		return;
	l->paused = false;
	for (unsigned i = 0; i < l->nsockets; i++)
		event_add(l->socket[i], NULL);
}

static void outage_begins(struct listener *l, int error)
{
	if (!l->outage)
		log_warning("no new connection can be served: %s", strerror(error));
	l->outage = true;
}

/* Polls no listening socket until the next tick, or until a connection ends. */
static void pause_accepting(struct listener *l, int error)
{
	l->paused = true;
	tick_start(l);
	for (unsigned i = 0; i < l->nsockets; i++)
		event_del(l->socket[i]);
	outage_begins(l, error);
}

static void outage_over(struct listener *l)
{
	if (l->outage)
		log_notice("connections are served again");
	l->outage = false;
}

static bool is_shortage(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/* Descriptors are handed out lowest first: a high one says that few are left. */
static bool is_reserved(int fd)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
	       (rlim_t)fd + DESCRIPTORS_RESERVED >= limit.rlim_cur;
}

/*
 * FD, from here on a connection's, moved out of what is reserved: somebody else makes room for it.
 * FD itself when nobody can.
 */
static int settle(struct listener *l, int fd, const struct connection *owner)
{
	int lower;

	if (!is_reserved(fd) || !connections_evict(&l->connections, owner))
		return fd;
	lower = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (lower < 0)
		return fd;
	close(fd);
	return lower;
}

static void say_evictions(struct listener *l)
{
	if (l->connections.evicted == 0 || now_ms() < l->evictions_said_ms + EVICTIONS_SAID_MS)
		return;
	log_warning("%u connections were ended to make room for others", l->connections.evicted);
	l->connections.evicted = 0;
	l->evictions_said_ms = now_ms();
}

/* Workers. */

static void on_report(evutil_socket_t fd, short what, void *arg)
{
	struct connection *c = arg;
	uint8_t byte = 0;
	ssize_t n = read(fd, &byte, 1);

	(void)what;
	if (n < 0)
		return;
	connection_unwatch(c);
	if (n == 0) /* the worker is ending: SIGCHLD follows */
		return;
	c->served = byte == REPORT_AUTHENTICATED || byte == REPORT_REFUSED;
	if (byte == REPORT_AUTHENTICATED)
		connection_authenticated(c);
	else if (!c->served)
		connection_end(c);
}

/* Has C's worker made; what cannot be had now is tried again at the next tick. */
static void start_worker(struct listener *l, struct connection *c)
{
	int error = worker_fork(&l->nursery, c);

	if (is_shortage(-error) && connections_evict(&l->connections, c))
		error = worker_fork(&l->nursery, c);
	if (error == 0) {
		c->phase = PHASE_HANDSHAKE;
		c->report = settle(l, c->report, c);
		connection_watch(c, l->base, c->report, on_report);
		outage_over(l);
		return;
	}
	c->phase = PHASE_PENDING;
	if (error == -EPIPE || error == -ECONNRESET)
		channel_close(&l->nursery.auth); /* vmmd brings a new one */
	else
		outage_begins(l, -error);
}

static void start_pending(struct listener *l)
{
	struct connection *c = l->connections.first;

	while (c && l->nursery.auth.fd >= 0) {
		if (c->phase != PHASE_PENDING) {
			c = c->next;
			continue;
		}
		start_worker(l, c);
		if (c->phase == PHASE_PENDING) /* a shortage: the others would meet it too */
			return;
		c = l->connections.first; /* making one may have ended others */
	}
}

static void on_first_byte(evutil_socket_t fd, short what, void *arg)
{
	struct connection *c = arg;
	struct listener *l = c->table->owner;

	(void)what;
	if (!tcp_has_input(fd)) {
		connection_end(c); /* it has gone without a word */
		return;
	}
	connection_unwatch(c);
	start_worker(l, c);
}

static void worker_ended(struct listener *l, struct connection *c, int status)
{
	struct msg_signal msg = {0};
	uint8_t byte;

	if (WIFSIGNALED(status) && c->phase != PHASE_ENDING) {
		msg.signal = (uint32_t)WTERMSIG(status);
		log_warning("the worker for %s died of signal %u", c->peer, msg.signal);
		if (!l->tainted)
			channel_send(l->up, MSG_GATE_TAINTED, &msg, NULL);
		l->tainted = true;
	}
	/* It may have been reaped before its report was read, which is in the pipe then. */
	if (c->watched)
		c->served = read(c->report, &byte, 1) == 1;
	connection_reaped(c);
}

static void on_child(evutil_socket_t signal, short what, void *arg)
{
	struct listener *l = arg;
	int status;
	pid_t pid;

	(void)signal;
	(void)what;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct connection *c = connection_of(&l->connections, pid);

		if (c)
			worker_ended(l, c, status);
	}
	resume(l);
	if (l->draining && !l->connections.first)
		event_base_loopbreak(l->base);
}

/* Accepting. */

static void take(struct listener *l, int fd, const struct sockaddr_storage *address)
{
	struct connection *c;

	fd = settle(l, fd, NULL);
	if (is_reserved(fd)) {
		close(fd);
		pause_accepting(l, EMFILE);
		return;
	}
	tcp_set_up(fd);
	c = connection_add(&l->connections, fd, address, now_ms());
	if (!c) {
		pause_accepting(l, ENOMEM);
		return;
	}
	connection_watch(c, l->base, fd, on_first_byte);
	tick_start(l);
}

/* Accepts one; false: there is none, or none can be taken. */
static bool accept_one(struct listener *l, int socket)
{
	struct sockaddr_storage address = {0};
	socklen_t size = sizeof(address);
	int fd = accept4(socket, (struct sockaddr *)&address, &size, SOCK_CLOEXEC);

	/* Room is made once; when that does not help, the shortage is not of our making. */
	if (fd < 0 && is_shortage(errno) && connections_evict(&l->connections, NULL))
		fd = accept4(socket, (struct sockaddr *)&address, &size, SOCK_CLOEXEC);
	if (fd < 0 && is_shortage(errno))
		pause_accepting(l, errno);
	if (fd < 0)
		return errno == ECONNABORTED || errno == EINTR;
	take(l, fd, &address);
	return true;
}

static void on_accept(evutil_socket_t socket, short what, void *arg)
{
	struct listener *l = arg;

	(void)what;
	for (int i = 0; i < ACCEPTS_AT_ONCE && !l->paused; i++) {
		if (!accept_one(l, socket))
			break;
	}
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct listener *l = arg;

	(void)fd;
	(void)what;
	connections_expire(&l->connections, now_ms());
	start_pending(l);
	say_evictions(l);
	control_say_counts(l, now_ms());
	resume(l);
	if (l->connections.waiting == 0 && !l->paused && !control_owes_counts(l))
		event_del(l->tick);
}

/* What vmmd has to say. */

bool listener_add(struct listener *l, int fd)
{
	struct event *event = NULL;

	if (l->nsockets < LISTENERS_MAX && fcntl(fd, F_SETFL, O_NONBLOCK) == 0)
		event = event_new(l->base, fd, EV_READ | EV_PERSIST, on_accept, l);
	if (!event) {
		close(fd);
		return false;
	}
	l->socket[l->nsockets++] = event;
	if (l->ready && !l->paused)
		event_add(event, NULL);
	return true;
}

void listener_open(struct listener *l)
{
	l->ready = true;
	l->paused = true;
	resume(l);
}

void listener_set_auth(struct listener *l, int fd)
{
	channel_close(&l->nursery.auth);
	channel_init(&l->nursery.auth, fd, LINK_CHAINS, SIDE_LOWER);
	channel_set_nonblocking(&l->nursery.auth);
	start_pending(l);
}

void listener_drain(struct listener *l)
{
	struct connection *next;

	l->draining = true;
	l->paused = false;
	for (unsigned i = 0; i < l->nsockets; i++) {
		int fd = event_get_fd(l->socket[i]);

		event_free(l->socket[i]);
		close(fd);
	}
	l->nsockets = 0;
	for (struct connection *c = l->connections.first; c; c = next) {
		next = c->next;
		if (c->phase == PHASE_SILENT || c->phase == PHASE_PENDING)
			connection_end(c);
	}
	if (!l->connections.first)
		event_base_loopbreak(l->base);
}

static void on_control(evutil_socket_t fd, short what, void *arg)
{
	struct listener *l = arg;

	(void)fd;
	(void)what;
	if (!control_receive(l))
		event_base_loopbreak(l->base);
}

static struct event_base *base_new(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	if (config && event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV) == 0)
		base = event_base_new_with_config(config);
	if (config)
		event_config_free(config);
	return base;
}

void listener_init(struct listener *l, struct channel *up, const struct limits *limits)
{
	*l = (struct listener){.up = up, .base = base_new()};
	connections_init(&l->connections, limits);
	l->connections.owner = l;
	l->nursery.auth.fd = -1;
	l->nursery.slots = -1;
	if (!l->base)
		log_fatal("no event loop: %s", strerror(errno));
	l->child = evsignal_new(l->base, SIGCHLD, on_child, l);
	l->tick = event_new(l->base, -1, EV_PERSIST, on_tick, l);
	l->control = event_new(l->base, up->fd, EV_READ | EV_PERSIST, on_control, l);
	if (!l->child || !l->tick || !l->control || event_add(l->child, NULL) < 0 ||
	    event_add(l->control, NULL) < 0 || channel_set_nonblocking(up) < 0)
		log_fatal("no event loop: %s", strerror(errno));
}

void listener_run(struct listener *l)
{
	event_base_dispatch(l->base);
	control_say_counts(l, INT64_MAX);
}
