/*
 * Who the client is and whom it trusts: CACERT, BUNDLE and KEY, read and checked as far as can be
 * done before a connection. The server decides; this is for a clear line where it would only say
 * no. Reads files and tokens, prints nothing (OpenSSL asks for the passphrase of an encrypted key
 * and for the PIN of a token).
 */
#ifndef VMM_IDENTITY_H
#define VMM_IDENTITY_H

#include "cert.h"
#include "options.h"
#include "status.h"

struct identity {
	X509 *ca;
	STACK_OF(X509) * chain; /* as BUNDLE has them: the leaf first */
	EVP_PKEY *key;
	enum cert_shape shape; /* the leaf's: VM, command or revocation */
	size_t size;	       /* bytes of the chain, for the progress of sending them */
};

/* STATUS_DONE, or another with one line in WHY that names the file. To be freed either way. */
enum status identity_load(const struct options *options, struct identity *out, struct refusal *why);
void identity_free(struct identity *identity);

#endif
