/*
 * Private keys, see keys.h.
 */
#include "keys.h"

#include <errno.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/store.h>
#include <string.h>

#include "cert.h"

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

/* From a provider that knows the URI. */
static EVP_PKEY *key_fetch(const char *uri, struct refusal *why)
{
	OSSL_STORE_CTX *store = OSSL_STORE_open(uri, NULL, NULL, NULL, NULL);
	EVP_PKEY *key = NULL;

	if (store != NULL) {
		OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY);
		while (key == NULL && !OSSL_STORE_eof(store)) {
			OSSL_STORE_INFO *info = OSSL_STORE_load(store);

			if (info != NULL && OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY)
				key = OSSL_STORE_INFO_get1_PKEY(info);
			OSSL_STORE_INFO_free(info);
		}
		OSSL_STORE_close(store);
	}
	if (key == NULL)
		refusal_say(why, "%.300s: no provider of OpenSSL's offers this key", uri);
	return key;
}

EVP_PKEY *key_load(const char *name, struct refusal *why)
{
	bool uri = strncmp(name, "pkcs11:", strlen("pkcs11:")) == 0;
	EVP_PKEY *key = uri ? key_fetch(name, why) : key_read(name, why);
	struct refusal what;

	if (key == NULL || cert_key_allowed(key, &what))
		return key;
	refusal_say(why, "%.200s: %.300s", name, what.text);
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

const EVP_MD *key_digest(EVP_PKEY *key)
{
	if (EVP_PKEY_is_a(key, "ED25519"))
		return NULL;
	if (EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_bits(key) == 384)
		return EVP_sha384();
	return EVP_sha256();
}
