/*
 * Verification of a chain: step one (verify_chain.c) says whether the peer is anybody, step two
 * here whether the chain gives authority, and what for. Failing in one is an alert, in two a
 * session that is answered 403 with the reason.
 */
#include "verify.h"

#include <inttypes.h>
#include <openssl/err.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "verify_private.h"

/* What step two works on. */
struct judgement {
	const struct chain *chain;
	const uint8_t *message;
	time_t now;
	const struct revocation *revocation;
	struct request *request;
	int64_t not_after[CERT_CHAIN_MAX];
	long path_length[CERT_CHAIN_MAX]; /* of issuers; -1: not bounded */
	const char *word;		  /* of the refusal */
	struct refusal why;
};

/* Refuses with WORD; the reason is in WHY already. */
static bool refused(struct judgement *j, const char *word)
{
	j->word = word;
	return false;
}

/* Certificate N's node, and when it starts to be valid, in the request. */
static struct node *node_of(struct judgement *j, unsigned n)
{
	return n == 0 ? &j->request->leaf : &j->request->level[j->chain->count - 1 - n].node;
}

static int64_t *not_before_of(struct judgement *j, unsigned n)
{
	return n == 0 ? &j->request->not_before
		      : &j->request->level[j->chain->count - 1 - n].not_before;
}

static const char *issuer_name(struct judgement *j, unsigned n)
{
	return n + 1 < j->chain->count ? node_of(j, n + 1)->name : "the CA";
}

/* The one form of RFC 5280, without fractions and zones. */
static bool time_read(const ASN1_TIME *time, int64_t *out, struct refusal *why)
{
	struct tm tm;
	int size = ASN1_STRING_length(time);
	int expected = ASN1_STRING_type(time) == V_ASN1_UTCTIME ? 13 : 15;
	if (size != expected || ASN1_STRING_get0_data(time)[size - 1] != 'Z' ||
	    !ASN1_TIME_to_tm(time, &tm))
		return refusal_say(why, "validity: a date that is malformed");
	*out = timegm(&tm);
	return true;
}

