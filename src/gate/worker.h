/*
 * A worker's life: TLS handshake with vmm_auth's verdict in it, HTTP/2 session, goodbye. It is
 * forked from the warmed gate, holds one connection, and has nothing to decide.
 */
#ifndef VMM_GATE_WORKER_H
#define VMM_GATE_WORKER_H

#include <openssl/ssl.h>

#include "channel.h"

struct worker_start {
	SSL_CTX *tls;
	int tcp;
	struct channel chain; /* to vmm_auth, for this connection's chain */
	int report;	      /* takes one byte when the handshake is done */
	int slots;
	pid_t parent;
};

/* The byte. */
#define REPORT_AUTHENTICATED 1
#define REPORT_REFUSED	     2 /* a chain without authority */

_Noreturn void worker_main(const struct worker_start *start);

#endif
