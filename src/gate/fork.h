/* Making a worker: the process that holds one connection and nothing else. */
#ifndef VMM_GATE_FORK_H
#define VMM_GATE_FORK_H

#include <openssl/ssl.h>

#include "channel.h"
#include "connection.h"

/* What every worker starts with. */
struct nursery {
	SSL_CTX *tls;
	struct channel auth; /* announces workers; closed: vmm_auth is being started again */
	int slots;	     /* a file whose locks bound how many handle a large chain (slots.h) */
};

/*
 * Forks CONNECTION's worker, after vmm_auth was told of it. 0 with CONNECTION's pid and report set;
 * or -errno: -EAGAIN and the like pass, -EPIPE says that vmm_auth is gone. Never returns in the
 * worker.
 */
int worker_fork(const struct nursery *nursery, struct connection *connection);

#endif
