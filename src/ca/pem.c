/*
 * PEM files, see pem.h.
 */
#include "pem.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#include "cert.h"

enum pem_kind pem_kind(const struct blob *file)
{
	BIO *bio = BIO_new_mem_buf(file->data, (int)file->size);
	char *name = NULL, *header = NULL;
	unsigned char *data = NULL;
	long size;
	enum pem_kind kind = PEM_NOTHING;

	if (bio != NULL && PEM_read_bio(bio, &name, &header, &data, &size) == 1) {
		if (strcmp(name, PEM_STRING_X509) == 0)
			kind = PEM_CERTIFICATES;
		else if (strcmp(name, PEM_STRING_X509_REQ) == 0)
			kind = PEM_REQUEST;
		else if (strcmp(name, PEM_STRING_X509_CRL) == 0)
			kind = PEM_CRL;
		else if (strstr(name, "PRIVATE KEY") != NULL)
			kind = PEM_KEY;
		OPENSSL_clear_free(data, (size_t)size);
		OPENSSL_free(name);
		OPENSSL_free(header);
	}
	BIO_free(bio);
	ERR_clear_error();
	return kind;
}

/* Reads all of BIO's certificates; true at the end of its PEM blocks. */
static bool chain_read(BIO *bio, STACK_OF(X509) * chain)
{
	unsigned long error;
	X509 *cert;

	ERR_clear_error();
	while ((cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		if (sk_X509_num(chain) == CERT_CHAIN_MAX || sk_X509_push(chain, cert) == 0) {
			X509_free(cert);
			return false;
		}
	}
	error = ERR_peek_last_error();
	ERR_clear_error();
	return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

STACK_OF(X509) * pem_chain(const char *path, const struct blob *file, struct refusal *why)
{
	BIO *bio = BIO_new_mem_buf(file->data, (int)file->size);
	STACK_OF(X509) *chain = sk_X509_new_null();

	if (bio == NULL || chain == NULL)
		refusal_say(why, "%.300s: out of memory", path);
	else if (!chain_read(bio, chain))
		refusal_say(why, "%.300s: holds something else than up to %d certificates in PEM",
			    path, CERT_CHAIN_MAX);
	else if (sk_X509_num(chain) == 0)
		refusal_say(why, "%.300s: holds no certificate in PEM", path);
	else {
		BIO_free(bio);
		return chain;
	}
	BIO_free(bio);
	sk_X509_pop_free(chain, X509_free);
	return NULL;
}

X509_REQ *pem_request(const char *path, const struct blob *file, struct refusal *why)
{
	BIO *bio = BIO_new_mem_buf(file->data, (int)file->size);
	X509_REQ *req = bio == NULL ? NULL : PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);

	BIO_free(bio);
	ERR_clear_error();
	if (req == NULL)
		refusal_say(why, "%.300s: holds no certificate request in PEM", path);
	return req;
}

X509_CRL *pem_crl(const char *path, const struct blob *file, struct refusal *why)
{
	BIO *bio = BIO_new_mem_buf(file->data, (int)file->size);
	X509_CRL *crl = bio == NULL ? NULL : PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL);

	BIO_free(bio);
	ERR_clear_error();
	if (crl == NULL)
		refusal_say(why, "%.300s: holds no revocation list in PEM", path);
	return crl;
}

STACK_OF(X509) * pem_chain_load(const char *path, struct refusal *why)
{
	STACK_OF(X509) *chain = NULL;
	struct blob file;

	if (file_read(path, PEM_FILE_MAX, &file, why))
		chain = pem_chain(path, &file, why);
	free(file.data);
	return chain;
}

X509 *pem_certificate_load(const char *path, struct refusal *why)
{
	STACK_OF(X509) *chain = pem_chain_load(path, why);
	X509 *cert = NULL;

	if (chain != NULL && sk_X509_num(chain) != 1)
		refusal_say(why, "%.300s: holds %d certificates, there must be one", path,
			    sk_X509_num(chain));
	else if (chain != NULL)
		cert = sk_X509_pop(chain);
	sk_X509_pop_free(chain, X509_free);
	return cert;
}

/* Collects what was written to BIO, and frees it. */
static bool bio_output(BIO *bio, bool written, const char *path, enum output_kind kind,
		       struct outputs *outputs, struct refusal *why)
{
	char *text;
	long size;
	bool ok;

	if (!written) {
		BIO_free(bio);
		return refusal_say(why, "%.300s: out of memory", path);
	}
	size = BIO_get_mem_data(bio, &text);
	ok = outputs_add(outputs, path, kind, text, (size_t)size, why);
	BIO_free(bio);
	return ok;
}

bool pem_chain_output(X509 *cert, const STACK_OF(X509) * above, const char *path,
		      enum output_kind kind, struct outputs *outputs, struct refusal *why)
{
	BIO *bio = BIO_new(BIO_s_mem());
	bool ok = bio != NULL && PEM_write_bio_X509(bio, cert) == 1;

	for (int i = 0; ok && above != NULL && i < sk_X509_num(above); i++)
		ok = PEM_write_bio_X509(bio, sk_X509_value(above, i)) == 1;
	return bio_output(bio, ok, path, kind, outputs, why);
}

bool pem_request_output(X509_REQ *req, const char *path, struct outputs *outputs,
			struct refusal *why)
{
	BIO *bio = BIO_new(BIO_s_mem());
	bool ok = bio != NULL && PEM_write_bio_X509_REQ(bio, req) == 1;

	return bio_output(bio, ok, path, OUTPUT_REPLACE, outputs, why);
}

bool pem_crl_output(X509_CRL *crl, const char *path, struct outputs *outputs, struct refusal *why)
{
	BIO *bio = BIO_new(BIO_s_mem());
	bool ok = bio != NULL && PEM_write_bio_X509_CRL(bio, crl) == 1;

	return bio_output(bio, ok, path, OUTPUT_REPLACE, outputs, why);
}
