/*
 * vmm_auth: says who a connection is and what it may. It has the CA's certificate, a channel to
 * vmmd and one to the gate; it sees no socket of the network, opens nothing, and decides about
 * nothing but chains.
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "ca.h"
#include "log.h"
#include "role.h"
#include "rules.h"
#include "session.h"
#include "workers.h"

/* More than the gate admits before authentication. */
#define WORKERS_MAX 1024
/* Descriptors: standard ones, channels, epoll, signals, what is in a message under way. */
#define DESCRIPTORS_BASE 24

struct auth {
	struct channel up, gate;
	X509 *root;
	int signals;
	struct event_base *base;
	struct event *up_readable, *gate_readable, *child_ended;
	struct workers workers;
};

static struct incoming in;

/* A worker has one descriptor while it is announced, two while its chain waits. */
static unsigned workers_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		log_fatal("getrlimit: %s", strerror(errno));
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < DESCRIPTORS_BASE + 2)
		log_fatal("%llu descriptors are too few", (unsigned long long)limit.rlim_cur);
	rlim_t workers = (limit.rlim_cur - DESCRIPTORS_BASE) / 2;
	return workers < WORKERS_MAX ? (unsigned)workers : WORKERS_MAX;
}

/* Everything that reads a file or makes a descriptor, before there is none to be had. */
static void prepare(struct auth *auth)
{
	sigset_t child;
	uint8_t seed[16];

	/* No configuration: what OPENSSL_CONF names is no business of a daemon's. */
	if (!OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) ||
	    RAND_bytes(seed, sizeof(seed)) != 1)
		log_fatal("cannot initialise libcrypto");
	tzset(); /* libc reads a file for it, the first time that it breaks a time down */
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	auth->signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	auth->base = event_base_new();
	if (auth->signals < 0 || !auth->base)
		log_fatal("cannot make the event loop");
	auth->workers.base = auth->base;
	auth->workers.limit = workers_limit();
}

static void judge(void *arg, const char *peer, int socket, int memfd)
{
	struct auth *auth = arg;

	session_process(&(struct session){
	    .up = &auth->up, .root = auth->root, .peer = peer, .socket = socket, .memfd = memfd});
}

static void forget_gate(struct auth *auth)
{
	if (auth->gate_readable)
		event_free(auth->gate_readable);
	auth->gate_readable = NULL;
	channel_close(&auth->gate);
}

static void on_gate(evutil_socket_t fd, short what, void *arg)
{
	struct auth *auth = arg;

	(void)fd;
	(void)what;
	switch (channel_recv(&auth->gate, &in)) {
	case CHANNEL_MESSAGE:
		workers_add(&auth->workers, in.body.peer.peer, channel_take(&in, 0));
		/* The rest of them waits in the socket. */
		if (workers_full(&auth->workers))
			event_del(auth->gate_readable);
		return;
	case CHANNEL_AGAIN:
		return;
	case CHANNEL_BAD:
		log_error("vmm_gate sent %s: it is not listened to any more", in.problem);
		break;
	case CHANNEL_EOF:
		break;
	}
	forget_gate(auth);
}

static void on_room(void *arg)
{
	struct auth *auth = arg;

	if (auth->gate_readable)
		event_add(auth->gate_readable, NULL);
}

static struct event *watch(struct auth *auth, int fd, event_callback_fn callback)
{
	struct event *event = event_new(auth->base, fd, EV_READ | EV_PERSIST, callback, auth);

	if (!event || event_add(event, NULL) < 0)
		log_fatal("out of memory");
	return event;
}

/* Workers of the gate before are served to their end: each has a channel of its own. */
static void new_gate(struct auth *auth, int fd)
{
	forget_gate(auth);
	channel_init(&auth->gate, fd, LINK_CHAINS, SIDE_UPPER);
	auth->gate_readable = watch(auth, fd, on_gate);
	if (workers_full(&auth->workers))
		event_del(auth->gate_readable);
}

static void on_up(evutil_socket_t fd, short what, void *arg)
{
	struct auth *auth = arg;

	(void)fd;
	(void)what;
	switch (channel_recv(&auth->up, &in)) {
	case CHANNEL_MESSAGE:
		new_gate(auth, channel_take(&in, 0)); /* MSG_AUTH_GATE: the one there is now */
		return;
	case CHANNEL_AGAIN:
		return;
	case CHANNEL_BAD:
		log_fatal("vmmd sent %s", in.problem);
	case CHANNEL_EOF:
		_exit(0);
	}
}

static void on_child(evutil_socket_t fd, short what, void *arg)
{
	struct auth *auth = arg;
	struct signalfd_siginfo info;

	(void)what;
	while (read(fd, &info, sizeof(info)) > 0)
		continue; /* how many it were does not matter */
	workers_reap(&auth->workers);
}

static void set_up(struct auth *auth)
{
	struct refusal why;
	enum channel_result result = channel_recv(&auth->up, &in);

	if (result == CHANNEL_EOF)
		_exit(0);
	if (result != CHANNEL_MESSAGE || in.type != MSG_AUTH_CA)
		log_fatal("vmmd did not send the CA's certificate first");
	auth->root = ca_read(in.fd[0], &why);
	incoming_close(&in);
	if (!auth->root)
		role_fail(&auth->up, "the CA's file (--ca) %s", why.text);
	if (channel_send(&auth->up, MSG_ROLE_READY, &(struct msg_empty){0}, NULL) < 0)
		_exit(0);
	auth->up.state = STATE_READY;
	auth->up_readable = watch(auth, auth->up.fd, on_up);
	auth->child_ended = watch(auth, auth->signals, on_child);
}

int main(int argc, char **argv)
{
	static struct auth auth = {.gate.fd = -1, .workers = {.judge = judge, .room = on_room}};

	role_start(argc, argv, "vmm_auth", LINK_AUTH, &auth.up);
	auth.workers.arg = &auth;
	workers_init(&auth.workers);
	prepare(&auth);
	role_confine(auth_rules, auth_nrules);
	set_up(&auth);
	event_base_dispatch(auth.base);
	return 0;
}
