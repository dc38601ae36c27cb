/*
 * Reading and checking of CACERT, BUNDLE and KEY. Connects to nothing.
 */
#include "identity.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#include "token.h"

/* A certificate's common name for people; "?" when it has none that may be shown. */
static const char *name_of(X509 *certificate, char out[NAME_SIZE])
{
	struct refusal ignored;
	if (!cert_name(X509_get_subject_name(certificate), out, &ignored))
		snprintf(out, NAME_SIZE, "?");
	return out;
}

static enum status file_open(const char *path, BIO **out, struct refusal *why)
{
	ERR_clear_error();
	errno = 0;
	*out = BIO_new_file(path, "r");
	if (*out)
		return STATUS_DONE;
	refusal_say(why, "%s: %s", path, errno ? strerror(errno) : "cannot be opened");
	return STATUS_USAGE;
}

/* All certificates of a PEM file; what is no certificate in it is passed over. */
static enum status pem_read(const char *path, STACK_OF(X509) * out, struct refusal *why)
{
	BIO *file;
	X509 *certificate;
	enum status status = file_open(path, &file, why);

	if (status != STATUS_DONE)
		return status;
	while ((certificate = PEM_read_bio_X509(file, NULL, NULL, NULL)))
		sk_X509_push(out, certificate);
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
		refusal_say(why, "%s: certificate %d in it is damaged", path, sk_X509_num(out) + 1);
		status = STATUS_TLS;
	} else if (sk_X509_num(out) == 0) {
		refusal_say(why, "%s: no certificate in PEM is in it", path);
		status = STATUS_TLS;
	}
	ERR_clear_error();
	BIO_free(file);
	return status;
}

static enum status ca_load(const char *path, X509 **out, struct refusal *why)
{
	char name[NAME_SIZE];
	STACK_OF(X509) *all = sk_X509_new_null();
	enum status status = pem_read(path, all, why);

	if (status == STATUS_DONE && sk_X509_num(all) != 1) {
		refusal_say(why, "%s: holds %d certificates, the CA's alone is wanted", path,
			    sk_X509_num(all));
		status = STATUS_TLS;
	} else if (status == STATUS_DONE && X509_check_ca(sk_X509_value(all, 0)) == 0) {
		refusal_say(why, "%s: %s is no CA certificate", path,
			    name_of(sk_X509_value(all, 0), name));
		status = STATUS_TLS;
	}
	if (status == STATUS_DONE)
		*out = sk_X509_shift(all);
	sk_X509_pop_free(all, X509_free);
	return status;
}

/* Whether certificate AT of the bundle was issued by the one after it. */
static bool order_check(const char *path, STACK_OF(X509) * chain, int at, struct refusal *why)
{
	char name[NAME_SIZE], above[NAME_SIZE];
	X509 *certificate = sk_X509_value(chain, at), *issuer = sk_X509_value(chain, at + 1);

	if (!issuer || X509_check_issued(issuer, certificate) == X509_V_OK)
		return true;
	return refusal_say(why,
			   "%s: certificate %d (%s) did not issue certificate %d (%s): wanted are "
			   "the leaf, then its issuer, then that one's",
			   path, at + 2, name_of(issuer, above), at + 1,
			   name_of(certificate, name));
}

static bool expiry_check(const char *path, X509 *certificate, struct refusal *why)
{
	const ASN1_TIME *end = X509_get0_notAfter(certificate);
	char name[NAME_SIZE], date[32] = "?";
	struct tm tm;

	if (X509_cmp_current_time(end) >= 0)
		return true;
	if (ASN1_TIME_to_tm(end, &tm))
		strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S +00:00", &tm);
	return refusal_say(why, "%s: %s expired at %s", path, name_of(certificate, name), date);
}

/* Bytes of the TLS Certificate message that would carry the chain. */
static size_t chain_size(STACK_OF(X509) * chain)
{
	size_t size = 4;
	for (int i = 0; i < sk_X509_num(chain); i++) {
		int der = i2d_X509(sk_X509_value(chain, i), NULL);
		size += 5 + (der > 0 ? (size_t)der : 0);
	}
	return size;
}

