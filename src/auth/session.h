/*
 * One connection's chain: looked at in a process of its own, which ends after it. A chain that
 * breaks OpenSSL breaks one connection, a large one delays nobody, and its memory goes at once.
 */
#ifndef VMM_AUTH_SESSION_H
#define VMM_AUTH_SESSION_H

#include "channel.h"
#include "verify.h"

struct session {
	const struct channel *up; /* to vmmd */
	X509 *root;
	const struct revocation *revocation; /* NULL: nothing is revoked */
	const char *peer;
	int socket, memfd;   /* as they came with MSG_CHAIN */
	uint64_t generation; /* of the lists in REVOCATION */
	uint64_t inherited;  /* bytes of memory that those take */
};

/*
 * Verifies the chain, tells the worker, and then vmmd, which gets socket and chain when the verdict
 * was to accept. Closes both. NULL, or what was wrong with the worker or with vmmd, as a phrase.
 */
const char *session_run(const struct session *session);

/* The child of a fork: gives up what it does not need, limits itself, runs, exits. */
_Noreturn void session_process(const struct session *session);

#endif
