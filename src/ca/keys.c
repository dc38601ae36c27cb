/*
 * Private keys, see keys.h.
 */
#include "keys.h"

#include <errno.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#include "cert.h"
#include "token.h"

#define KEY_FILE_MAX 65536

EVP_PKEY *key_generate(struct refusal *why)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");

	if (key == NULL)
		refusal_say(why, "key: OpenSSL cannot make a P-256 key");
	return key;
}

static EVP_PKEY *key_read(const char *path, struct refusal *why)
{
	struct blob file;
	EVP_PKEY *key = NULL;
	BIO *bio;

	if (!file_read(path, KEY_FILE_MAX, &file, why))
		return NULL;
	bio = BIO_new_mem_buf(file.data, (int)file.size);
	if (bio != NULL)
		key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	BIO_free(bio);
	OPENSSL_cleanse(file.data, file.size);
	free(file.data);
	if (key == NULL)
		refusal_say(why, "%.300s: holds no private key in PEM that can be read", path);
	return key;
}

EVP_PKEY *key_load(const char *name, struct refusal *why)
{
	EVP_PKEY *key = token_uri_is(name) ? token_key(name, why) : key_read(name, why);
	char words[TOKEN_WORDS_SIZE];
	struct refusal what;

	if (key == NULL || cert_key_allowed(key, &what))
		return key;
	token_uri_words(name, words);
	refusal_say(why, "%s: %.300s", words, what.text);
	EVP_PKEY_free(key);
	return NULL;
}

bool key_output(EVP_PKEY *key, const char *path, struct outputs *outputs, struct refusal *why)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	char *pem;
	bool ok;

	if (bio == NULL ||
	    PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1) {
		BIO_free(bio);
		return refusal_say(why, "%.300s: OpenSSL cannot write the key", path);
	}
	long size = BIO_get_mem_data(bio, &pem);

	ok = outputs_add(outputs, path, OUTPUT_KEY, pem, (size_t)size, why);
	BIO_free(bio);
	return ok;
}

bool key_belongs(EVP_PKEY *key, const char *name, X509 *cert, const char *path, struct refusal *why)
{
	char words[TOKEN_WORDS_SIZE];

	if (EVP_PKEY_eq(X509_get0_pubkey(cert), key) == 1)
		return true;
	ERR_clear_error();
	token_uri_words(name, words);
	return refusal_say(why, "%s: is not the key of %.200s", words, path);
}

const EVP_MD *key_digest(EVP_PKEY *key)
{
	if (EVP_PKEY_is_a(key, "ED25519"))
		return NULL;
	if (EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_bits(key) == 384)
		return EVP_sha384();
	return EVP_sha256();
}
