/*
 * Verification of a chain, as vmm_auth does it for every connection and vmm_ca for what it signs.
 * Chain, clock and revocation are arguments. Nothing here logs, opens or allocates past return.
 */
#ifndef VMM_VERIFY_H
#define VMM_VERIFY_H

#include <openssl/x509.h>
#include <time.h>

#include "cert.h"
#include "crl.h"
#include "message.h"

/* Whether the certificate with SERIAL, issued by KEY at SCOPE, was taken back. */
struct revocation {
	bool (*revoked)(void *arg, const struct path *scope, const EVP_PKEY *key,
			const ASN1_INTEGER *serial);
	void *arg;
};

struct verify_result {
	struct msg_verdict verdict; /* ACCEPT, REFUSE or ALERT, with the reason */
	char name[NAME_SIZE];	    /* the leaf's, as far as it was read */
	struct path path;	    /* the leaf's; depth 0 unless all of it could be read */
	struct request request;	    /* complete only with ACCEPT */
};

/* Whether ROOT can be the CA of a server: self-signed, a CA, of an allowed key; false with WHY. */
bool verify_root(X509 *root, struct refusal *why);

/*
 * MESSAGE is the body of a TLS 1.3 Certificate message (RFC 8446, 4.4.2), LEN bytes: the image's
 * offset in the request counts from its first byte. ROOT is our CA. REVOCATION may be NULL: nothing
 * is.
 */
void verify_message(const uint8_t *message, size_t len, X509 *root, time_t now,
		    const struct revocation *revocation, struct verify_result *out);

/*
 * The list that a revocation certificate brings, MESSAGE being one that verify_message accepted
 * with such a leaf. KEY_ID is of the key that signed both. False with WHY is wrong with the list;
 * else LIST is to be freed.
 */
bool verify_list(const uint8_t *message, size_t len, X509 *root, time_t now, struct crl *list,
		 uint8_t key_id[DIGEST_SIZE], struct refusal *why);

#endif