static bool chain_check(const char *path, STACK_OF(X509) * chain, struct refusal *why)
{
	if (sk_X509_num(chain) > CERT_CHAIN_MAX)
		return refusal_say(why, "%s: %d certificates, a chain has at most %d", path,
				   sk_X509_num(chain), CERT_CHAIN_MAX);
	for (int i = 0; i < sk_X509_num(chain); i++) {
		if (!order_check(path, chain, i, why) ||
		    !expiry_check(path, sk_X509_value(chain, i), why))
			return false;
	}
	if (chain_size(chain) > CERT_MESSAGE_MAX)
		return refusal_say(why, "%s: %zu bytes, TLS carries at most %u", path,
				   chain_size(chain), CERT_MESSAGE_MAX);
	return true;
}

/* What the leaf is for. */
static bool shape_read(const char *path, X509 *leaf, enum cert_shape *out, struct refusal *why)
{
	struct cert_content content;
	struct refusal reason;
	char name[NAME_SIZE];
	bool is_ca = X509_check_ca(leaf) == 1;

	*out = SHAPE_NONE;
	if (cert_decode(X509_get0_extensions(leaf), &content, &reason))
		*out = cert_shape(&content, is_ca, &reason);
	if (*out == SHAPE_NONE)
		return refusal_say(why, "%s: %s: %.400s", path, name_of(leaf, name), reason.text);
	if (*out == SHAPE_DELEGATION)
		return refusal_say(why,
				   "%s: %s is a delegation: a certificate that it issued is "
				   "wanted first",
				   path, name_of(leaf, name));
	return true;
}

static enum status chain_load(const char *path, struct identity *out, struct refusal *why)
{
	enum status status = pem_read(path, out->chain, why);
	if (status != STATUS_DONE)
		return status;
	if (!chain_check(path, out->chain, why) ||
	    !shape_read(path, sk_X509_value(out->chain, 0), &out->shape, why))
		return STATUS_TLS;
	out->size = chain_size(out->chain);
	return STATUS_DONE;
}

/* The key on a token, or in a file. */
static enum status key_read(const char *name, EVP_PKEY **out, struct refusal *why)
{
	enum status status;
	BIO *file;

	if (token_uri_is(name)) {
		*out = token_key(name, why);
		return *out ? STATUS_DONE : STATUS_TLS;
	}
	status = file_open(name, &file, why);
	if (status != STATUS_DONE)
		return status;
	*out = PEM_read_bio_PrivateKey(file, NULL, NULL, NULL);
	BIO_free(file);
	if (*out)
		return STATUS_DONE;
	refusal_say(why, "%s: no private key in PEM is in it, or it cannot be decrypted", name);
	return STATUS_TLS;
}

static enum status key_load(const struct options *options, struct identity *out,
			    struct refusal *why)
{
	char name[NAME_SIZE], words[TOKEN_WORDS_SIZE];
	X509 *leaf = sk_X509_value(out->chain, 0);
	enum status status = key_read(options->key, &out->key, why);

	if (status != STATUS_DONE)
		return status;
	if (X509_check_private_key(leaf, out->key))
		return STATUS_DONE;
	token_uri_words(options->key, words);
	refusal_say(why, "%s: is not the key of %s, which %s starts with", words,
		    name_of(leaf, name), options->bundle);
	return STATUS_TLS;
}

enum status identity_load(const struct options *options, struct identity *out, struct refusal *why)
{
	enum status status;

	*out = (struct identity){.chain = sk_X509_new_null()};
	status = ca_load(options->ca, &out->ca, why);
	if (status == STATUS_DONE)
		status = chain_load(options->bundle, out, why);
	if (status == STATUS_DONE)
		status = key_load(options, out, why);
	ERR_clear_error();
	return status;
}

void identity_free(struct identity *identity)
{
	X509_free(identity->ca);
	sk_X509_pop_free(identity->chain, X509_free);
	EVP_PKEY_free(identity->key);
	tokens_end();
}
