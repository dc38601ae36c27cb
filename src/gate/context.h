/*
 * The TLS of the gate: 1.3 only, a client certificate always, one handshake a connection, HTTP/2
 * inside. What a chain is worth, vmm_auth says (chain.h).
 */
#ifndef VMM_GATE_CONTEXT_H
#define VMM_GATE_CONTEXT_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#include "policy.h"

/* NULL: OpenSSL lacks something. Without certificate yet. */
SSL_CTX *context_new(void);
/*
 * Loads the server's certificate, with what follows it in the file, and its key, both PEM. False
 * with WHY, which says whose fault it is. Descriptors stay the caller's.
 */
bool context_load(SSL_CTX *context, int certificate, int key, struct refusal *why);
/* When the certificate that is loaded ends, as x509_seconds has it. */
int64_t context_expires(const SSL_CTX *context);

#endif
