/*
 * Private keys: made, read, written.
 */
#ifndef CA_KEYS_H
#define CA_KEYS_H

#include <openssl/evp.h>

#include "files.h"

/* A new P-256 key; NULL with WHY. */
EVP_PKEY *key_generate(struct refusal *why);
/*
 * The private key called NAME: a PEM file, or a pkcs11: URI where a provider offers it. Of an
 * allowed kind; NULL with WHY.
 */
EVP_PKEY *key_load(const char *name, struct refusal *why);
/* Collects KEY, unencrypted PKCS#8, for PATH, where no file may be. */
bool key_output(EVP_PKEY *key, const char *path, struct outputs *outputs, struct refusal *why);
/* What KEY signs with: SHA-384 for P-384, none of its own for Ed25519, else SHA-256. */
const EVP_MD *key_digest(EVP_PKEY *key);

#endif
