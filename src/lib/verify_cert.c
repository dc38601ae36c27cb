/*
 * The rules for one certificate by itself: DER, version, the allow-list of extensions, what an
 * issuer and what a leaf must have. Its signature was verified already. Knows no clock, no policy.
 */
#include <openssl/x509v3.h>
#include <string.h>

#include "verify_private.h"

#define KEY_USAGE_DIGITAL_SIGNATURE 0
#define KEY_USAGE_CERT_SIGN	    5
#define KEY_USAGE_CRL_SIGN	    6

/* Names keep the bytes that they were read from: taken apart and made again here. */
static bool name_reencodes(const X509_NAME *name)
{
	X509_NAME *copy = X509_NAME_new();
	bool ok = copy != NULL;
	int set = -1;
	for (int i = 0; ok && i < X509_NAME_entry_count(name); i++) {
		X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
		bool more = X509_NAME_ENTRY_set(entry) == set;
		set = X509_NAME_ENTRY_set(entry);
		ok = X509_NAME_add_entry(copy, entry, -1, more ? -1 : 0);
	}
	ok = ok && names_equal(name, copy);
	X509_NAME_free(copy);
	return ok;
}

/* One value, one form: no second certificate of other bytes says the same. */
static bool reencodes(X509 *cert, const struct certmsg_entry *der)
{
	uint8_t *again = NULL;
	/* Makes OpenSSL forget the bytes that it read. The signature was checked over those. */
	if (i2d_re_X509_tbs(cert, NULL) <= 0)
		return false;
	int size = i2d_X509(cert, &again);
	bool same = size > 0 && (size_t)size == der->size &&
		    memcmp(again, der->der, der->size) == 0;
	OPENSSL_free(again);
	return same && name_reencodes(X509_get_subject_name(cert)) &&
	       name_reencodes(X509_get_issuer_name(cert));
}

/* The standard extensions; everything else but ours is refused, critical or not. */
static const int known[] = {
    NID_basic_constraints,	  NID_key_usage, NID_ext_key_usage, NID_subject_key_identifier,
    NID_authority_key_identifier,
};
#define KNOWN (sizeof(known) / sizeof(known[0]))

static bool extension_unknown(X509_EXTENSION *ext, struct refusal *why)
{
	char oid[64];
	OBJ_obj2txt(oid, sizeof(oid), X509_EXTENSION_get_object(ext), 1);
	return refusal_say(why, "extension %s: has no place in a certificate of vmm", oid);
}

static bool extensions_known(const X509 *cert, struct refusal *why)
{
	bool seen[KNOWN] = {false};
	for (int i = 0; i < X509_get_ext_count(cert); i++) {
		X509_EXTENSION *ext = X509_get_ext(cert, i);
		const ASN1_OBJECT *object = X509_EXTENSION_get_object(ext);
		size_t n = 0;
		if (cert_arc(object) >= 0)
			continue; /* cert_decode's, which is as strict */
		while (n < KNOWN && known[n] != OBJ_obj2nid(object))
			n++;
		if (n == KNOWN)
			return extension_unknown(ext, why);
		if (seen[n])
			return refusal_say(why, "%s: is there twice", OBJ_nid2sn(known[n]));
		seen[n] = true;
	}
	return true;
}

/* The value of extension NID, read as ITEM to its last byte; NULL: there is none, or BAD with WHY.
 */
static void *extension_read(const X509 *cert, int nid, const ASN1_ITEM *item, bool *bad,
			    struct refusal *why)
{
	int at = X509_get_ext_by_NID(cert, nid, -1);
	*bad = false;
	if (at < 0)
		return NULL;
	const ASN1_OCTET_STRING *data = X509_EXTENSION_get_data(X509_get_ext(cert, at));
	const uint8_t *byte = ASN1_STRING_get0_data(data);
	const uint8_t *end = byte + ASN1_STRING_length(data);
	ASN1_VALUE *value = ASN1_item_d2i(NULL, &byte, ASN1_STRING_length(data), item);
	if (value && byte == end)
		return value;
	ASN1_item_free(value, item);
	*bad = true;
	(void)refusal_say(why, "%s: is malformed", OBJ_nid2sn(nid));
	return NULL;
}

static bool key_ids_wellformed(const X509 *cert, struct refusal *why)
{
	bool bad_subject, bad_authority;
	ASN1_OCTET_STRING *subject = extension_read(
	    cert, NID_subject_key_identifier, ASN1_ITEM_rptr(ASN1_OCTET_STRING), &bad_subject, why);
	AUTHORITY_KEYID *authority = extension_read(cert, NID_authority_key_identifier,
						    ASN1_ITEM_rptr(AUTHORITY_KEYID), &bad_authority,
						    why);
	ASN1_OCTET_STRING_free(subject);
	AUTHORITY_KEYID_free(authority);
	return !bad_subject && !bad_authority;
}

