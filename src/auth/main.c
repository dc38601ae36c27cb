/*
 * vmm_auth: says who a connection is and what it may, and keeps what was taken back. It has the
 * CA's certificate, the directory of revocation lists, a channel to vmmd and one to each gate; it
 * sees no socket of the network, opens nothing else, and decides about nothing but chains.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ca.h"
#include "lists.h"
#include "log.h"
#include "pushes.h"
#include "role.h"
#include "rules.h"
#include "session.h"
#include "workers.h"
#include "x509_time.h"

/* More than the gate admits before authentication. */
#define WORKERS_MAX 1024
/* Descriptors: standard ones, channels, epoll, signals, the directory and a list in it, what is in
 * a message under way; lists that wait. */
#define DESCRIPTORS_BASE (AUTH_DIRECTORY_FD + 8 + PUSHES_MAX)

struct auth;

struct gate {
	struct gate *next;
	struct auth *auth;
	struct channel channel;
	struct event *readable;
};

struct auth {
	struct channel up;
	struct gate *gates;
	X509 *root;
	int signals;
	struct event_base *base;
	struct event *up_readable, *child_ended;
	struct workers workers;
	struct lists lists;
	struct pushes pushes;
	bool draining; /* a successor has taken over */
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
	/* Its place, before something else is there. */
	if (dup2(STDERR_FILENO, AUTH_DIRECTORY_FD) < 0)
		log_fatal("cannot duplicate a descriptor: %s", strerror(errno));
	if (!pushes_init(&auth->pushes, &auth->lists))
		log_fatal("out of memory");
	auth->signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	auth->base = event_base_new();
	if (auth->signals < 0 || !auth->base)
		log_fatal("cannot make the event loop");
	auth->workers.base = auth->base;
	auth->workers.limit = workers_limit();
}

/* What is revoked, as of now. */
static void before_judging(void *arg)
{
	struct auth *auth = arg;

	pushes_look(&auth->pushes);
}

static void judge(void *arg, const char *peer, int socket, int memfd)
{
	struct auth *auth = arg;
	const struct revocation revocation = {.revoked = lists_revoked, .arg = &auth->lists};

	pushes_leave(&auth->pushes);
	session_process(&(struct session){.up = &auth->up,
					  .root = auth->root,
					  .revocation = &revocation,
					  .generation = auth->lists.generation,
					  .inherited = auth->lists.bytes,
					  .peer = peer,
					  .socket = socket,
					  .memfd = memfd});
}

/* An end or nonsense: this gate is not listened to any more, others are. */
static void forget_gate(struct gate *gate)
{
	struct gate **at = &gate->auth->gates;

	while (*at != gate)
		at = &(*at)->next;
	*at = gate->next;
	event_free(gate->readable);
	channel_close(&gate->channel);
	free(gate);
}

static void on_gate(evutil_socket_t fd, short what, void *arg)
{
	struct gate *gate = arg;
	struct auth *auth = gate->auth;

	(void)fd;
	(void)what;
	switch (channel_recv(&gate->channel, &in)) {
	case CHANNEL_MESSAGE:
		workers_add(&auth->workers, in.body.peer.peer, channel_take(&in, 0));
		/* The rest of them waits in the socket. */
		if (workers_full(&auth->workers))
			for (struct gate *g = auth->gates; g; g = g->next)
				event_del(g->readable);
		return;
	case CHANNEL_AGAIN:
		return;
	case CHANNEL_BAD:
		log_error("vmm_gate sent %s: it is not listened to any more", in.problem);
		break;
	case CHANNEL_EOF:
		break;
	}
	forget_gate(gate);
}

static void on_room(void *arg)
{
	struct auth *auth = arg;

	for (struct gate *gate = auth->gates; gate; gate = gate->next)
		event_add(gate->readable, NULL);
}

static struct event *watch(struct auth *auth, int fd, event_callback_fn callback, void *arg)
{
	struct event *event = event_new(auth->base, fd, EV_READ | EV_PERSIST, callback, arg);

	if (!event || event_add(event, NULL) < 0)
		log_fatal("out of memory");
	return event;
}

