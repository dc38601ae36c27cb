/*
 * Issuing, see issue.h.
 */
#include "issue.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "chain.h"
#include "describe.h"
#include "keys.h"
#include "pem.h"
#include "words.h"
#include "x509.h"
#include "x509_time.h"

/* Labels share their first six digits once in 16 million draws a sibling. */
#define DRAWS_MAX 64
/* Longer than this nobody waits for the clock. */
#define WAIT_MAX_S 2

void issuance_begin(struct issuance *issuance)
{
	memset(issuance, 0, sizeof(*issuance));
	issuance->issuer.lock = -1;
}

void issuance_end(struct issuance *issuance)
{
	outputs_end(&issuance->outputs);
	X509_free(issuance->cert);
	issuer_close(&issuance->issuer);
}

/* Whether a sibling's label begins with the digits that people see of LABEL's, or is LABEL. */
static bool label_taken(const struct db *db, const struct label *label, bool whole)
{
	char digits[LABEL_DIGITS_MIN + 1];

	if (whole)
		return db_find_label(db, label) != NULL;
	label_format(label, LABEL_DIGITS_MIN, digits);
	return db_find_prefix(db, digits, LABEL_DIGITS_MIN, NULL) != NULL;
}

ASN1_INTEGER *serial_draw(const struct db *db, struct refusal *why)
{
	struct label label;

	for (int i = 0; i < 2 * DRAWS_MAX; i++) {
		ASN1_INTEGER *serial = x509_serial();

		/* Among millions of siblings, six digits do for nobody: then only all count. */
		if (serial != NULL && cert_label(serial, &label, why) &&
		    !label_taken(db, &label, i >= DRAWS_MAX))
			return serial;
		ASN1_INTEGER_free(serial);
	}
	refusal_say(why, "serial number: OpenSSL has no randomness");
	return NULL;
}

/* The extensions that the shape has, with the path length in TEXT. */
static bool extend(X509 *cert, const struct issuer *issuer, const struct grant *grant)
{
	static const struct standard_extension leaf[] = {
	    {NID_basic_constraints, "critical,CA:FALSE"},
	    {NID_key_usage, "critical,digitalSignature"},
	    {NID_ext_key_usage, "clientAuth"},
	    {0, NULL},
	};
	char constraints[48] = "critical,CA:TRUE";
	struct standard_extension delegation[] = {
	    {NID_basic_constraints, constraints},
	    {NID_key_usage, "critical,keyCertSign,cRLSign"},
	    {NID_ext_key_usage, "clientAuth"},
	    {0, NULL},
	};

	if (grant->path_length.given)
		snprintf(constraints, sizeof(constraints), "critical,CA:TRUE,pathlen:%u",
			 grant->path_length.value);
	return x509_extend(cert, issuer->cert,
			   grant->shape == SHAPE_DELEGATION ? delegation : leaf);
}

static bool extend_ours(X509 *cert, const struct cert_content *content, struct refusal *why)
{
	STACK_OF(X509_EXTENSION) *exts = NULL;
	bool ok = cert_encode(content, &exts, why);

	for (int i = 0; ok && i < sk_X509_EXTENSION_num(exts); i++)
		if (X509_add_ext(cert, sk_X509_EXTENSION_value(exts, i), -1) != 1)
			ok = refusal_say(why, "certificate: out of memory");
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	return ok;
}

static bool set_dates(X509 *cert, const struct issuer *issuer, const struct grant *grant)
{
	bool ok = x509_set_dates(cert, time(NULL),
				 grant->days.given ? grant->days.value : DAYS_SIGNED);

	ok = ok && x509_clip_dates(cert, issuer->cert);
	for (int n = 0; ok && n < sk_X509_num(issuer->chain); n++)
		ok = x509_clip_dates(cert, sk_X509_value(issuer->chain, n));
	return ok;
}

/*
 * Of two certificates of one serial number a server takes the one that begins later for the one
 * that counts: CERT begins after OLDER, in the next second if need be.
 */
static bool begin_after(X509 *cert, int64_t older, const char *name, struct refusal *why)
{
	char begin[TIME_SIZE];

	if (x509_seconds(X509_get0_notBefore(cert)) > older)
		return true;
	time_words(older, begin);
	if (older - time(NULL) > WAIT_MAX_S)
		return refusal_say(why,
				   "dates: the certificate that %s has begins %s, which this clock "
				   "says is still to come: a new one would not replace it",
				   name, begin);
	while (time(NULL) <= older)
		sleep(1);
	return ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)older + 1) != NULL ||
	       refusal_say(why, "%s: out of memory", name);
}

static bool certificate_fill(X509 *cert, const struct issuer *issuer, const struct grant *grant,
			     const ASN1_INTEGER *serial, int64_t older, struct refusal *why)
{
	bool ok = x509_fill(cert, serial, X509_get_subject_name(issuer->cert), grant->name,
			    grant->key) &&
		  set_dates(cert, issuer, grant) && extend(cert, issuer, grant);

	if (!ok)
		return refusal_say(why, "%s: OpenSSL cannot make the certificate", grant->name);
	if (!begin_after(cert, older, grant->name, why) || !extend_ours(cert, grant->content, why))
		return false;
	if (X509_sign(cert, issuer->key, key_digest(issuer->key)) > 0)
		return true;
	return refusal_say(why, "%s: OpenSSL cannot sign with the key of %s", grant->name,
			   issuer->name);
}

