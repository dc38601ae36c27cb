/*
 * Reads a revocation list. Whose it is comes first, then the signature; its entries are looked at
 * when it proved to be the issuer's. What would make it less than the whole list (a delta, one of
 * several parts, other issuers' certificates) is refused: an absent serial must mean "not revoked".
 */
#include "crl.h"

#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "cert.h"
#include "der.h"

#define VERSION_2  1
#define SERIAL_MAX 20
/* id-ce, 2.5.29, and its arcs. */
#define ID_CE		"\x55\x1d"
#define CE_REASON	21
#define CE_NUMBER	20
#define CE_DELTA	27
#define CE_PARTITION	28
#define CE_OTHER_ISSUER 29

struct bytes {
	const uint8_t *at;
	size_t size;
};

/* The list's outermost parts. Readers point to PROBLEM: it stays where it is. */
struct frame {
	const char *problem;
	struct bytes signed_part, algorithm, signature;
	struct der tbs;
};

struct extension {
	struct bytes oid; /* an element */
	int ce;		  /* arc below id-ce, -1: another */
	bool critical;
	struct der value;
};

/* The next element, of TYPE, with its header. */
static struct bytes element_take(struct der *in, uint8_t type)
{
	const uint8_t *start = in->at;
	(void)der_enter(in, type);
	return (struct bytes){start, (size_t)(in->at - start)};
}

static size_t left(const struct der *in)
{
	return (size_t)(in->end - in->at);
}

static bool frame_read(const uint8_t *der, size_t size, struct frame *out, struct refusal *why)
{
	struct der in = der_init(der, size, &out->problem);
	struct der list = der_enter(&in, DER_SEQUENCE);
	der_end(&in);
	struct der rest = list;
	out->signed_part = element_take(&rest, DER_SEQUENCE);
	out->tbs = der_enter(&list, DER_SEQUENCE);
	out->algorithm = element_take(&list, DER_SEQUENCE);
	struct der signature = der_enter(&list, DER_BIT_STRING);
	der_end(&list);
	if (out->problem)
		return refusal_say(why, "%s", out->problem);
	if (left(&signature) < 1 || *signature.at != 0)
		return refusal_say(why, "has a signature that is no whole number of bytes");
	out->signature = (struct bytes){signature.at + 1, left(&signature) - 1};
	return true;
}

/* Version, algorithm and issuer; TBS is then at the date. */
static bool head_check(struct frame *frame, X509 *issuer, struct refusal *why)
{
	const uint8_t *name;
	size_t size;
	if (!der_is(&frame->tbs, DER_INTEGER))
		return refusal_say(why, "is of version 1, must be 2 with a number (crlNumber)");
	uint64_t version = der_number(&frame->tbs);
	struct bytes algorithm = element_take(&frame->tbs, DER_SEQUENCE);
	struct bytes from = element_take(&frame->tbs, DER_SEQUENCE);
	if (frame->problem)
		return refusal_say(why, "%s", frame->problem);
	if (version != VERSION_2)
		return refusal_say(why, "is of a version that is not 2");
	if (algorithm.size != frame->algorithm.size ||
	    memcmp(algorithm.at, frame->algorithm.at, algorithm.size) != 0)
		return refusal_say(why, "names two different algorithms for its signature");
	if (!X509_NAME_get0_der(X509_get_subject_name(issuer), &name, &size) || size != from.size ||
	    memcmp(name, from.at, size) != 0)
		return refusal_say(why, "is another issuer's, must be of the one that signed the "
					"certificate it comes in");
	if (!(X509_get_key_usage(issuer) & KU_CRL_SIGN))
		return refusal_say(why, "is of an issuer whose keyUsage lacks cRLSign");
	return true;
}

