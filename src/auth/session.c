/* From a sealed memfd to a verdict and a session. Runs once, in a process that ends with it. */
#include "session.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "chain.h"
#include "child.h"
#include "log.h"
#include "sandbox.h"

/* A 16 MB chain takes a fraction of a second. */
#define PROCESS_SECONDS 20

static const char *tell_refused(struct channel *up, const struct session *session,
				const struct verify_result *result)
{
	static struct msg_session_refused msg;

	(void)snprintf(msg.peer, sizeof(msg.peer), "%s", session->peer);
	(void)snprintf(msg.name, sizeof(msg.name), "%s", result->name);
	msg.path = result->path;
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
	msg.generation = session->generation;
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

void session_process(const struct session *session)
{
	const int keep[] = {session->up->fd, session->socket, session->memfd};

	child_begin(keep, 3, PROCESS_SECONDS, session->inherited);
	/* Whoever takes this process over finds no file, neither a list nor another. */
	sandbox_confine_files(-1);
	const char *problem = session_run(session);
	if (problem)
		log_warning("worker of %s %s", session->peer, problem);
	_exit(0);
}