/* Beside the ones there are: a gate and its successor both serve while one takes over. */
static void new_gate(struct auth *auth, int fd)
{
	struct gate *gate = calloc(1, sizeof(*gate));

	if (!gate) {
		log_error("no memory to listen to another gate");
		close(fd);
		return;
	}
	gate->auth = auth;
	channel_init(&gate->channel, fd, LINK_CHAINS, SIDE_UPPER);
	gate->readable = watch(auth, fd, on_gate, gate);
	gate->next = auth->gates;
	auth->gates = gate;
	if (workers_full(&auth->workers))
		event_del(gate->readable);
}

static void on_up(evutil_socket_t fd, short what, void *arg)
{
	struct auth *auth = arg;

	(void)fd;
	(void)what;
	switch (channel_recv(&auth->up, &in)) {
	case CHANNEL_MESSAGE:
		if (in.type == MSG_REVOCATION_PUSH)
			pushes_add(&auth->pushes, &in.body.revocation_push, channel_take(&in, 0));
		else if (in.type == MSG_AUTH_GATE)
			new_gate(auth, channel_take(&in, 0));
		else
			auth->draining = true; /* MSG_AUTH_DRAIN */
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
	int status;
	pid_t pid;

	(void)what;
	while (read(fd, &info, sizeof(info)) > 0)
		continue; /* how many it were does not matter */
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (!workers_ended(&auth->workers, pid, status))
			pushes_ended(&auth->pushes, pid, status);
}

/* To its place, where it is all that can be opened; then every list in it is in force. */
static void set_up_lists(struct auth *auth, int directory)
{
	struct refusal why = {{0}};
	struct stat stat;
	int error;

	if (fstat(directory, &stat) < 0 || !S_ISDIR(stat.st_mode))
		role_fail(&auth->up, "the state directory (--state-dir): revocations is no "
				     "directory");
	if (dup3(directory, AUTH_DIRECTORY_FD, O_CLOEXEC) < 0)
		log_fatal("cannot duplicate a descriptor: %s", strerror(errno));
	auth->lists.directory = AUTH_DIRECTORY_FD;
	error = sandbox_confine_files(AUTH_DIRECTORY_FD);
	if (error == -ENOSYS || error == -EOPNOTSUPP)
		log_notice(
		    "without Landlock, which this kernel does not have or use: files are kept "
		    "away by the empty root alone");
	else if (error < 0)
		log_fatal("cannot confine itself to a directory: %s", strerror(-error));
	if (!lists_refresh(&auth->lists, true, &why))
		role_fail(&auth->up,
			  "the state directory (--state-dir): %s; bring the file back from a "
			  "backup, or remove it and have its issuer push the list again",
			  why.text);
}

static void set_up(struct auth *auth)
{
	struct refusal why;
	struct msg_expires expires;
	enum channel_result result = channel_recv(&auth->up, &in);

	if (result == CHANNEL_EOF)
		_exit(0);
	if (result != CHANNEL_MESSAGE || in.type != MSG_AUTH_CA)
		log_fatal("vmmd did not send the CA's certificate first");
	auth->root = ca_read(in.fd[0], &why);
	if (!auth->root)
		role_fail(&auth->up, "the CA's file (--ca) %s", why.text);
	auth->pushes.root = auth->root;
	set_up_lists(auth, in.fd[1]);
	incoming_close(&in);
	expires.expires = x509_seconds(X509_get0_notAfter(auth->root));
	if (channel_send(&auth->up, MSG_ROLE_EXPIRES, &expires, NULL) < 0 ||
	    channel_send(&auth->up, MSG_ROLE_READY, &(struct msg_empty){0}, NULL) < 0)
		_exit(0);
	auth->up.state = STATE_READY;
	auth->up_readable = watch(auth, auth->up.fd, on_up, auth);
	auth->child_ended = watch(auth, auth->signals, on_child, auth);
}

/* Each gate has let go of its channel, behind the last worker that it announced here. */
static bool is_drained(const struct auth *auth)
{
	return auth->draining && !auth->gates && auth->workers.count == 0 &&
	       auth->pushes.count == 0;
}

int main(int argc, char **argv)
{
	static struct auth auth = {
	    .workers = {.before = before_judging, .judge = judge, .room = on_room}};

	role_start(argc, argv, "vmm_auth", LINK_AUTH, &auth.up);
	auth.workers.arg = &auth;
	auth.pushes.up = &auth.up;
	workers_init(&auth.workers);
	prepare(&auth);
	role_confine(auth_rules, auth_nrules);
	set_up(&auth);
	while (!is_drained(&auth) && event_base_loop(auth.base, EVLOOP_ONCE) == 0)
		continue;
	return 0;
}