/* The digest that goes with the algorithm, which must be KEY's kind; false: not taken. */
static bool algorithm_read(const struct bytes *der, const EVP_PKEY *key, const EVP_MD **digest,
			   struct refusal *why)
{
	const uint8_t *at = der->at;
	X509_ALGOR *algorithm = d2i_X509_ALGOR(NULL, &at, (long)der->size);
	const ASN1_OBJECT *oid = NULL;
	int type = V_ASN1_OTHER, digest_nid, key_nid;
	if (algorithm)
		X509_ALGOR_get0(&oid, &type, NULL, algorithm);
	int nid = oid ? OBJ_obj2nid(oid) : NID_undef;
	X509_ALGOR_free(algorithm);
	if (!cert_signature_allowed(nid, why))
		return false;
	if ((type != V_ASN1_UNDEF && type != V_ASN1_NULL) ||
	    !OBJ_find_sigid_algs(nid, &digest_nid, &key_nid) ||
	    EVP_PKEY_get_base_id(key) != key_nid)
		return refusal_say(why,
				   "is signed with %s, which does not go with its issuer's key",
				   OBJ_nid2sn(nid));
	*digest = digest_nid == NID_undef ? NULL : EVP_get_digestbynid(digest_nid);
	return true;
}

static bool signature_check(const struct frame *frame, X509 *issuer, struct refusal *why)
{
	EVP_PKEY *key = X509_get0_pubkey(issuer);
	const EVP_MD *digest = NULL;
	if (!key)
		return refusal_say(why, "has an issuer with a key of an unknown kind");
	if (!algorithm_read(&frame->algorithm, key, &digest, why))
		return false;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = ctx && EVP_DigestVerifyInit(ctx, NULL, digest, NULL, key) == 1 &&
		    EVP_DigestVerify(ctx, frame->signature.at, frame->signature.size,
				     frame->signed_part.at, frame->signed_part.size) == 1;
	EVP_MD_CTX_free(ctx);
	return good || refusal_say(why, "has a signature that is not its issuer's");
}

static struct extension extension_take(struct der *list)
{
	struct der in = der_enter(list, DER_SEQUENCE), inside = in;
	struct extension out = {.ce = -1, .oid = element_take(&in, DER_OID)};
	struct der oid = der_enter(&inside, DER_OID);
	if (left(&oid) == 3 && memcmp(oid.at, ID_CE, 2) == 0)
		out.ce = oid.at[2];
	out.critical = der_flag(&in);
	out.value = der_enter(&in, DER_OCTETS);
	der_end(&in);
	return out;
}

static bool extension_refused(const struct extension *extension, struct refusal *why)
{
	const uint8_t *at = extension->oid.at;
	ASN1_OBJECT *object = d2i_ASN1_OBJECT(NULL, &at, (long)extension->oid.size);
	char text[64] = "?";
	if (object)
		OBJ_obj2txt(text, sizeof(text), object, 1);
	ASN1_OBJECT_free(object);
	return refusal_say(why, "extension %s: is critical and not known here", text);
}

/* One extension of the list; *NUMBERED when it was the number. */
static bool extension_check(struct extension *extension, struct crl *out, bool *numbered,
			    struct refusal *why)
{
	if (extension->ce == CE_DELTA)
		return refusal_say(why, "is a delta (deltaCRLIndicator), must be a whole list");
	if (extension->ce == CE_PARTITION)
		return refusal_say(why,
				   "is partitioned or indirect (issuingDistributionPoint), must "
				   "be a whole list of its issuer's own certificates");
	if (extension->ce != CE_NUMBER)
		return !extension->critical || extension_refused(extension, why);
	if (*numbered)
		return refusal_say(why, "number: is there twice");
	*numbered = true;
	struct der number = der_magnitude(&extension->value);
	der_end(&extension->value);
	if (*number.problem)
		return refusal_say(why, "number: %s", *number.problem);
	if (left(&number) > CRL_NUMBER_SIZE)
		return refusal_say(why, "number: has %zu bytes, at most %d are allowed",
				   left(&number), CRL_NUMBER_SIZE);
	memcpy(out->number + CRL_NUMBER_SIZE - left(&number), number.at, left(&number));
	return true;
}

static bool extensions_read(struct der *tbs, struct crl *out, struct refusal *why)
{
	bool numbered = false;
	if (der_is(tbs, DER_EXPLICIT(0))) {
		struct der explicit = der_enter(tbs, DER_EXPLICIT(0));
		struct der list = der_enter(&explicit, DER_SEQUENCE);
		der_end(&explicit);
		while (der_more(&list)) {
			struct extension extension = extension_take(&list);
			if (!*tbs->problem && !extension_check(&extension, out, &numbered, why))
				return false;
		}
	}
	der_end(tbs);
	if (*tbs->problem)
		return refusal_say(why, "%s", *tbs->problem);
	return numbered || refusal_say(why, "has no number (crlNumber)");
}

