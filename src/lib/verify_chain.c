/*
 * Step one of verification: whether the peer is anybody. The presented chain is taken as it is,
 * from the top down, so that nothing below a certificate is parsed or hashed before that
 * certificate proved to be ours, and issuer before hash, so that 16 MB from a foreign CA are never
 * hashed. Does not look at clock, revocation, extensions' meaning or policy.
 */
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "verify_private.h"

/* More than any good certificate has. Parsed, each costs some 40 times its bytes. */
#define EXTENSIONS_MAX 64

bool names_equal(const X509_NAME *a, const X509_NAME *b)
{
	const uint8_t *a_der, *b_der;
	size_t a_size, b_size;
	return X509_NAME_get0_der(a, &a_der, &a_size) && X509_NAME_get0_der(b, &b_der, &b_size) &&
	       a_size == b_size && memcmp(a_der, b_der, a_size) == 0;
}

X509 *chain_issuer(const struct chain *chain, unsigned n)
{
	return n + 1 < chain->count ? chain->cert[n + 1] : chain->root;
}

/* Whether ENTRY is our root itself: OpenSSL's clients append it. */
static bool is_root(const struct certmsg_entry *entry, X509 *root)
{
	uint8_t *der = NULL;
	int size = i2d_X509(root, &der);
	bool same = size > 0 && entry->size == (size_t)size &&
		    memcmp(entry->der, der, entry->size) == 0;
	OPENSSL_free(der);
	return same;
}

/* Where both name the issuer's key they must agree: it tells a foreign CA of our CA's name from
 * ours without a hash. */
static bool key_ids_agree(const X509 *cert, const X509 *issuer)
{
	AUTHORITY_KEYID *claimed = X509_get_ext_d2i(cert, NID_authority_key_identifier, NULL, NULL);
	ASN1_OCTET_STRING *actual = X509_get_ext_d2i(issuer, NID_subject_key_identifier, NULL,
						     NULL);
	bool agree = !claimed || !claimed->keyid || !actual ||
		     ASN1_OCTET_STRING_cmp(claimed->keyid, actual) == 0;
	AUTHORITY_KEYID_free(claimed);
	ASN1_OCTET_STRING_free(actual);
	return agree;
}

struct der extensions_find(const struct certmsg_entry *der, const char **problem)
{
	struct der entry = der_init(der->der, der->size, problem);
	struct der cert = der_enter(&entry, DER_SEQUENCE);
	struct der tbs = der_enter(&cert, DER_SEQUENCE);
	while (der_more(&tbs) && !der_is(&tbs, DER_EXPLICIT(3)))
		(void)der_enter(&tbs, *tbs.at);
	if (!der_more(&tbs))
		return tbs;
	struct der extensions = der_enter(&tbs, DER_EXPLICIT(3));
	return der_enter(&extensions, DER_SEQUENCE);
}

/* Looks over a certificate before OpenSSL takes it apart. */
static bool extensions_few(const struct certmsg_entry *der, struct refusal *why)
{
	const char *problem;
	unsigned n = 0;
	struct der extensions = extensions_find(der, &problem);
	for (; der_more(&extensions) && n <= EXTENSIONS_MAX; n++)
		(void)der_enter(&extensions, DER_SEQUENCE);
	if (problem)
		return refusal_say(why, "%s", problem);
	return n <= EXTENSIONS_MAX ||
	       refusal_say(why, "has more than %d extensions", EXTENSIONS_MAX);
}

static X509 *parse(const struct certmsg_entry *entry)
{
	const uint8_t *at = entry->der;
	X509 *cert = d2i_X509(NULL, &at, (long)entry->size);
	if (cert && at == entry->der + entry->size)
		return cert;
	X509_free(cert);
	return NULL;
}

/* Opens certificate N, all above it being open. */
static bool open_certificate(struct chain *chain, unsigned n, enum alert *alert,
			     struct refusal *why)
{
	X509 *issuer = chain_issuer(chain, n);
	bool top = n + 1 == chain->count;
	*alert = ALERT_BAD_CERTIFICATE;
	if (!extensions_few(&chain->entry[n], why))
		return false;
	X509 *cert = chain->cert[n] = parse(&chain->entry[n]);
	if (!cert)
		return refusal_say(why, "is not one X.509 certificate");
	if (!names_equal(X509_get_issuer_name(cert), X509_get_subject_name(issuer)) ||
	    !key_ids_agree(cert, issuer)) {
		*alert = top ? ALERT_UNKNOWN_CA : ALERT_BAD_CERTIFICATE;
		return refusal_say(why, "was not issued by %s",
				   top ? "the server's CA" : "the one after it");
	}
	if (!cert_signature_allowed(X509_get_signature_nid(cert), why))
		return false;
	if (X509_verify(cert, X509_get0_pubkey(issuer)) != 1)
		return refusal_say(why, "has a signature that is not its issuer's");
	*alert = ALERT_UNSUPPORTED_CERTIFICATE;
	/* The leaf's key is judged with the rest of it, in step two. */
	EVP_PKEY *key = X509_get0_pubkey(cert);
	return n == 0 || (key ? cert_key_allowed(key, why)
			      : refusal_say(why, "has a key of an unknown kind"));
}

bool chain_open(const uint8_t *message, size_t len, X509 *root, struct chain *chain,
		enum alert *alert, struct refusal *why)
{
	*chain = (struct chain){.root = root};
	int count = certmsg_entries(message, len, chain->entry, CERT_CHAIN_MAX);
	*alert = count == 0 ? ALERT_CERTIFICATE_REQUIRED : ALERT_DECODE_ERROR;
	if (count == 0)
		return refusal_say(why, "no client certificate");
	if (count < 0)
		return refusal_say(why, "the certificate message is malformed");
	if (count > CERT_CHAIN_MAX)
		return refusal_say(why, "%d certificates, at most %d are taken", count,
				   CERT_CHAIN_MAX);
	chain->count = (unsigned)count;
	if (count > 1 && is_root(&chain->entry[count - 1], root))
		chain->count--;
	for (unsigned n = chain->count; n-- > 0;) {
		struct refusal detail;
		if (!open_certificate(chain, n, alert, &detail))
			return refusal_say(why, "certificate %u of %u: %s", n + 1, chain->count,
					   detail.text);
	}
	return true;
}

void chain_close(struct chain *chain)
{
	for (unsigned n = 0; n < chain->count; n++)
		X509_free(chain->cert[n]);
	chain->count = 0;
	ERR_clear_error();
}
