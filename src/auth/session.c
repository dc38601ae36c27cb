/* From a sealed memfd to a verdict and a session. Runs once, in a process that ends with it. */
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

#define SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
/* A 16 MB chain takes a fraction of a second and under 128 MB. */
#define PROCESS_SECONDS	    20
#define PROCESS_CPU_SECONDS 10
#define PROCESS_MEMORY	    (UINT64_C(256) << 20)

/* The chain as it was sent. Sealed, so that it stays what was verified, and the map whole. */
struct chain_bytes {
	const uint8_t *bytes;
	size_t size;
};

static const char *chain_map(int fd, struct chain_bytes *out)
{
	struct stat stat;
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0 || (seals & SEALS) != SEALS)
		return "sent a chain that is not in a sealed memfd";
	if (fstat(fd, &stat) < 0 || stat.st_size <= 0 || stat.st_size > CERT_MESSAGE_MAX)
		return "sent a chain that is empty or too long";
	void *map = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return "has a chain that cannot be mapped";
	*out = (struct chain_bytes){.bytes = map, .size = (size_t)stat.st_size};
	return NULL;
}

static const char *tell_refused(struct channel *up, const struct session *session,
				const struct verify_result *result)
{
	struct msg_session_refused msg = {{0}};

	(void)snprintf(msg.peer, sizeof(msg.peer), "%s", session->peer);
	(void)snprintf(msg.name, sizeof(msg.name), "%s", result->name);
	(void)snprintf(msg.detail, sizeof(msg.detail), "%s", result->verdict.detail);
	return channel_send(up, MSG_SESSION_REFUSED, &msg, NULL) < 0 ? "cannot be told to vmmd"
								     : NULL;
}

static const char *tell_open(struct channel *up, const struct session *session,
			     const struct verify_result *result, uint64_t *number)
{
	static struct msg_session_open msg;
	int fds[] = {session->socket, session->memfd};

	if (getrandom(number, sizeof(*number), 0) != sizeof(*number))
		return "cannot be numbered";
	msg.session = *number;
	(void)snprintf(msg.peer, sizeof(msg.peer), "%s", session->peer);
	msg.request = result->request;
	return channel_send(up, MSG_SESSION_OPEN, &msg, fds) < 0 ? "cannot be told to vmmd" : NULL;
}

/* Off the path of the deployment: nobody waits for it. */
static const char *tell_digest(struct channel *up, const struct chain_bytes *chain,
			       const struct image *image, uint64_t number)
{
	struct msg_image_digest msg = {.session = number};

	SHA256(chain->bytes + image->offset, image->size, msg.sha256);
	return channel_send(up, MSG_IMAGE_DIGEST, &msg, NULL) < 0 ? "cannot be told to vmmd" : NULL;
}

static const char *judge(const struct session *session, const struct chain_bytes *chain,
			 struct verify_result *result)
{
	struct channel worker;

	verify_message(chain->bytes, chain->size, session->root, time(NULL), session->revocation,
		       result);
	channel_init(&worker, session->socket, LINK_SESSION, SIDE_UPPER);
	return channel_send(&worker, MSG_VERDICT, &result->verdict, NULL) < 0 ? "is gone" : NULL;
}

const char *session_run(const struct session *session)
{
	static struct verify_result result;
	struct channel up = *session->up;
	struct chain_bytes chain;
	uint64_t number = 0;
	const char *problem = chain_map(session->memfd, &chain);

	if (!problem)
		problem = judge(session, &chain, &result);
	if (!problem && result.verdict.verdict == VERDICT_REFUSE)
		problem = tell_refused(&up, session, &result);
	bool accepted = !problem && result.verdict.verdict == VERDICT_ACCEPT;
	if (accepted)
		problem = tell_open(&up, session, &result, &number);
	/* From here on both are vmmd's alone: the session ends when it says so. */
	close(session->socket);
	close(session->memfd);
	const struct image *image = &result.request.vm.image;
	if (accepted && !problem && result.request.kind == LEAF_VM && image->form != IMAGE_DETACHED)
		problem = tell_digest(&up, &chain, image, number);
	if (result.verdict.verdict == VERDICT_ALERT)
		log_debug("%s is nobody: %s", session->peer, result.verdict.detail);
	return problem;
}

/* Other connections' sockets were inherited too: an intruder here shall not find them. */
static void close_all_but(const int *keep, unsigned n)
{
	unsigned from = STDERR_FILENO + 1;

	for (;;) {
		unsigned next = ~0u;

		for (unsigned i = 0; i < n; i++)
			if ((unsigned)keep[i] >= from && (unsigned)keep[i] < next)
				next = (unsigned)keep[i];
		if (next > from)
			close_range(from, next == ~0u ? next : next - 1, 0);
		if (next == ~0u)
			return;
		from = next + 1;
	}
}

/* No chain may take long or much, whatever it makes OpenSSL do. */
static void limit(void)
{
	const struct rlimit cpu = {PROCESS_CPU_SECONDS, PROCESS_CPU_SECONDS};
	setrlimit(RLIMIT_CPU, &cpu);
#ifndef __SANITIZE_ADDRESS__ /* which maps terabytes */
	const struct rlimit memory = {PROCESS_MEMORY, PROCESS_MEMORY};
	setrlimit(RLIMIT_AS, &memory);
#endif
	alarm(PROCESS_SECONDS);
}

void session_process(const struct session *session)
{
	const int keep[] = {session->up->fd, session->socket, session->memfd};

	close_all_but(keep, 3);
	limit();
	const char *problem = session_run(session);
	if (problem)
		log_warning("worker of %s %s", session->peer, problem);
	_exit(0);
}
