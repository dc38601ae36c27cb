/* What the three files of verify.h share: an opened chain, and the rules for one certificate. */
#ifndef VMM_VERIFY_PRIVATE_H
#define VMM_VERIFY_PRIVATE_H

#include "certmsg.h"
#include "der.h"
#include "verify.h"

/* TLS alerts (RFC 8446, 6). */
enum alert {
	ALERT_BAD_CERTIFICATE = 42,
	ALERT_UNSUPPORTED_CERTIFICATE = 43,
	ALERT_UNKNOWN_CA = 48,
	ALERT_DECODE_ERROR = 50,
	ALERT_CERTIFICATE_REQUIRED = 116,
};

/* Certificates from the leaf (0) up, each signed by the next one, the last by ROOT. */
struct chain {
	unsigned count;
	struct certmsg_entry entry[CERT_CHAIN_MAX]; /* in the message */
	X509 *cert[CERT_CHAIN_MAX];
	X509 *root;
};

/*
 * Step one: no clock, no revocation, no policy. False: ALERT says which, WHY the rest. The chain is
 * to be closed either way.
 */
bool chain_open(const uint8_t *message, size_t len, X509 *root, struct chain *chain,
		enum alert *alert, struct refusal *why);
void chain_close(struct chain *chain);
/* A reader of the Extension elements in a certificate's DER; nothing is known of that yet. */
struct der extensions_find(const struct certmsg_entry *der, const char **problem);
/* Who signed certificate N of CHAIN. */
X509 *chain_issuer(const struct chain *chain, unsigned n);

/*
 * The rules for one certificate below the root by itself, X.509's and ours but policy: WHY is what
 * is malformed. PATH_LENGTH: how many delegations an issuer allows below it, -1 for any number.
 */
bool certificate_check(X509 *cert, const struct certmsg_entry *der, bool is_leaf, long *path_length,
		       struct refusal *why);
/* Whether CERT may issue: CA flag and key usage. ROOT need not have the latter. */
bool issuer_check(X509 *cert, bool is_root, long *path_length, struct refusal *why);
bool names_equal(const X509_NAME *a, const X509_NAME *b); /* byte for byte */

#endif
