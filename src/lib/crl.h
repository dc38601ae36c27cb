/*
 * X.509 revocation lists (RFC 5280, 5), as far as vmm takes them: version 2, numbered, whole. Read
 * with der.h in one pass, because a list may have as many entries as a 16 MB message carries; only
 * the signature is libcrypto's.
 */
#ifndef VMM_CRL_H
#define VMM_CRL_H

#include <openssl/x509.h>
#include <time.h>

#include "path.h"
#include "policy.h"

#define CRL_NUMBER_SIZE 20

struct crl {
	uint8_t number[CRL_NUMBER_SIZE]; /* big-endian, so that memcmp orders them */
	uint32_t count;
	struct label *label; /* of the serials taken back: sorted, none twice; NULL: none */
};

/*
 * Reads the CertificateList of SIZE bytes at DER. It must be ISSUER's, by name and by signature,
 * and made by NOW; when it was to be followed by another one does not matter. False with WHY; else
 * OUT is to be freed.
 */
bool crl_read(const uint8_t *der, size_t size, X509 *issuer, time_t now, struct crl *out,
	      struct refusal *why);
void crl_free(struct crl *crl);

#endif
