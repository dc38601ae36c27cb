/* Certificates for tests, made with libcrypto: good ones, which a test may spoil before they are
 * signed. Anything that fails ends the test. */
#ifndef VMM_MINT_H
#define VMM_MINT_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "cert.h"

#define MINT_NOW 1500000000 /* valid from a day before to a day after */
#define MINT_DAY 86400

struct minted {
	X509 *cert;
	EVP_PKEY *key;
};

/* A self-signed CA of KEY (taken; NULL: a fresh P-256). */
struct minted mint_root(const char *name, EVP_PKEY *key);
/* Not yet signed. IS_CA: a delegation, else a leaf. */
struct minted mint_new(const char *name, EVP_PKEY *key, bool is_ca,
		       const struct cert_content *content);
/* Fills in issuer and key identifiers, then signs. */
void mint_sign(struct minted *minted, const struct minted *issuer);
void mint_free(struct minted *minted);

/* Extension NID with VALUE as in openssl's configuration, instead of what CERT had; NULL: none. */
void mint_extension(X509 *cert, int nid, const char *value);
/* One more, of any kind; HEX is its value. */
void mint_extension_hex(X509 *cert, const char *oid, const char *hex, bool critical);
void mint_dates(X509 *cert, time_t from, time_t until);
void mint_serial(X509 *cert, const char *hex);

/* The body of a Certificate message, leaf first; to be freed. */
uint8_t *mint_message(X509 *const *certs, unsigned count, size_t *len);

/* What dev grants in these tests, what a session of every permission and a small VM ask for. */
struct cert_content mint_policy(uint32_t vms, uint32_t memory_mb);
struct cert_content mint_command(uint32_t permissions);
struct cert_content mint_vm(const uint8_t *image, size_t size);

#endif
