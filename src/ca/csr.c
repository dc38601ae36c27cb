/*
 * Certificate requests, see csr.h.
 */
#include "csr.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "keys.h"
#include "pem.h"

X509_NAME *subject_make(const char *name)
{
	X509_NAME *subject = X509_NAME_new();

	if (subject != NULL && X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
							  (const unsigned char *)name, -1, -1, 0))
		return subject;
	X509_NAME_free(subject);
	return NULL;
}

static bool csr_fill(X509_REQ *req, const char *name, STACK_OF(X509_EXTENSION) * exts,
		     EVP_PKEY *key)
{
	X509_NAME *subject = subject_make(name);
	bool ok;

	ok = subject != NULL && X509_REQ_set_subject_name(req, subject) == 1 &&
	     X509_REQ_set_pubkey(req, key) == 1 && X509_REQ_add_extensions(req, exts) == 1 &&
	     X509_REQ_sign(req, key, key_digest(key)) > 0;
	X509_NAME_free(subject);
	return ok;
}

X509_REQ *csr_make(const char *name, const struct cert_content *content, EVP_PKEY *key,
		   struct refusal *why)
{
	STACK_OF(X509_EXTENSION) *exts = NULL;
	X509_REQ *req = X509_REQ_new();
	bool ok;

	ok = req != NULL && cert_encode(content, &exts, why);
	if (ok && !csr_fill(req, name, exts, key))
		ok = refusal_say(why, "%s: OpenSSL cannot sign the request with this key", name);
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	if (ok)
		return req;
	X509_REQ_free(req);
	return NULL;
}

static bool csr_check(const char *path, struct csr *csr, struct refusal *why)
{
	EVP_PKEY *key = X509_REQ_get0_pubkey(csr->req);
	struct refusal what;
	bool ok;

	if (key == NULL || X509_REQ_verify(csr->req, key) != 1) {
		ERR_clear_error();
		return refusal_say(why, "%.300s: the request's signature is not its own key's",
				   path);
	}
	csr->exts = X509_REQ_get_extensions(csr->req);
	ok = cert_key_allowed(key, &what) &&
	     cert_name(X509_REQ_get_subject_name(csr->req), csr->name, &what) &&
	     cert_decode(csr->exts, &csr->content, &what);
	if (ok) {
		/* What is no delegation by what it asks for is a leaf. */
		bool is_ca = (csr->content.present >> ARC_VMS & 1) != 0;

		csr->shape = cert_shape(&csr->content, is_ca, &what);
		ok = csr->shape != SHAPE_NONE;
	}
	return ok || refusal_say(why, "%.200s: %.300s", path, what.text);
}

bool csr_read(const char *path, struct csr *out, struct refusal *why)
{
	struct blob file;

	if (file_read(path, PEM_FILE_MAX, &file, why))
		out->req = pem_request(path, &file, why);
	free(file.data);
	return out->req != NULL && csr_check(path, out, why);
}

void csr_free(struct csr *csr)
{
	X509_REQ_free(csr->req);
	sk_X509_EXTENSION_pop_free(csr->exts, X509_EXTENSION_free);
	memset(csr, 0, sizeof(*csr));
}
