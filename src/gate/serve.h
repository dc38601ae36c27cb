/* HTTP/2 on an authenticated connection: one loop over the client, vmmd and console streams. */
#ifndef VMM_GATE_SERVE_H
#define VMM_GATE_SERVE_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "channel.h"

struct serve {
	SSL *ssl;		/* its handshake is done; its socket is non-blocking */
	struct channel session; /* to vmmd; taken over */
	/* Set: the chain gave no authority; every request gets this. */
	const struct msg_verdict *refusal;
	bool once; /* goodbye after the first answer: the chain is large, and OpenSSL keeps it */
};

/* Returns when the session is over. */
void serve(const struct serve *what);

#endif
