/*
 * Private keys: made, read, written.
 */
#ifndef CA_KEYS_H
#define CA_KEYS_H

#include <openssl/x509.h>

#include "files.h"

/* A new P-256 key; NULL with WHY. */
EVP_PKEY *key_generate(struct refusal *why);
/*
 * The private key called NAME: in a PEM file, or on a token by its pkcs11: URI, see token.h. Of an
 * allowed kind; NULL with WHY.
 */
EVP_PKEY *key_load(const char *name, struct refusal *why);
/* Collects KEY, unencrypted PKCS#8, for PATH, where no file may be. */
bool key_output(EVP_PKEY *key, const char *path, struct outputs *outputs, struct refusal *why);
/* Whether KEY, from NAME, is that of CERT, from PATH. */
bool key_belongs(EVP_PKEY *key, const char *name, X509 *cert, const char *path,
		 struct refusal *why);
/* What KEY signs with: SHA-384 for P-384, none of its own for Ed25519, else SHA-256. */
const EVP_MD *key_digest(EVP_PKEY *key);

#endif
