/* A worker, from the fork to its end. */
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "chain.h"
#include "log.h"
#include "rules.h"
#include "serve.h"

/* Private memory of one worker: some six times what the longest chain is. */
#define MEMORY_MAX (UINT64_C(192) << 20)
/* A chain above this is not worth keeping for a session. */
#define CHAIN_LARGE (1u << 20)
/* How much of what a client still sends is taken, and for how long, so that it reads our last
 * words. */
#define DRAIN_BYTES (32u << 20)
#define DRAIN_MS    3000

static int compare_fds(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/*
 * Closes everything but stderr and KEPT: the gate's sockets, and above all its copies of everybody
 * else's connection.
 */
static int close_others(int *kept, size_t n)
{
	unsigned from = STDERR_FILENO + 1;

	qsort(kept, n, sizeof(*kept), compare_fds);
	for (size_t i = 0; i < n; i++) {
		if ((unsigned)kept[i] > from && close_range(from, (unsigned)kept[i] - 1, 0) < 0)
			return -errno;
		from = (unsigned)kept[i] + 1;
	}
	return close_range(from, ~0u, 0) < 0 ? -errno : 0;
}

/* What the gate's loop had installed is not for us. */
static void reset_signals(void)
{
	sigset_t none;

	signal(SIGCHLD, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void limit_memory(void)
{
#ifndef __SANITIZE_ADDRESS__ /* whose shadow counts */
	struct rlimit limit = {MEMORY_MAX, MEMORY_MAX};

	setrlimit(RLIMIT_DATA, &limit);
#endif
}

/* Everything that takes more than a worker may later; 0 or -errno. */
static int prepare(const struct worker_start *start, struct chain *chain)
{
	int kept[] = {start->tcp, start->chain.fd, start->report, start->slots};
	int error;

	/* The listener's end is ours: it keeps our deadline. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != start->parent)
		_exit(0);
	reset_signals();
	error = close_others(kept, sizeof(kept) / sizeof(kept[0]));
	if (error < 0)
		return error;
	limit_memory();
	error = chain_open(chain, start->chain, start->slots);
	return error < 0 ? error : sandbox_restrict(worker_rules, worker_nrules);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/*
 * Says that nothing more comes, and takes in what still does: closing a socket with unread bytes
 * resets it, and a reset overtakes the alert or the answer that was to be read.
 */
static void goodbye(int tcp)
{
	static uint8_t bytes[65536];
	int64_t end = now_ms() + DRAIN_MS, left;
	size_t taken = 0;

	shutdown(tcp, SHUT_WR);
	while ((left = end - now_ms()) > 0 && taken < DRAIN_BYTES) {
		struct pollfd fd = {.fd = tcp, .events = POLLIN};
		ssize_t n;

		if (poll(&fd, 1, (int)left) <= 0)
			return;
		n = read(tcp, bytes, sizeof(bytes));
		if (n <= 0)
			return;
		taken += (size_t)n;
	}
}

/* The handshake, on the blocking socket. */
static bool handshake(const struct worker_start *start, struct chain *chain, SSL *ssl)
{
	chain_install(chain, start->tls, ssl);
	ERR_clear_error();
	if (SSL_accept(ssl) != 1 || !chain->judged)
		return false;
	chain->session.state = STATE_READY;
	return true;
}

static bool report(const struct worker_start *start, uint8_t byte)
{
	bool ok = write(start->report, &byte, 1) == 1;

	close(start->report);
	return ok;
}

/* From here on the client is who its chain says: vmmd hears of it, the listener ends its deadline.
 */
static bool begin_session(const struct worker_start *start, struct chain *chain)
{
	return channel_send(&chain->session, MSG_HELLO, &(struct msg_empty){0}, NULL) == 0 &&
	       channel_set_nonblocking(&chain->session) == 0 && report(start, REPORT_AUTHENTICATED);
}

static void session(const struct worker_start *start, struct chain *chain, SSL *ssl)
{
	bool refused = chain->verdict.verdict == VERDICT_REFUSE;
	struct serve what = {.ssl = ssl,
			     .session = chain->session,
			     .refusal = refused ? &chain->verdict : NULL,
			     .once = chain->size > CHAIN_LARGE};

	/* Without authority it stays under the handshake's deadline. */
	if (!(refused ? report(start, REPORT_REFUSED) : begin_session(start, chain)))
		return;
	if (fcntl(start->tcp, F_SETFL, O_NONBLOCK) < 0)
		return;
	serve(&what);
}

void worker_main(const struct worker_start *start)
{
	static struct chain chain;
	int error = prepare(start, &chain);
	SSL *ssl = SSL_new(start->tls);

	if (error < 0)
		log_error("a worker cannot start: %s", strerror(-error));
	if (error < 0 || !ssl || !SSL_set_fd(ssl, start->tcp))
		_exit(1);
	if (handshake(start, &chain, ssl))
		session(start, &chain, ssl);
	else if (chain.problem)
		log_debug("handshake: %s", chain.problem);
	goodbye(start->tcp);
	_exit(0);
}