static void time_format(int64_t time, char *out, size_t size)
{
	time_t seconds = (time_t)time;
	struct tm tm = {0};
	gmtime_r(&seconds, &tm);
	strftime(out, size, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/*
 * Where the image stands in the message: OpenSSL works on copies. In each of its forms it is the
 * last thing in its extension, and that the last element of the Extension.
 */
static bool image_locate(const struct judgement *j, const struct cert_content *content,
			 uint64_t *offset)
{
	const char *problem;
	struct der extensions = extensions_find(&j->chain->entry[0], &problem);
	while (content->image && der_more(&extensions)) {
		struct der extension = der_enter(&extensions, DER_SEQUENCE);
		if ((size_t)(extension.end - extension.at) < content->vm.image.size)
			continue;
		const uint8_t *image = extension.end - content->vm.image.size;
		if (memcmp(image, content->image, content->vm.image.size) != 0)
			continue;
		*offset = (uint64_t)(image - j->message);
		return true;
	}
	return content->image == NULL; /* detached: the offset stays 0 */
}

static bool leaf_take(struct judgement *j, const struct cert_content *content,
		      enum cert_shape shape, struct refusal *why)
{
	struct request *request = j->request;
	request->kind = shape == SHAPE_VM	 ? LEAF_VM
			: shape == SHAPE_COMMAND ? LEAF_COMMAND
						 : LEAF_REVOCATION;
	request->permissions = content->permissions;
	if (shape != SHAPE_VM)
		return true;
	request->vm = content->vm;
	return image_locate(j, content, &request->vm.image.offset) ||
	       refusal_say(why, "image: is not in the message");
}

/* What certificate N says, into the request. */
static bool content_take(struct judgement *j, unsigned n, struct refusal *why)
{
	const STACK_OF(X509_EXTENSION) *exts = X509_get0_extensions(j->chain->cert[n]);
	struct cert_content content;
	if (!cert_decode(exts, &content, why))
		return false;
	enum cert_shape shape = cert_shape(&content, n > 0, why);
	if (shape == SHAPE_NONE)
		return false;
	if (n == 0)
		return leaf_take(j, &content, shape, why);
	j->request->level[j->chain->count - 1 - n].policy = content.policy;
	return true;
}

static bool certificate_take(struct judgement *j, unsigned n, struct refusal *why)
{
	X509 *cert = j->chain->cert[n];
	struct node *node = node_of(j, n);
	return cert_name(X509_get_subject_name(cert), node->name, why) &&
	       cert_label(X509_get0_serialNumber(cert), &node->label, why) &&
	       certificate_check(cert, &j->chain->entry[n], n == 0, &j->path_length[n], why) &&
	       time_read(X509_get0_notBefore(cert), not_before_of(j, n), why) &&
	       time_read(X509_get0_notAfter(cert), &j->not_after[n], why) &&
	       content_take(j, n, why);
}

/* Every certificate by itself. */
static bool form_check(struct judgement *j)
{
	for (unsigned n = j->chain->count; n-- > 0;) {
		struct refusal detail;
		if (certificate_take(j, n, &detail))
			continue;
		if (node_of(j, n)->name[0])
			refusal_say(&j->why, "%s: %s", node_of(j, n)->name, detail.text);
		else
			refusal_say(&j->why, "certificate %u of %u: %s", n + 1, j->chain->count,
				    detail.text);
		return refused(j, "malformed");
	}
	return true;
}

static bool valid_at(struct judgement *j, const char *name, int64_t from, int64_t until)
{
	char date[32];
	if (j->now < from) {
		time_format(from, date, sizeof(date));
		refusal_say(&j->why, "%s is not valid before %s", name, date);
		return refused(j, "not-yet-valid");
	}
	if (j->now > until) {
		time_format(until, date, sizeof(date));
		refusal_say(&j->why, "%s expired at %s", name, date);
		return refused(j, "expired");
	}
	if (until < j->request->expires)
		j->request->expires = until;
	return true;
}

static bool dates_check(struct judgement *j)
{
	int64_t from = 0, until = 0;
	if (!time_read(X509_get0_notBefore(j->chain->root), &from, &j->why) ||
	    !time_read(X509_get0_notAfter(j->chain->root), &until, &j->why))
		return refused(j, "malformed");
	j->request->expires = INT64_MAX;
	if (!valid_at(j, "the CA", from, until))
		return false;
	for (unsigned n = j->chain->count; n-- > 0;)
		if (!valid_at(j, node_of(j, n)->name, *not_before_of(j, n), j->not_after[n]))
			return false;
	return true;
}

static bool revocation_check(struct judgement *j)
{
	struct path scope = {0};
	for (unsigned n = j->chain->count; j->revocation && n-- > 0;) {
		const EVP_PKEY *key = X509_get0_pubkey(chain_issuer(j->chain, n));
		const ASN1_INTEGER *serial = X509_get0_serialNumber(j->chain->cert[n]);
		if (j->revocation->revoked(j->revocation->arg, &scope, key, serial)) {
			refusal_say(&j->why, "%s was revoked by %s", node_of(j, n)->name,
				    issuer_name(j, n));
			return refused(j, "revoked");
		}
		scope.node[scope.depth++] = *node_of(j, n);
	}
	return true;
}

/* How many delegations follow each issuer, as it allows; the root counts too. */
static bool path_lengths_check(struct judgement *j)
{
	const unsigned count = j->chain->count;
	long allowed;
	if (!issuer_check(j->chain->root, true, &allowed, &j->why))
		return false;
	for (unsigned n = count; n > 0; n--) {
		long below = (long)n - 1;
		if (n < count)
			allowed = j->path_length[n];
		if (allowed >= 0 && below > allowed)
			return refusal_say(&j->why,
					   "path length: %s allows %ld below it, the chain has %ld",
					   issuer_name(j, n - 1), allowed, below);
	}
	return true;
}

/* No key has two policies: not the root's, not a delegation's further up. */
static bool keys_differ(struct judgement *j)
{
	for (unsigned n = 1; n < j->chain->count; n++) {
		EVP_PKEY *key = X509_get0_pubkey(j->chain->cert[n]);
		for (unsigned above = n; above < j->chain->count; above++)
			if (EVP_PKEY_eq(key, X509_get0_pubkey(chain_issuer(j->chain, above))) == 1)
				return refusal_say(&j->why, "%s has the key of %s",
						   node_of(j, n)->name, issuer_name(j, above));
	}
	return true;
}

static bool policies_check(struct judgement *j)
{
	const struct request *request = j->request;
	for (uint32_t i = 1; i < request->depth; i++) {
		const struct level *parent = &request->level[i - 1];
		if (!policy_within(&request->level[i].policy, &parent->policy, parent->node.name,
				   &j->why))
			return false;
	}
	if (request->kind != LEAF_VM)
		return true;
	if (request->depth == 0)
		return refusal_say(&j->why,
				   "%s is signed by the CA itself: a VM needs a delegation "
				   "that it is accounted to",
				   request->leaf.name);
	const struct level *last = &request->level[request->depth - 1];
	return policy_allows_vm(&request->vm, &last->policy, last->node.name, &j->why);
}

static bool policy_check(struct judgement *j)
{
	return (path_lengths_check(j) && keys_differ(j) && policies_check(j)) ||
	       refused(j, "policy");
}

static void path_id_make(struct request *request)
{
	uint8_t labels[PATH_DEPTH_MAX * LABEL_SIZE];
	struct path path;
	request_path(request, &path);
	for (uint32_t i = 0; i < path.depth; i++)
		memcpy(labels + (size_t)i * LABEL_SIZE, path.node[i].label.byte, LABEL_SIZE);
	SHA256(labels, (size_t)path.depth * LABEL_SIZE, request->path_id);
}

static void say(struct verify_result *out, enum verdict verdict, const char *word,
		const struct refusal *why)
{
	out->verdict.verdict = verdict;
	(void)snprintf(out->verdict.word, sizeof(out->verdict.word), "%s", word);
	(void)snprintf(out->verdict.detail, sizeof(out->verdict.detail), "%s", why->text);
}

/* Down to the leaf, when every name and label on the way may be printed. */
static void path_find(const struct chain *chain, struct path *out)
{
	struct refusal ignored;
	for (unsigned n = chain->count; n-- > 0;) {
		X509 *cert = chain->cert[n];
		struct node *node = &out->node[out->depth++];
		if (cert_name(X509_get_subject_name(cert), node->name, &ignored) &&
		    cert_label(X509_get0_serialNumber(cert), &node->label, &ignored))
			continue;
		*out = (struct path){0};
		return;
	}
}

/* Step two. */
static void judge(struct judgement *j, struct verify_result *out)
{
	j->request->depth = j->chain->count - 1;
	bool accepted = form_check(j) && dates_check(j) && revocation_check(j) && policy_check(j);
	/* Who it is goes into the log, whatever else is wrong. */
	if (!cert_name(X509_get_subject_name(j->chain->cert[0]), out->name, &(struct refusal){0}))
		out->name[0] = '\0';
	path_find(j->chain, &out->path);
	if (!accepted) {
		say(out, VERDICT_REFUSE, j->word, &j->why);
		out->request = (struct request){0};
		return;
	}
	path_id_make(j->request);
	say(out, VERDICT_ACCEPT, "", &(struct refusal){0});
}

bool verify_root(X509 *root, struct refusal *why)
{
	long path_length;
	EVP_PKEY *key = X509_get0_pubkey(root);
	X509_NAME *subject = X509_get_subject_name(root);
	if (X509_NAME_entry_count(subject) == 0 ||
	    !names_equal(subject, X509_get_issuer_name(root)))
		return refusal_say(why, "it is not self-signed");
	if (!key)
		return refusal_say(why, "key: of an unknown kind");
	if (!cert_key_allowed(key, why) ||
	    !cert_signature_allowed(X509_get_signature_nid(root), why) ||
	    !issuer_check(root, true, &path_length, why))
		return false;
	bool verified = X509_verify(root, key) == 1;
	ERR_clear_error();
	return verified || refusal_say(why, "its signature is not its own key's");
}

void verify_message(const uint8_t *message, size_t len, X509 *root, time_t now,
		    const struct revocation *revocation, struct verify_result *out)
{
	struct chain chain;
	enum alert alert;
	struct judgement j = {.chain = &chain,
			      .message = message,
			      .now = now,
			      .revocation = revocation,
			      .request = &out->request};
	*out = (struct verify_result){0};
	if (chain_open(message, len, root, &chain, &alert, &j.why)) {
		judge(&j, out);
	} else {
		say(out, VERDICT_ALERT, "", &j.why);
		out->verdict.alert = alert;
	}
	chain_close(&chain);
}
