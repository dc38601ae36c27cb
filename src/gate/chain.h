/*
 * The client's chain, from the wire to vmm_auth and its verdict back into the handshake. The
 * message is counted and handed on as it came, before OpenSSL parses it; what vmm_auth judges are
 * the bytes that were received, not what a parser made of them.
 */
#ifndef VMM_GATE_CHAIN_H
#define VMM_GATE_CHAIN_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "channel.h"

struct chain {
	struct channel auth;	/* CHAIN goes here, once */
	struct channel session; /* ours: the verdict comes, then vmmd answers */
	struct channel passed;	/* the other end, which goes to vmm_auth */
	int memfd;
	int slots, slot;     /* slots.h; SLOT -1: none is held */
	size_t size;	     /* of the message; 0: it has not come */
	const char *problem; /* why it did not get to vmm_auth; NULL: it did */
	bool judged;
	struct msg_verdict verdict;
};

/* Before the sandbox: the session's sockets, the memfd. 0 or -errno. Takes AUTH over. */
int chain_open(struct chain *chain, struct channel auth, int slots);
/* Installs CHAIN in CONTEXT and SSL, for one handshake. */
void chain_install(struct chain *chain, SSL_CTX *context, SSL *ssl);

/* The X509_V_ERR that OpenSSL turns into TLS alert ALERT, or into bad_certificate. */
int chain_error_of_alert(unsigned alert);

#endif
