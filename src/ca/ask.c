/*
 * Asking for a certificate, see ask.h. Everything is checked and made in memory, then written at
 * once: a refusal leaves no file behind.
 */
#include "ask.h"

#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "csr.h"
#include "describe.h"
#include "issue.h"
#include "keys.h"
#include "pem.h"

/* What was decoded is what was meant: no name had a separator in it. */
static bool same_devices(const struct vm_config *a, const struct vm_config *b)
{
	return a->nnets == b->nnets && memcmp(a->net, b->net, sizeof(a->net)) == 0 &&
	       a->nblocks == b->nblocks && memcmp(a->block, b->block, sizeof(a->block)) == 0;
}

/* Reads the extensions back as vmm_auth would: it is the stricter one. */
static bool content_check(const struct cert_content *content, enum cert_shape shape,
			  struct refusal *why)
{
	STACK_OF(X509_EXTENSION) *exts = NULL;
	struct cert_content decoded;
	bool ok = cert_encode(content, &exts, why) && cert_decode(exts, &decoded, why);

	if (ok) {
		enum cert_shape found = cert_shape(&decoded, shape == SHAPE_DELEGATION, why);

		ok = found != SHAPE_NONE;
		if (ok && found != shape)
			ok = refusal_say(why, "permissions: those of %s, asked for %s",
					 shape_words(found), shape_words(shape));
		if (ok && !same_devices(&decoded.vm, &content->vm))
			ok = refusal_say(why, "devices: a name must not contain ':' or ','");
	}
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	return ok;
}

static bool name_check(const char *name, struct refusal *why)
{
	const char *problem = name_problem(name, strlen(name));

	return problem == NULL || refusal_say(why, "name: '%.64s' %s", name, problem);
}

/* The key that is given, or a new one with its file collected. */
static EVP_PKEY *key_obtain(const struct args *args, const char *name, struct outputs *outputs,
			    struct refusal *why)
{
	char path[PATH_MAX];
	EVP_PKEY *key;

	if (args->key != NULL)
		return key_load(args->key, why);
	if (!file_name(name, ".key", path, why))
		return NULL;
	if (file_exists(path)) {
		refusal_say(why, "%s: exists already and is not overwritten; --key %s uses it",
			    path, path);
		return NULL;
	}
	key = key_generate(why);
	if (key == NULL || key_output(key, path, outputs, why))
		return key;
	EVP_PKEY_free(key);
	return NULL;
}

static bool request_output(const char *name, const struct cert_content *content, EVP_PKEY *key,
			   struct outputs *outputs, struct refusal *why)
{
	X509_REQ *req = csr_make(name, content, key, why);
	char path[PATH_MAX];
	bool ok;

	ok = req != NULL && file_name(name, ".req", path, why) &&
	     pem_request_output(req, path, outputs, why);
	X509_REQ_free(req);
	return ok;
}

static bool ask_with_key(const struct args *args, const struct grant *grant,
			 struct issuance *issuance, struct refusal *why)
{
	if (!request_output(grant->name, grant->content, grant->key, &issuance->outputs, why))
		return false;
	if (args->issuer == NULL)
		describe_request(grant->name, grant->key, grant->shape, grant->content);
	else if (!issuer_files_of(args->issuer, args->issuer_key, &issuance->issuer.files, why) ||
		 !issue(issuance, grant, grant->name, why))
		return false;
	return outputs_commit(&issuance->outputs, why);
}

int ask(const struct args *args, const char *name, const struct cert_content *content,
	enum cert_shape shape, struct refusal *why)
{
	struct grant grant = {.name = name,
			      .content = content,
			      .shape = shape,
			      .days = args->days,
			      .path_length = args->path_length};
	struct issuance issuance;
	bool ok = false;

	if (args->issuer == NULL &&
	    (args->days.given || args->path_length.given || args->issuer_key != NULL)) {
		refusal_say(why, "--%s belongs to signing: give --issuer too",
			    args->days.given	      ? "days"
			    : args->path_length.given ? "path-length"
						      : "issuer-key");
		return EXIT_USAGE;
	}
	issuance_begin(&issuance);
	if (name_check(name, why) && content_check(content, shape, why))
		grant.key = key_obtain(args, name, &issuance.outputs, why);
	if (grant.key != NULL)
		ok = ask_with_key(args, &grant, &issuance, why);
	EVP_PKEY_free(grant.key);
	issuance_end(&issuance);
	return ok ? EXIT_DONE : EXIT_REFUSED;
}