/* PATH_LENGTH is -1 when there is none. */
static bool constraints_read(const X509 *cert, bool *is_ca, long *path_length, struct refusal *why)
{
	bool bad;
	BASIC_CONSTRAINTS *constraints = extension_read(
	    cert, NID_basic_constraints, ASN1_ITEM_rptr(BASIC_CONSTRAINTS), &bad, why);
	bool bounded = constraints && constraints->pathlen;
	*is_ca = constraints && constraints->ca;
	*path_length = bounded ? ASN1_INTEGER_get(constraints->pathlen) : -1;
	BASIC_CONSTRAINTS_free(constraints);
	if (bounded && (!*is_ca || *path_length < 0))
		return refusal_say(why, "basicConstraints: a path length that cannot be");
	return !bad;
}

/* Which of the usages in use CERT has; PRESENT: whether it restricts them at all. */
struct key_usage {
	bool present, digital_signature, cert_sign, crl_sign;
};

static bool usage_read(const X509 *cert, struct key_usage *out, struct refusal *why)
{
	bool bad;
	ASN1_BIT_STRING *usage = extension_read(cert, NID_key_usage,
						ASN1_ITEM_rptr(ASN1_BIT_STRING), &bad, why);
	*out = (struct key_usage){
	    .present = usage != NULL,
	    .digital_signature = ASN1_BIT_STRING_get_bit(usage, KEY_USAGE_DIGITAL_SIGNATURE),
	    .cert_sign = ASN1_BIT_STRING_get_bit(usage, KEY_USAGE_CERT_SIGN),
	    .crl_sign = ASN1_BIT_STRING_get_bit(usage, KEY_USAGE_CRL_SIGN),
	};
	ASN1_BIT_STRING_free(usage);
	return !bad;
}

bool issuer_check(X509 *cert, bool is_root, long *path_length, struct refusal *why)
{
	bool is_ca;
	struct key_usage usage;
	if (!constraints_read(cert, &is_ca, path_length, why) || !usage_read(cert, &usage, why))
		return false;
	if (!is_ca)
		return refusal_say(why, "basicConstraints: is no CA, an issuer must be one");
	if (!(usage.cert_sign && usage.crl_sign) && !(is_root && !usage.present))
		return refusal_say(why, "keyUsage: an issuer has keyCertSign and cRLSign");
	return true;
}

static bool leaf_check(X509 *cert, struct refusal *why)
{
	bool is_ca;
	long path_length;
	struct key_usage usage;
	if (!constraints_read(cert, &is_ca, &path_length, why) || !usage_read(cert, &usage, why))
		return false;
	if (is_ca)
		return refusal_say(why,
				   "basicConstraints: a session needs a leaf, this one is a CA");
	if (usage.present && (usage.cert_sign || !usage.digital_signature))
		return refusal_say(why, "keyUsage: a leaf has digitalSignature, not keyCertSign");
	return true;
}

/*
 * A leaf has clientAuth; a delegation has it alone, so that it can make no servers. The original's
 * tools made delegations without: those may.
 */
static bool extended_usage_check(const X509 *cert, bool is_leaf, struct refusal *why)
{
	bool bad;
	int client = 0, others = 0;
	EXTENDED_KEY_USAGE *usage = extension_read(cert, NID_ext_key_usage,
						   ASN1_ITEM_rptr(EXTENDED_KEY_USAGE), &bad, why);
	bool absent = usage == NULL;
	for (int i = 0; i < sk_ASN1_OBJECT_num(usage); i++) {
		bool is_client = OBJ_obj2nid(sk_ASN1_OBJECT_value(usage, i)) == NID_client_auth;
		client += is_client;
		others += !is_client;
	}
	EXTENDED_KEY_USAGE_free(usage);
	if (bad)
		return false;
	if (is_leaf && client == 0)
		return refusal_say(why, "extendedKeyUsage: a leaf must have clientAuth");
	if (!is_leaf && !absent && (client == 0 || others > 0))
		return refusal_say(why,
				   "extendedKeyUsage: a delegation must have clientAuth, alone");
	return true;
}

static bool key_check(const X509 *cert, struct refusal *why)
{
	EVP_PKEY *key = X509_get0_pubkey(cert);
	return key ? cert_key_allowed(key, why) : refusal_say(why, "key: of an unknown kind");
}

bool certificate_check(X509 *cert, const struct certmsg_entry *der, bool is_leaf, long *path_length,
		       struct refusal *why)
{
	if (!reencodes(cert, der))
		return refusal_say(why, "is not DER: it has a second form");
	if (X509_get_version(cert) != X509_VERSION_3)
		return refusal_say(why, "is X.509 version %ld, must be 3",
				   X509_get_version(cert) + 1);
	if (names_equal(X509_get_subject_name(cert), X509_get_issuer_name(cert)))
		return refusal_say(why, "has the name of its own issuer");
	return extensions_known(cert, why) && key_ids_wellformed(cert, why) &&
	       (is_leaf ? leaf_check(cert, why) : issuer_check(cert, false, path_length, why)) &&
	       extended_usage_check(cert, is_leaf, why) && key_check(cert, why);
}
