/*
 * vmm_ca show: what a file says, in words.
 */
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"
#include "csr.h"
#include "describe.h"
#include "grant.h"
#include "macs.h"
#include "pem.h"
#include "words.h"

static bool image_output(const char *path, const struct cert_content *content, struct refusal *why)
{
	struct outputs outputs = {0};
	bool ok;

	if (content->image == NULL)
		return refusal_say(why, "--image: there is no image embedded in it");
	if (content->vm.image.form != IMAGE_EMBEDDED)
		return refusal_say(why,
				   "--image: it is compressed, which this version cannot undo");
	ok = outputs_add(&outputs, path, OUTPUT_REPLACE, content->image, content->vm.image.size,
			 why) &&
	     outputs_commit(&outputs, why);
	outputs_end(&outputs);
	return ok;
}

/* What CERT asks of ABOVE, which is to have signed it. */
static bool link_check(X509 *cert, X509 *above, struct refusal *why)
{
	struct cert_content content, granted;
	char name[SUBJECT_SIZE];

	subject_words(X509_get_subject_name(above), name);
	if (X509_NAME_cmp(X509_get_issuer_name(cert), X509_get_subject_name(above)) != 0 ||
	    X509_verify(cert, X509_get0_pubkey(above)) != 1) {
		ERR_clear_error();
		return refusal_say(why, "is not signed by the next one, %s", name);
	}
	if (!cert_decode(X509_get0_extensions(cert), &content, why) ||
	    !cert_decode(X509_get0_extensions(above), &granted, why))
		return false;
	switch (cert_shape(&content, X509_check_ca(cert) == 1, why)) {
	case SHAPE_DELEGATION:
		return policy_within(&content.policy, &granted.policy, name, why);
	case SHAPE_VM:
		return vm_allowed(&content.vm, &granted.policy, name, why);
	case SHAPE_COMMAND:
	case SHAPE_REVOCATION:
		return true;
	case SHAPE_NONE:
		break;
	}
	return false;
}

static bool show_chain(const char *path, const struct blob *file, const char *image,
		       struct refusal *why)
{
	STACK_OF(X509) *chain = pem_chain(path, file, why);
	struct cert_content content;
	struct refusal problem;
	bool ok = chain != NULL;

	for (int i = 0; i < sk_X509_num(chain); i++) {
		X509 *cert = sk_X509_value(chain, i);

		describe_certificate(cert);
		if (i == 0)
			describe_macs(chain);
		if (i + 1 < sk_X509_num(chain) &&
		    !link_check(cert, sk_X509_value(chain, i + 1), &problem))
			printf("  %-12s %s\n", "problem", problem.text);
	}
	if (ok && image != NULL)
		ok = cert_decode(X509_get0_extensions(sk_X509_value(chain, 0)), &content, why) &&
		     image_output(image, &content, why);
	sk_X509_pop_free(chain, X509_free);
	return ok;
}

static bool show_request(const char *path, const char *image, struct refusal *why)
{
	struct csr csr = {0};
	bool ok = csr_read(path, &csr, why);

	if (ok)
		describe_request(csr.name, X509_REQ_get0_pubkey(csr.req), csr.shape, &csr.content);
	if (ok && image != NULL)
		ok = image_output(image, &csr.content, why);
	csr_free(&csr);
	return ok;
}

static bool show_crl(const char *path, const struct blob *file, struct refusal *why)
{
	X509_CRL *crl = pem_crl(path, file, why);
	char issuer[SUBJECT_SIZE];

	if (crl == NULL)
		return false;
	subject_words(X509_CRL_get_issuer(crl), issuer);
	printf("%s: a revocation list\n", issuer);
	describe_crl(crl);
	X509_CRL_free(crl);
	return true;
}

static bool show(const char *path, const struct blob *file, const char *image, struct refusal *why)
{
	enum pem_kind kind = pem_kind(file);

	if (kind == PEM_CERTIFICATES)
		return show_chain(path, file, image, why);
	if (kind == PEM_REQUEST)
		return show_request(path, image, why);
	if (image != NULL && kind == PEM_CRL)
		return refusal_say(why, "--image: there is no image embedded in it");
	if (kind == PEM_CRL)
		return show_crl(path, file, why);
	if (kind == PEM_KEY)
		return refusal_say(why, "%.300s: holds a private key, which is not shown", path);
	return refusal_say(why,
			   "%.300s: holds neither certificates nor a request nor a revocation "
			   "list in PEM",
			   path);
}

static int show_run(const struct args *args, struct refusal *why)
{
	const char *path = args->rest.item[0];
	struct blob file;
	bool ok;

	if (!file_read(path, PEM_FILE_MAX, &file, why))
		return EXIT_REFUSED;
	ok = show(path, &file, args->image, why);
	OPENSSL_cleanse(file.data, file.size);
	free(file.data);
	return ok ? EXIT_DONE : EXIT_REFUSED;
}

static const struct option show_options[] = {
    TEXT("image", image, "OUT", "write the embedded image to OUT"),
    OPTIONS_END,
};

const struct command command_show = {
    .name = "show",
    .arguments = "FILE [--image OUT]",
    .summary = "say what a file grants",
    .text = "FILE is a certificate, a bundle, a request or a revocation list.",
    .options = show_options,
    .rest_min = 1,
    .rest_max = 1,
    .run = show_run,
};
