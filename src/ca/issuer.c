/*
 * Who signs, see issuer.h.
 */
#include "issuer.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keys.h"
#include "pem.h"

bool issuer_files_of(const char *x, const char *key, struct issuer_files *out, struct refusal *why)
{
	const char *slash = strrchr(x, '/'), *last = slash == NULL ? x : slash + 1;
	char root[PATH_MAX];
	const char *cert = x;

	if (last[0] == '\0')
		return refusal_say(why, "--issuer %.200s: names no issuer", x);
	if (strcmp(last, "ca") == 0) {
		snprintf(root, sizeof(root), "%.*scacert", (int)(last - x), x);
		cert = root;
	}
	return file_name(cert, ".pem", out->cert, why) &&
	       (key == NULL ? file_name(x, ".key", out->key, why)
			    : file_name(key, "", out->key, why)) &&
	       file_name(x, ".db", out->db, why) && file_name(cert, ".bundle", out->bundle, why) &&
	       file_name(cert, ".crl", out->crl, why);
}

bool issuer_files_given(const struct args *args, struct issuer_files *out, struct refusal *why)
{
	size_t len = strlen(args->ca);
	char stem[PATH_MAX];

	if (!file_name(args->ca, "", stem, why))
		return false;
	if (len > 4 && strcmp(stem + len - 4, ".pem") == 0)
		stem[len - 4] = '\0';
	return file_name(args->ca, "", out->cert, why) && file_name(args->key, "", out->key, why) &&
	       file_name(args->db, "", out->db, why) &&
	       file_name(stem, ".bundle", out->bundle, why) &&
	       file_name(stem, ".crl", out->crl, why);
}

/* Whether CERT is a CA's, with the key usage that goes with it. */
static bool may_sign(const char *path, X509 *cert, struct refusal *why)
{
	uint32_t usage = X509_get_key_usage(cert);

	if (X509_check_ca(cert) != 1)
		return refusal_say(why, "%.300s: is no CA's certificate, it cannot sign others",
				   path);
	if ((usage & KU_KEY_CERT_SIGN) == 0 || (usage & KU_CRL_SIGN) == 0)
		return refusal_say(why, "%.300s: its key usage has no keyCertSign and cRLSign",
				   path);
	return true;
}

/* A root has no extension of ours, and whatever name. */
static bool root_read(struct issuer *issuer, struct refusal *why)
{
	struct cert_content content;
	struct refusal ignored;

	if (!cert_decode(X509_get0_extensions(issuer->cert), &content, why))
		return false;
	if (content.present != 0)
		return refusal_say(why, "%.300s: is self-signed and no root: it carries a policy",
				   issuer->files.cert);
	if (!cert_name(X509_get_subject_name(issuer->cert), issuer->name, &ignored))
		strcpy(issuer->name, "the root CA");
	issuer->root = true;
	return true;
}

/* Certificate N of the issuer's chain: name and policy. */
static bool level_read(const struct issuer *issuer, int n, char name[NAME_SIZE],
		       struct policy *policy, struct refusal *why)
{
	X509 *cert = sk_X509_value(issuer->chain, n);
	struct cert_content content;
	struct refusal what = {{0}};

	if (cert_name(X509_get_subject_name(cert), name, &what) &&
	    may_sign(issuer->files.bundle, cert, &what) &&
	    cert_decode(X509_get0_extensions(cert), &content, &what) &&
	    cert_shape(&content, true, &what) == SHAPE_DELEGATION) {
		*policy = content.policy;
		return true;
	}
	return refusal_say(why, "%.200s: certificate %d: %.200s", issuer->files.bundle, n + 1,
			   what.text);
}

/* Whether certificate N is signed by the next one and within its policy. */
static bool level_check(const struct issuer *issuer, int n, const struct policy *policy,
			struct refusal *why)
{
	X509 *cert = sk_X509_value(issuer->chain, n), *above = sk_X509_value(issuer->chain, n + 1);
	char name[NAME_SIZE];
	struct policy granted;
	struct refusal what;

