/* A mutual TLS 1.3 handshake with oneself, in memory. */
#include "warm.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "context.h"

static X509 *certificate_new(EVP_PKEY *key)
{
	X509 *cert = X509_new();

	if (!cert)
		return NULL;
	if (X509_set_version(cert, X509_VERSION_3) &&
	    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) &&
	    X509_gmtime_adj(X509_getm_notBefore(cert), 0) &&
	    X509_gmtime_adj(X509_getm_notAfter(cert), 60) && X509_set_pubkey(cert, key) &&
	    X509_sign(cert, key, EVP_sha256()))
		return cert;
	X509_free(cert);
	return NULL;
}

static bool certify(SSL_CTX *server, SSL_CTX *client)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = key ? certificate_new(key) : NULL;
	bool ok = cert && SSL_CTX_use_certificate(server, cert) &&
		  SSL_CTX_use_PrivateKey(server, key) && SSL_CTX_use_certificate(client, cert) &&
		  SSL_CTX_use_PrivateKey(client, key);

	X509_free(cert);
	EVP_PKEY_free(key);
	return ok;
}

static int accept_any(X509_STORE_CTX *store, void *arg)
{
	(void)arg;
	X509_STORE_CTX_set_error(store, X509_V_OK);
	return 1;
}

static bool handshake(SSL *server, SSL *client)
{
	static const unsigned char h2[] = {2, 'h', '2'};
	BIO *a = NULL, *b = NULL;
	int done = 0;

	if (!server || !client || !BIO_new_bio_pair(&a, 0, &b, 0))
		return false;
	SSL_set_bio(server, a, a);
	SSL_set_bio(client, b, b);
	SSL_set_accept_state(server);
	SSL_set_connect_state(client);
	SSL_set_alpn_protos(client, h2, sizeof(h2));
	for (int i = 0; i < 10 && done != 2; i++)
		done = (SSL_do_handshake(client) == 1) + (SSL_do_handshake(server) == 1);
	return done == 2;
}

bool openssl_warm(void)
{
	SSL_CTX *server = context_new(), *client = SSL_CTX_new(TLS_client_method());
	SSL *ends[2] = {NULL, NULL};
	bool ok = false;

	if (server && client && certify(server, client)) {
		SSL_CTX_set_cert_verify_callback(server, accept_any, NULL);
		ends[0] = SSL_new(server);
		ends[1] = SSL_new(client);
		ok = handshake(ends[0], ends[1]);
	}
	SSL_free(ends[0]);
	SSL_free(ends[1]);
	SSL_CTX_free(server);
	SSL_CTX_free(client);
	ERR_clear_error();
	return ok;
}
