/*
 * Whether a grant may be made, see grant.h. Refuses in the words of vmm_auth and vmmd where the
 * same code decides.
 */
#include "grant.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <time.h>

#include "csr.h"
#include "tokens.h"
#include "words.h"
#include "x509.h"
#include "x509_time.h"

/* The certificates above what is issued, as far as they are known: the chain, or the root. */
static int levels(const struct issuer *issuer)
{
	return issuer->root ? 1 : sk_X509_num(issuer->chain);
}

static X509 *level(const struct issuer *issuer, int n)
{
	return issuer->root ? issuer->cert : sk_X509_value(issuer->chain, n);
}

/* How many delegations may follow the issuer; -1: any number. */
static long path_room(const struct issuer *issuer)
{
	long room = -1;

	for (int n = 0; n < levels(issuer); n++) {
		long length = X509_get_pathlen(level(issuer, n));

		if (length >= 0 && (room < 0 || length - n < room))
			room = length > n ? length - n : 0;
	}
	return room;
}

static bool path_length_check(const struct issuer *issuer, const struct grant *grant,
			      struct refusal *why)
{
	long room = path_room(issuer);

	if (grant->shape != SHAPE_DELEGATION)
		return !grant->path_length.given ||
		       refusal_say(why, "path length: %s is no delegation, it has none",
				   grant->name);
	if (room == 0)
		return refusal_say(why,
				   "path length: asked for a delegation, %s allows 0 below itself",
				   issuer->name);
	if (room > 0 && grant->path_length.given && grant->path_length.value > room - 1)
		return refusal_say(why, "path length: asked for %u, %s leaves %ld",
				   grant->path_length.value, issuer->name, room - 1);
	/* A delegation that no leaf fits below is of no use. */
	if (!issuer->root && sk_X509_num(issuer->chain) + 2 > CERT_CHAIN_MAX)
		return refusal_say(why, "chain: would have %d certificates, at most %d are read",
				   sk_X509_num(issuer->chain) + 2, CERT_CHAIN_MAX);
	return true;
}

bool vm_allowed(const struct vm_config *vm, const struct policy *parent, const char *parent_name,
		struct refusal *why)
{
	uint32_t wanted;

	return policy_allows_vm(vm, parent, parent_name, why) &&
	       tokens_check(vm, parent, &wanted, why);
}

static bool policy_check(const struct issuer *issuer, const struct grant *grant,
			 struct refusal *why)
{
	if (issuer->root && grant->shape == SHAPE_VM)
		return refusal_say(why,
				   "issuer: %s is a VM, %s is the root CA; a VM needs a delegation "
				   "that it is accounted to",
				   grant->name, issuer->name);
	if (issuer->root)
		return true;
	if (grant->shape == SHAPE_DELEGATION)
		return policy_within(&grant->content->policy, &issuer->policy, issuer->name, why);
	if (grant->shape == SHAPE_VM)
		return vm_allowed(&grant->content->vm, &issuer->policy, issuer->name, why);
	return true;
}

/* No certificate may have its issuer's name, as X.509 compares names, no delegation a key above it.
 */
static bool identity_check(const struct issuer *issuer, const struct grant *grant,
			   struct refusal *why)
{
	X509_NAME *subject = subject_make(grant->name);
	bool same;

	if (subject == NULL)
		return refusal_say(why, "%s: out of memory", grant->name);
	same = X509_NAME_cmp(subject, X509_get_subject_name(issuer->cert)) == 0;
	X509_NAME_free(subject);
	if (same)
		return refusal_say(why,
				   "name: %s cannot sit directly under its own name, its issuer is "
				   "%s; choose another",
				   grant->name, issuer->name);
	for (int n = 0; grant->shape == SHAPE_DELEGATION && n < levels(issuer); n++) {
		if (EVP_PKEY_eq(grant->key, X509_get0_pubkey(level(issuer, n))) == 1)
			return refusal_say(why,
					   "key: %s has the key of a certificate above it; make "
					   "another",
					   grant->name);
		ERR_clear_error();
	}
	return true;
}

static bool dates_check(const struct issuer *issuer, struct refusal *why)
{
	time_t now = time(NULL);
	char until[TIME_SIZE];

	for (int n = 0; n < levels(issuer); n++) {
		int64_t last = x509_seconds(X509_get0_notAfter(level(issuer, n)));

		if (last > now)
			continue;
		time_words(last, until);
		return refusal_say(why, "dates: %s%s expired %s",
				   n == 0 ? "" : "a delegation above ", issuer->name, until);
	}
	return true;
}

bool grant_check(const struct issuer *issuer, const struct grant *grant, struct refusal *why)
{
	return cert_key_allowed(grant->key, why) && identity_check(issuer, grant, why) &&
	       policy_check(issuer, grant, why) && path_length_check(issuer, grant, why) &&
	       dates_check(issuer, why);
}