	if (!level_read(issuer, n + 1, name, &granted, why))
		return false;
	if (X509_NAME_cmp(X509_get_issuer_name(cert), X509_get_subject_name(above)) != 0 ||
	    X509_verify(cert, X509_get0_pubkey(above)) != 1) {
		ERR_clear_error();
		return refusal_say(why, "%.300s: certificate %d is not signed by certificate %d",
				   issuer->files.bundle, n + 1, n + 2);
	}
	if (policy_within(policy, &granted, name, &what))
		return true;
	return refusal_say(why, "%.200s: certificate %d: %.200s", issuer->files.bundle, n + 1,
			   what.text);
}

static bool delegation_read(struct issuer *issuer, struct refusal *why)
{
	const char *bundle = issuer->files.bundle;
	struct policy policy;
	char name[NAME_SIZE];

	issuer->chain = pem_chain_load(bundle, why);
	if (issuer->chain == NULL)
		return false;
	if (X509_cmp(sk_X509_value(issuer->chain, 0), issuer->cert) != 0)
		return refusal_say(why, "%.200s: does not begin with the certificate in %.200s",
				   bundle, issuer->files.cert);
	if (!level_read(issuer, 0, issuer->name, &issuer->policy, why))
		return false;
	policy = issuer->policy;
	for (int n = 0; n + 1 < sk_X509_num(issuer->chain); n++) {
		if (!level_check(issuer, n, &policy, why) ||
		    !level_read(issuer, n + 1, name, &policy, why))
			return false;
	}
	return true;
}

bool issuer_open(struct issuer *issuer, struct refusal *why)
{
	issuer->cert = pem_certificate_load(issuer->files.cert, why);
	if (issuer->cert == NULL || !may_sign(issuer->files.cert, issuer->cert, why))
		return false;
	issuer->key = key_load(issuer->files.key, why);
	if (issuer->key == NULL ||
	    !key_belongs(issuer->key, issuer->files.key, issuer->cert, issuer->files.cert, why))
		return false;
	if (X509_self_signed(issuer->cert, 1) == 1)
		return root_read(issuer, why);
	ERR_clear_error();
	return delegation_read(issuer, why);
}

bool issuer_lock(struct issuer *issuer, struct refusal *why)
{
	issuer->made_db = !file_exists(issuer->files.db);
	issuer->lock = db_lock(issuer->files.db, why);
	return issuer->lock >= 0 && db_load(issuer->files.db, &issuer->db, why);
}

bool issuer_output_db(const struct issuer *issuer, struct outputs *outputs, struct refusal *why)
{
	size_t size;
	char *text = db_format(&issuer->db, &size);
	bool ok;

	if (text == NULL)
		return refusal_say(why, "%.300s: out of memory", issuer->files.db);
	ok = outputs_add(outputs, issuer->files.db, OUTPUT_REPLACE, text, size, why);
	free(text);
	return ok;
}

/* Takes an empty .db away again that was made for the lock and never replaced. */
static void db_unmake(const struct issuer *issuer)
{
	struct stat there, here;

	if (issuer->made_db && fstat(issuer->lock, &here) == 0 && here.st_size == 0 &&
	    stat(issuer->files.db, &there) == 0 && there.st_ino == here.st_ino &&
	    there.st_dev == here.st_dev)
		(void)unlink(issuer->files.db);
}

void issuer_close(struct issuer *issuer)
{
	db_free(&issuer->db);
	if (issuer->lock >= 0) {
		db_unmake(issuer);
		close(issuer->lock);
	}
	X509_free(issuer->cert);
	EVP_PKEY_free(issuer->key);
	sk_X509_pop_free(issuer->chain, X509_free);
	memset(issuer, 0, sizeof(*issuer));
	issuer->lock = -1;
}
