/*
 * vmm_ca sign: a request becomes a certificate.
 */
#include "commands.h"
#include "content.h"
#include "csr.h"
#include "issue.h"
#include "lower.h"

static bool sign(const struct args *args, const char *stem, struct csr *csr,
		 struct issuance *issuance, struct refusal *why)
{
	struct grant grant = {.name = csr->name,
			      .content = &csr->content,
			      .shape = csr->shape,
			      .days = args->days,
			      .path_length = args->path_length};

	if (!csr_read(args->rest.item[0], csr, why) ||
	    !content_lower(args, csr->shape, &csr->content, why) ||
	    !issuer_files_given(args, &issuance->issuer.files, why))
		return false;
	grant.key = X509_REQ_get0_pubkey(csr->req);
	grant.shape = csr->shape;
	return issue(issuance, &grant, stem, why) && outputs_commit(&issuance->outputs, why);
}

static int sign_run(const struct args *args, struct refusal *why)
{
	struct csr csr = {0};
	struct issuance issuance;
	char stem[PATH_MAX];
	bool ok;

	if (!option_need(args->ca != NULL, "ca", why) ||
	    !option_need(args->key != NULL, "key", why) ||
	    !option_need(args->db != NULL, "db", why) ||
	    !file_stem(args->rest.item[0], ".req", stem, why))
		return EXIT_USAGE;
	issuance_begin(&issuance);
	ok = sign(args, stem, &csr, &issuance, why);
	issuance_end(&issuance);
	csr_free(&csr);
	return ok ? EXIT_DONE : EXIT_REFUSED;
}

static const struct option sign_options[] = {
    TEXT("ca", ca, "X.pem", "the issuer's certificate"),
    TEXT("key", key, "X.key", "the issuer's key, a file or a pkcs11: URI"),
    TEXT("db", db, "X.db", "what the issuer signed so far, made when absent"),
    NUMBER("days", days, "N", 1, DAYS_MAX, "how long it is valid; default: 365"),
    NUMBER("path-length", path_length, "N", 0, CERT_CHAIN_MAX,
	   "how many delegations may follow; default: any"),
    NUMBER("vms", vms, "N", 0, POLICY_NUMBER_MAX, "grant no more VMs than this"),
    NUMBER("memory", memory, "MB", 0, POLICY_NUMBER_MAX, "grant no more memory"),
    ITEMS("cpu", cpu, "ID", "grant these CPUs only"),
    NUMBER("block", storage, "MB", 0, POLICY_NUMBER_MAX, "grant no more storage"),
    ITEMS("bridge", bridge, "BRIDGE", "grant these bridges only"),
    OPTIONS_END,
};

const struct command command_sign = {
    .name = "sign",
    .arguments = "NAME.req --ca X.pem --key X.key --db X.db [OPTION]...",
    .summary = "sign a request",
    .text = "Prints what is granted and writes NAME.pem and NAME.bundle. Only the name, the key\n"
	    "and what vmm knows are taken from the request. The dates end with the issuer's.",
    .options = sign_options,
    .rest_min = 1,
    .rest_max = 1,
    .run = sign_run,
};
