/*
 * vmm_ca revoke: a certificate is taken back, in the issuer's list and in a certificate that
 * carries the list to the server.
 */
#include <stdio.h>

#include "commands.h"
#include "content.h"
#include "crl.h"
#include "describe.h"
#include "issue.h"
#include "keys.h"
#include "pem.h"

#define STEM "revoke"

/* revoke.key, made when absent. */
static EVP_PKEY *revoke_key(struct outputs *outputs, struct refusal *why)
{
	EVP_PKEY *key;

	if (file_exists(STEM ".key"))
		return key_load(STEM ".key", why);
	key = key_generate(why);
	if (key == NULL || key_output(key, STEM ".key", outputs, why))
		return key;
	EVP_PKEY_free(key);
	return NULL;
}

/* The list with NAME in it; its line goes from the .db. */
static X509_CRL *take_back(struct issuer *issuer, const char *name, struct refusal *why)
{
	X509_CRL *crl;

	if (db_find_name(&issuer->db, name, NULL) == NULL) {
		refusal_say(why, "name: '%.64s' is not in %.200s", name, issuer->files.db);
		return NULL;
	}
	crl = crl_next(issuer, name, STEM ".pem", why);
	db_retire(&issuer->db, name);
	return crl;
}

/* The revocation certificate for the list in DER. */
static bool carry(struct issuance *issuance, EVP_PKEY *key, const uint8_t *der, size_t size,
		  struct refusal *why)
{
	struct cert_content content = {
	    .present = PRESENT(ARC_VERSION) | PRESENT(ARC_PERMISSIONS) | PRESENT(ARC_CRL),
	    .permissions = PERMIT_CRL,
	    .crl = der,
	    .crl_size = size,
	};
	struct grant grant = {
	    .name = STEM, .key = key, .content = &content, .shape = SHAPE_REVOCATION};
	ASN1_INTEGER *serial;
	bool ok;

	if (!grant_check(&issuance->issuer, &grant, why))
		return false;
	/* A number of its own each time: it is nobody's path, so the .db need not know it. */
	serial = serial_draw(&issuance->issuer.db, why);
	if (serial == NULL)
		return false;
	ok = issue_certificate(issuance, &grant, serial, STEM, why);
	ASN1_INTEGER_free(serial);
	return ok;
}

static bool revoke_with_key(struct issuance *issuance, EVP_PKEY *key, X509_CRL *crl,
			    struct refusal *why)
{
	struct issuer *issuer = &issuance->issuer;
	unsigned char *der = NULL;
	int size = i2d_X509_CRL(crl, &der);
	bool ok;

	/* The .db comes last: a number that is free again must be in the list already. */
	ok = size > 0 && pem_crl_output(crl, issuer->files.crl, &issuance->outputs, why) &&
	     carry(issuance, key, der, (size_t)size, why) &&
	     issuer_output_db(issuer, &issuance->outputs, why) &&
	     outputs_commit(&issuance->outputs, why);
	OPENSSL_free(der);
	return ok;
}

static bool revoke(struct issuance *issuance, const char *name, struct refusal *why)
{
	EVP_PKEY *key = NULL;
	X509_CRL *crl;
	bool ok;

	if (!issuer_open(&issuance->issuer, why) || !issuer_lock(&issuance->issuer, why))
		return false;
	crl = take_back(&issuance->issuer, name, why);
	if (crl != NULL)
		key = revoke_key(&issuance->outputs, why);
	ok = key != NULL && revoke_with_key(issuance, key, crl, why);
	EVP_PKEY_free(key);
	X509_CRL_free(crl);
	return ok;
}

static int revoke_run(const struct args *args, struct refusal *why)
{
	struct issuance issuance;
	bool ok;

	if (!option_need(args->ca != NULL, "ca", why) ||
	    !option_need(args->key != NULL, "key", why) ||
	    !option_need(args->db != NULL, "db", why))
		return EXIT_USAGE;
	issuance_begin(&issuance);
	ok = issuer_files_given(args, &issuance.issuer.files, why) &&
	     revoke(&issuance, args->rest.item[0], why);
	issuance_end(&issuance);
	return ok ? EXIT_DONE : EXIT_REFUSED;
}

static const struct option revoke_options[] = {
    TEXT("ca", ca, "X.pem", "the issuer's certificate"),
    TEXT("key", key, "X.key", "the issuer's key, a file or a pkcs11: URI"),
    TEXT("db", db, "X.db", "what the issuer signed so far"),
    OPTIONS_END,
};

const struct command command_revoke = {
    .name = "revoke",
    .arguments = "NAME --ca X.pem --key X.key --db X.db",
    .summary = "take a certificate back",
    .text = "Adds it to X.crl and writes revoke.key (once), revoke.pem and revoke.bundle, which\n"
	    "carry the list to the server. The name's next certificate has a new serial number.",
    .options = revoke_options,
    .rest_min = 1,
    .rest_max = 1,
    .run = revoke_run,
};