/* Reads back what was signed: nothing leaves that would be taken for something else. */
static bool certificate_check(X509 *cert, const struct issuer *issuer, const struct grant *grant,
			      struct refusal *why)
{
	struct cert_content content;
	char name[NAME_SIZE];

	if (!cert_name(X509_get_subject_name(cert), name, why) ||
	    !cert_decode(X509_get0_extensions(cert), &content, why))
		return false;
	if (strcmp(name, grant->name) == 0 && X509_verify(cert, issuer->key) == 1 &&
	    cert_shape(&content, X509_check_ca(cert) == 1, why) == grant->shape)
		return true;
	ERR_clear_error();
	return refusal_say(why, "%s: the certificate made is not what was to be granted",
			   grant->name);
}

/*
 * An older certificate is replaced by its like only. *OLDER: when it began, if it has SERIAL; a
 * time before all others if not.
 */
static bool replaces_like(const char *path, const struct issuer *issuer, const struct grant *grant,
			  const ASN1_INTEGER *serial, int64_t *older, struct refusal *why)
{
	struct cert_content content;
	struct refusal ignored;
	char name[NAME_SIZE];
	X509 *old;
	bool like;

	*older = INT64_MIN;
	if (!file_exists(path))
		return true;
	old = pem_certificate_load(path, why);
	if (old == NULL)
		return false;
	/* The revocation of one issuer makes way for that of another: both have their lists. */
	like = (grant->shape == SHAPE_REVOCATION ||
		X509_NAME_cmp(X509_get_issuer_name(old), X509_get_subject_name(issuer->cert)) ==
		    0) &&
	       cert_name(X509_get_subject_name(old), name, &ignored) &&
	       strcmp(name, grant->name) == 0 &&
	       cert_decode(X509_get0_extensions(old), &content, &ignored) &&
	       cert_shape(&content, X509_check_ca(old) == 1, &ignored) == grant->shape;
	if (ASN1_INTEGER_cmp(X509_get0_serialNumber(old), serial) == 0)
		*older = x509_seconds(X509_get0_notBefore(old));
	X509_free(old);
	return like ||
	       refusal_say(why, "%.200s: is not %s of %s signed by %s, and is not replaced by it",
			   path, shape_words(grant->shape), grant->name, issuer->name);
}

bool issue_certificate(struct issuance *issuance, const struct grant *grant,
		       const ASN1_INTEGER *serial, const char *stem, struct refusal *why)
{
	const struct issuer *issuer = &issuance->issuer;
	char pem[PATH_MAX], bundle[PATH_MAX];
	int64_t older;

	if (!file_name(stem, ".pem", pem, why) || !file_name(stem, ".bundle", bundle, why) ||
	    !replaces_like(pem, issuer, grant, serial, &older, why))
		return false;
	issuance->cert = X509_new();
	if (issuance->cert == NULL)
		return refusal_say(why, "%s: out of memory", grant->name);
	if (!certificate_fill(issuance->cert, issuer, grant, serial, older, why) ||
	    !certificate_check(issuance->cert, issuer, grant, why) ||
	    !chain_check(issuance->cert, issuer, why) ||
	    !pem_chain_output(issuance->cert, NULL, pem, OUTPUT_REPLACE, &issuance->outputs, why) ||
	    !pem_chain_output(issuance->cert, issuer->chain, bundle, OUTPUT_REPLACE,
			      &issuance->outputs, why))
		return false;
	describe_certificate(issuance->cert);
	return true;
}

/* The serial number for NAME, entered in the .db when it is new; NULL with WHY. */
static ASN1_INTEGER *serial_for(struct issuer *issuer, const char *name, struct refusal *why)
{
	const struct db_entry *known = NULL, *next = NULL;
	ASN1_INTEGER *serial;

	/* Of several lines in another tool's file the last one is the newest. */
	while ((next = db_find_name(&issuer->db, name, next)) != NULL)
		known = next;
	if (known != NULL)
		return ASN1_INTEGER_dup(known->serial);
	serial = serial_draw(&issuer->db, why);
	if (serial != NULL && !db_add(&issuer->db, serial, name, why)) {
		ASN1_INTEGER_free(serial);
		return NULL;
	}
	return serial;
}

bool issue(struct issuance *issuance, const struct grant *grant, const char *stem,
	   struct refusal *why)
{
	struct issuer *issuer = &issuance->issuer;
	ASN1_INTEGER *serial;
	bool ok;

	if (!issuer_open(issuer, why) || !grant_check(issuer, grant, why) ||
	    !issuer_lock(issuer, why))
		return false;
	serial = serial_for(issuer, grant->name, why);
	if (serial == NULL)
		return false;
	/* First the .db: a number that is remembered and not used does no harm. */
	ok = issuer_output_db(issuer, &issuance->outputs, why) &&
	     issue_certificate(issuance, grant, serial, stem, why);
	ASN1_INTEGER_free(serial);
	return ok;
}
