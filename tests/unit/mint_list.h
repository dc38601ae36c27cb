/* Revocation lists for tests, put together byte by byte: what libcrypto would never write, and as
 * many entries as a message carries. */
#ifndef VMM_MINT_LIST_H
#define VMM_MINT_LIST_H

#include "mint.h"

/* DER in hex. A day before MINT_NOW; the extension crlNumber. */
#define LIST_TIME	  "170d3137303731333032343030305a"
#define LIST_NUMBER(byte) "300a0603551d14040302 01" byte
/* The entry of a serial of two bytes, below 0x8000. */
#define LIST_ENTRY(serial) "301302 02" serial LIST_TIME

/* Elements in hex, spaces allowed; NULL: as it should be, or none. */
struct list_parts {
	const char *version, *algorithm, *outer_algorithm, *dates;
	const char *entries;	/* what is inside of revokedCertificates */
	const char *extensions; /* likewise; NULL: number 7 */
	const char *tail;	/* behind the signature */
	size_t count;		/* so many entries of eight bytes, the last before the next, too */
	bool spoiled;		/* a byte is changed after signing */
};

/* ISSUER's list (P-256), signed; to be freed. */
uint8_t *mint_list(const struct minted *issuer, const struct list_parts *parts, size_t *size);
/* What revokes the certificates CERT, a NULL after the last, with NUMBER: to be freed. */
uint8_t *mint_revoking(const struct minted *issuer, uint8_t number, X509 *const *cert,
		       size_t *size);
/* What a revocation certificate with LIST says. */
struct cert_content mint_revocation(const uint8_t *list, size_t size);

#endif
