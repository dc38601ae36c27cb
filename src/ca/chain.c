/*
 * What was signed, judged as a server would, see chain.h: by vmm_auth's own code.
 */
#include "chain.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pem.h"
#include "verify.h"

/* The framing of a TLS 1.3 Certificate message, RFC 8446, 4.4.2. */
#define FRAME_LIST  4 /* no context, the list's length */
#define FRAME_ENTRY 5 /* a certificate's length, no extensions */

static uint8_t *put_length(uint8_t *at, size_t length)
{
	at[0] = (uint8_t)(length >> 16);
	at[1] = (uint8_t)(length >> 8);
	at[2] = (uint8_t)length;
	return at + 3;
}

static uint8_t *put_entry(uint8_t *at, X509 *cert)
{
	at = put_length(at, (size_t)i2d_X509(cert, NULL));
	i2d_X509(cert, &at);
	*at++ = 0;
	*at++ = 0;
	return at;
}

static size_t message_size(X509 *cert, const struct issuer *issuer)
{
	size_t size = FRAME_LIST + FRAME_ENTRY + (size_t)i2d_X509(cert, NULL);

	for (int n = 0; n < sk_X509_num(issuer->chain); n++)
		size += FRAME_ENTRY + (size_t)i2d_X509(sk_X509_value(issuer->chain, n), NULL);
	return size;
}

static uint8_t *message_make(X509 *cert, const struct issuer *issuer, size_t size)
{
	uint8_t *message = malloc(size), *at = message;

	if (message == NULL)
		return NULL;
	*at++ = 0;
	at = put_entry(put_length(at, size - FRAME_LIST), cert);
	for (int n = 0; n < sk_X509_num(issuer->chain); n++)
		at = put_entry(at, sk_X509_value(issuer->chain, n));
	return message;
}

/* The root that ISSUER's chain ends below; NULL: not known here. */
static X509 *root_find(const struct issuer *issuer)
{
	const char *slash = strrchr(issuer->files.cert, '/');
	int dir = slash == NULL ? 0 : (int)(slash - issuer->files.cert) + 1;
	struct refusal ignored;
	char path[PATH_MAX];
	X509 *root, *top;

	if (issuer->root)
		return X509_up_ref(issuer->cert) == 1 ? issuer->cert : NULL;
	if (snprintf(path, sizeof(path), "%.*scacert.pem", dir, issuer->files.cert) >= PATH_MAX)
		return NULL;
	root = pem_certificate_load(path, &ignored);
	top = sk_X509_value(issuer->chain, sk_X509_num(issuer->chain) - 1);
	if (root != NULL && X509_verify(top, X509_get0_pubkey(root)) == 1)
		return root;
	X509_free(root);
	return NULL;
}

static bool verdict(const uint8_t *message, size_t size, X509 *root, struct refusal *why)
{
	struct verify_result *result = malloc(sizeof(*result));
	bool ok;

	if (result == NULL)
		return refusal_say(why, "out of memory");
	verify_message(message, size, root, time(NULL), NULL, result);
	ok = result->verdict.verdict == VERDICT_ACCEPT ||
	     refusal_say(why, "a server would refuse this: %.400s", result->verdict.detail);
	free(result);
	return ok;
}

bool chain_check(X509 *cert, const struct issuer *issuer, struct refusal *why)
{
	size_t size = message_size(cert, issuer);
	uint8_t *message;
	X509 *root;
	bool ok;

	if (size > CERT_MESSAGE_MAX)
		return refusal_say(why, "size: the chain has %zu bytes, TLS carries %u", size,
				   CERT_MESSAGE_MAX);
	root = X509_check_ca(cert) == 1 ? NULL : root_find(issuer);
	if (root == NULL)
		return true;
	message = message_make(cert, issuer, size);
	ok = message == NULL ? refusal_say(why, "out of memory")
			     : verdict(message, size, root, why);
	free(message);
	X509_free(root);
	return ok;
}
