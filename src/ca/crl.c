/*
 * Revocation lists, see crl.h.
 */
#include "crl.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <time.h>

#include "keys.h"
#include "pem.h"
#include "x509.h"

/* A list stays in force after this; it only says when it was to be looked at again. */
#define DAYS_CRL 365

/* X.crl, the issuer's older list; *FOUND false: there is none. */
static X509_CRL *crl_load(const struct issuer *issuer, bool *found, struct refusal *why)
{
	const char *path = issuer->files.crl;
	X509_CRL *crl = NULL;
	struct blob file;

	*found = file_exists(path);
	if (!*found || !file_read(path, PEM_FILE_MAX, &file, why))
		return NULL;
	crl = pem_crl(path, &file, why);
	free(file.data);
	if (crl != NULL && X509_CRL_verify(crl, X509_get0_pubkey(issuer->cert)) != 1) {
		ERR_clear_error();
		refusal_say(why, "%.200s: is not signed with the key of %.200s", path,
			    issuer->files.cert);
		X509_CRL_free(crl);
		return NULL;
	}
	return crl;
}

/* The list that CARRIER brings; NULL: none, or another issuer's. */
static X509_CRL *carried_load(const struct issuer *issuer, const char *carrier)
{
	struct refusal ignored;
	struct cert_content content;
	X509 *cert = file_exists(carrier) ? pem_certificate_load(carrier, &ignored) : NULL;
	X509_CRL *crl = NULL;

	if (cert != NULL && cert_decode(X509_get0_extensions(cert), &content, &ignored) &&
	    content.crl != NULL) {
		const unsigned char *der = content.crl;

		crl = d2i_X509_CRL(NULL, &der, (long)content.crl_size);
	}
	if (crl != NULL && X509_CRL_verify(crl, X509_get0_pubkey(issuer->cert)) != 1) {
		X509_CRL_free(crl);
		crl = NULL;
	}
	X509_free(cert);
	ERR_clear_error();
	return crl;
}

/* The list's number; -1 without a list, or one without. */
static BIGNUM *number_of(const X509_CRL *crl)
{
	ASN1_INTEGER *number = crl == NULL ? NULL
					   : X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
	BIGNUM *value = BN_new();

	if (value != NULL && (number == NULL || ASN1_INTEGER_to_BN(number, value) == NULL)) {
		BN_one(value);
		BN_set_negative(value, 1);
	}
	ASN1_INTEGER_free(number);
	return value;
}

/* The one of the higher number; the other one is freed. */
static X509_CRL *newer(X509_CRL *a, X509_CRL *b)
{
	BIGNUM *number_a = number_of(a), *number_b = number_of(b);
	bool first = number_a == NULL || number_b == NULL || BN_cmp(number_a, number_b) >= 0;

	BN_free(number_a);
	BN_free(number_b);
	X509_CRL_free(first ? b : a);
	return first ? a : b;
}

/* The number behind OLD's, 0 without OLD. */
static ASN1_INTEGER *next_number(const struct issuer *issuer, const X509_CRL *old,
				 struct refusal *why)
{
	ASN1_INTEGER *next = NULL;
	BIGNUM *value = number_of(old);

	if (value != NULL && old != NULL && BN_is_negative(value))
		refusal_say(why, "%.300s: has no number that could be raised", issuer->files.crl);
	else if (value == NULL || BN_add_word(value, 1) != 1)
		refusal_say(why, "%.300s: out of memory", issuer->files.crl);
	else
		next = BN_to_ASN1_INTEGER(value, NULL);
	BN_free(value);
	return next;
}

static bool copy_entries(X509_CRL *crl, X509_CRL *old)
{
	STACK_OF(X509_REVOKED) *entries = old == NULL ? NULL : X509_CRL_get_REVOKED(old);

	for (int i = 0; i < sk_X509_REVOKED_num(entries); i++) {
		X509_REVOKED *copy = X509_REVOKED_dup(sk_X509_REVOKED_value(entries, i));

		if (copy == NULL || X509_CRL_add0_revoked(crl, copy) != 1) {
			X509_REVOKED_free(copy);
			return false;
		}
	}
	return true;
}

