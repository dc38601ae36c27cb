/*
 * What all certificates have in common, see x509.h.
 */
#include "x509.h"

#include <openssl/bn.h>
#include <openssl/x509v3.h>
#include <time.h>

#include "csr.h"
#include "x509_time.h"

static bool extension_add(X509 *cert, X509V3_CTX *context, int nid, const char *value)
{
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, context, nid, value);
	bool ok = ext != NULL && X509_add_ext(cert, ext, -1) == 1;

	X509_EXTENSION_free(ext);
	return ok;
}

bool x509_extend(X509 *cert, X509 *issuer, const struct standard_extension *exts)
{
	X509V3_CTX context;

	X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
	for (; exts->nid != 0; exts++)
		if (!extension_add(cert, &context, exts->nid, exts->value))
			return false;
	if (!extension_add(cert, &context, NID_subject_key_identifier, "hash"))
		return false;
	/* The CAs of old have no identifier that could be named. */
	return X509_get_ext_by_NID(issuer, NID_subject_key_identifier, -1) < 0 ||
	       extension_add(cert, &context, NID_authority_key_identifier, "keyid:always");
}

bool x509_fill(X509 *cert, const ASN1_INTEGER *serial, const X509_NAME *issuer, const char *name,
	       EVP_PKEY *key)
{
	X509_NAME *subject = subject_make(name);
	ASN1_INTEGER *copy = ASN1_INTEGER_dup(serial);
	bool ok;

	ok = subject != NULL && copy != NULL && X509_set_version(cert, X509_VERSION_3) == 1 &&
	     X509_set_serialNumber(cert, copy) == 1 &&
	     X509_set_issuer_name(cert, issuer == NULL ? subject : issuer) == 1 &&
	     X509_set_subject_name(cert, subject) == 1 && X509_set_pubkey(cert, key) == 1;
	ASN1_INTEGER_free(copy);
	X509_NAME_free(subject);
	return ok;
}

bool x509_set_dates(X509 *cert, time_t now, unsigned days)
{
	time_t first = now - CLOCK_SLACK_S;

	return X509_time_adj_ex(X509_getm_notBefore(cert), 0, 0, &first) != NULL &&
	       X509_time_adj_ex(X509_getm_notAfter(cert), (int)days, 0, &now) != NULL;
}

bool x509_clip_dates(X509 *cert, const X509 *above)
{
	const ASN1_TIME *first = X509_get0_notBefore(above), *last = X509_get0_notAfter(above);

	if (x509_seconds(first) > x509_seconds(X509_get0_notBefore(cert)) &&
	    X509_set1_notBefore(cert, first) != 1)
		return false;
	return x509_seconds(last) >= x509_seconds(X509_get0_notAfter(cert)) ||
	       X509_set1_notAfter(cert, last) == 1;
}

ASN1_INTEGER *x509_serial(void)
{
	BIGNUM *number = BN_new();
	ASN1_INTEGER *serial = NULL;
	int ok = number != NULL;

	while (ok && BN_is_zero(number))
		ok = BN_rand(number, 64, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY);
	if (ok)
		serial = BN_to_ASN1_INTEGER(number, NULL);
	BN_free(number);
	return serial;
}
