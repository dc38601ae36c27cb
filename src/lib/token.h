/*
 * Private keys that stay on a token, a smart card or another module that PKCS#11 leads to: found by
 * their pkcs11: URI (token_uri.h), used like any key of OpenSSL's through libp11, which has the
 * token sign. Nothing is loaded before the first such key is asked for.
 *
 * The PKCS#11 module is the URI's module-path, else what PKCS11_PROVIDER_MODULE or
 * PKCS11_MODULE_PATH names, else all that p11-kit knows on this host.
 */
#ifndef VMM_TOKEN_H
#define VMM_TOKEN_H

#include <openssl/evp.h>

#include "token_uri.h"

/*
 * The one private key that URI means, after logging in with its PIN, once: a wrong one is never
 * tried again. EC and RSA. NULL with WHY. It is good until tokens_end.
 */
EVP_PKEY *token_key(const char *uri, struct refusal *why);
/* Logs out everywhere. After the last use of the last such key. */
void tokens_end(void);

#endif