static bool add_entry(X509_CRL *crl, const ASN1_INTEGER *serial, ASN1_TIME *now)
{
	ASN1_INTEGER *copy = ASN1_INTEGER_dup(serial);
	X509_REVOKED *entry = X509_REVOKED_new();
	X509_REVOKED *known = NULL;
	bool ok = copy != NULL && entry != NULL;

	if (ok && X509_CRL_get0_by_serial(crl, &known, copy) == 0) {
		ok = X509_REVOKED_set_serialNumber(entry, copy) == 1 &&
		     X509_REVOKED_set_revocationDate(entry, now) == 1 &&
		     X509_CRL_add0_revoked(crl, entry) == 1;
		if (ok)
			entry = NULL;
	}
	ASN1_INTEGER_free(copy);
	X509_REVOKED_free(entry);
	return ok;
}

static bool crl_extend(X509_CRL *crl, const struct issuer *issuer, ASN1_INTEGER *number)
{
	X509V3_CTX context;
	X509_EXTENSION *ext;
	bool ok;

	if (X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, X509V3_ADD_DEFAULT) != 1)
		return false;
	if (X509_get_ext_by_NID(issuer->cert, NID_subject_key_identifier, -1) < 0)
		return true;
	X509V3_set_ctx(&context, issuer->cert, NULL, NULL, crl, 0);
	ext = X509V3_EXT_conf_nid(NULL, &context, NID_authority_key_identifier, "keyid:always");
	ok = ext != NULL && X509_CRL_add_ext(crl, ext, -1) == 1;
	X509_EXTENSION_free(ext);
	return ok;
}

static bool crl_fill(X509_CRL *crl, const struct issuer *issuer, X509_CRL *old, const char *name)
{
	const struct db_entry *entry = NULL;
	/* Servers refuse a list of the future, and clocks differ. */
	ASN1_TIME *now = ASN1_TIME_set(NULL, time(NULL) - CLOCK_SLACK_S);
	ASN1_TIME *next = ASN1_TIME_adj(NULL, time(NULL), DAYS_CRL, 0);
	bool ok;

	ok = now != NULL && next != NULL && X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1 &&
	     X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer->cert)) == 1 &&
	     X509_CRL_set1_lastUpdate(crl, now) == 1 && X509_CRL_set1_nextUpdate(crl, next) == 1 &&
	     copy_entries(crl, old);
	while (ok && (entry = db_find_name(&issuer->db, name, entry)) != NULL)
		ok = add_entry(crl, entry->serial, now);
	ASN1_TIME_free(now);
	ASN1_TIME_free(next);
	return ok;
}

bool crl_last(const struct issuer *issuer, const char *carrier, X509_CRL **out, struct refusal *why)
{
	bool found;

	*out = crl_load(issuer, &found, why);
	if (found && *out == NULL)
		return false;
	*out = newer(*out, carried_load(issuer, carrier));
	return true;
}

X509_CRL *crl_next(const struct issuer *issuer, const char *name, const char *carrier,
		   struct refusal *why)
{
	X509_CRL *old, *crl;
	ASN1_INTEGER *number;
	bool ok = false;

	if (!crl_last(issuer, carrier, &old, why))
		return NULL;
	number = next_number(issuer, old, why);
	crl = X509_CRL_new();
	if (number != NULL && crl != NULL) {
		ok = crl_fill(crl, issuer, old, name) && crl_extend(crl, issuer, number) &&
		     X509_CRL_sort(crl) == 1 &&
		     X509_CRL_sign(crl, issuer->key, key_digest(issuer->key)) > 0;
		if (!ok)
			refusal_say(why, "%.300s: OpenSSL cannot make the list", issuer->files.crl);
	}
	X509_CRL_free(old);
	ASN1_INTEGER_free(number);
	if (ok)
		return crl;
	X509_CRL_free(crl);
	return NULL;
}