/* Why an entry's extensions are not taken; a reason is not asked for: revoked is revoked. */
static bool entry_extensions_check(struct der *entry, struct refusal *why)
{
	struct der list = der_enter(entry, DER_SEQUENCE);
	while (der_more(&list)) {
		struct extension extension = extension_take(&list);
		if (*list.problem)
			break;
		if (extension.ce == CE_OTHER_ISSUER)
			return refusal_say(why,
					   "is of another issuer (certificateIssuer): indirect "
					   "lists are not taken");
		if (extension.critical && extension.ce != CE_REASON)
			return extension_refused(&extension, why);
	}
	return true;
}

static bool entry_read(struct der *entries, struct label *out, struct refusal *why)
{
	struct der entry = der_enter(entries, DER_SEQUENCE);
	struct der serial = der_magnitude(&entry);
	(void)der_time(&entry);
	if (der_more(&entry) && !entry_extensions_check(&entry, why))
		return false;
	der_end(&entry);
	if (*entries->problem)
		return refusal_say(why, "%s", *entries->problem);
	if (left(&serial) == 0)
		return refusal_say(why, "serial number: is zero");
	if (left(&serial) > SERIAL_MAX)
		return refusal_say(why, "serial number: %zu bytes, at most %d are allowed",
				   left(&serial), SERIAL_MAX);
	SHA256(serial.at, left(&serial), out->byte);
	return true;
}

static int labels_compare(const void *a, const void *b)
{
	return memcmp(a, b, LABEL_SIZE);
}

static void labels_sort(struct crl *crl)
{
	uint32_t kept = 0;
	if (crl->count == 0)
		return;
	qsort(crl->label, crl->count, LABEL_SIZE, labels_compare);
	for (uint32_t i = 1; i < crl->count; i++)
		if (!label_equal(&crl->label[i], &crl->label[kept]))
			crl->label[++kept] = crl->label[i];
	crl->count = kept + 1;
}

static bool entries_read(struct der *tbs, struct crl *out, struct refusal *why)
{
	struct refusal detail;
	size_t count = 0;
	if (!der_is(tbs, DER_SEQUENCE))
		return true;
	struct der entries = der_enter(tbs, DER_SEQUENCE), counted = entries;
	for (; der_more(&counted); count++)
		(void)der_enter(&counted, DER_SEQUENCE);
	if (*tbs->problem)
		return refusal_say(why, "%s", *tbs->problem);
	if (count == 0)
		return true;
	out->label = calloc(count, LABEL_SIZE);
	if (!out->label)
		return refusal_say(why, "has more entries than there is memory for");
	for (; out->count < count; out->count++)
		if (!entry_read(&entries, &out->label[out->count], &detail))
			return refusal_say(why, "entry %u of %zu: %s", out->count + 1, count,
					   detail.text);
	labels_sort(out);
	return true;
}

static bool dates_check(struct der *tbs, time_t now, struct refusal *why)
{
	int64_t made = der_time(tbs);
	if (der_is_time(tbs))
		(void)der_time(tbs);
	if (*tbs->problem)
		return refusal_say(why, "%s", *tbs->problem);
	return made <= now ||
	       refusal_say(why, "is dated %lld seconds in the future", (long long)(made - now));
}

bool crl_read(const uint8_t *der, size_t size, X509 *issuer, time_t now, struct crl *out,
	      struct refusal *why)
{
	struct frame frame;
	*out = (struct crl){0};
	bool good = frame_read(der, size, &frame, why) && head_check(&frame, issuer, why) &&
		    signature_check(&frame, issuer, why) && dates_check(&frame.tbs, now, why) &&
		    entries_read(&frame.tbs, out, why) && extensions_read(&frame.tbs, out, why);
	ERR_clear_error();
	if (!good)
		crl_free(out);
	return good;
}

void crl_free(struct crl *crl)
{
	free(crl->label);
	*crl = (struct crl){0};
}
