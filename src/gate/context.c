/* SSL_CTX: each setting with its reason. */
#include "context.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/tls1.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cert.h"
#include "x509_time.h"

#define CERTIFICATE_FILE_MAX (1u << 20)
#define KEY_FILE_MAX	     (1u << 16)

/* h2, or no handshake: there is nothing else to speak. */
static int select_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_size,
			   const unsigned char *in, unsigned in_size, void *arg)
{
	(void)ssl;
	(void)arg;
	for (unsigned at = 0; at < in_size; at += 1u + in[at]) {
		if (in[at] != 2 || in_size - at < 3 || memcmp(in + at + 1, "h2", 2) != 0)
			continue;
		*out = in + at + 1;
		*out_size = 2;
		return SSL_TLSEXT_ERR_OK;
	}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* A client that does not even ask is told the same: without this OpenSSL would let it pass. */
static int require_alpn(SSL *ssl, int *alert, void *arg)
{
	const unsigned char *extension;
	size_t size;

	(void)arg;
	if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation,
				      &extension, &size))
		return SSL_CLIENT_HELLO_SUCCESS;
	*alert = SSL_AD_NO_APPLICATION_PROTOCOL;
	return SSL_CLIENT_HELLO_ERROR;
}

/*
 * Tickets are off in both ways there are: the option makes them stateful instead of none, the
 * number makes them none. With no cache to look a session up in, nothing can be resumed.
 */
static void forbid_resumption(SSL_CTX *context)
{
	SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
	SSL_CTX_set_num_tickets(context, 0);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_max_early_data(context, 0);
	SSL_CTX_set_recv_max_early_data(context, 0);
}

static bool set_algorithms(SSL_CTX *context)
{
	/* The RSA ones of PKCS 1 are for the signatures inside of certificates alone: TLS 1.3 has
	 * no other use for them. */
	static const char signatures[] =
	    "ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ed25519:"
	    "rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:"
	    "rsa_pkcs1_sha256:rsa_pkcs1_sha384:rsa_pkcs1_sha512";

	return SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
						 "TLS_CHACHA20_POLY1305_SHA256") &&
	       SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384") &&
	       SSL_CTX_set1_sigalgs_list(context, signatures);
}

SSL_CTX *context_new(void)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	if (!context)
		return NULL;
	if (!SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) ||
	    !SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) || !set_algorithms(context)) {
		SSL_CTX_free(context);
		return NULL;
	}
	forbid_resumption(context);
	/* No list of CA names goes with it: who we are is nobody's business before he says who he
	 * is. */
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_max_cert_list(context, CERT_MESSAGE_MAX + 1);
	SSL_CTX_set_alpn_select_cb(context, select_protocol, NULL);
	SSL_CTX_set_client_hello_cb(context, require_alpn, NULL);
	/* A session that waits holds no buffers. */
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
	return context;
}

/* The whole of FD, from its start; NULL with WHY. */
static BIO *file_read(int fd, size_t limit, const char *what, struct refusal *why)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	char chunk[4096];
	size_t total = 0;
	ssize_t n = 0;

	while (bio && (n = pread(fd, chunk, sizeof(chunk), (off_t)total)) > 0) {
		total += (size_t)n;
		if (total > limit || BIO_write(bio, chunk, (int)n) != n)
			break;
	}
	OPENSSL_cleanse(chunk, sizeof(chunk));
	if (bio && n == 0)
		return bio;
	snprintf(why->text, sizeof(why->text), "the server's %s file: %s", what,
		 n < 0 ? strerror(errno) : "is too long");
	BIO_free(bio);
	return NULL;
}

static bool refuse(struct refusal *why, const char *text)
{
	snprintf(why->text, sizeof(why->text), "%s", text);
	return false;
}

static bool load_certificate(SSL_CTX *context, BIO *bio, struct refusal *why)
{
	X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL), *more;
	bool ok = certificate && SSL_CTX_use_certificate(context, certificate);
	bool server = ok && X509_check_purpose(certificate, X509_PURPOSE_SSL_SERVER, 0) == 1;

	X509_free(certificate);
	if (!ok)
		return refuse(why, "the server's certificate file holds no PEM certificate that "
				   "can be used; `vmm_ca server` makes one");
	if (!server)
		return refuse(why, "the server's certificate is not one for servers: every client "
				   "would refuse it; `vmm_ca server` makes one");
	SSL_CTX_clear_chain_certs(context);
	while ((more = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
		SSL_CTX_add0_chain_cert(context, more);
	return true;
}

/* A key that wants a passphrase has nobody here to ask. */
static int no_passphrase(char *out, int size, int writing, void *arg)
{
	(void)out;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static bool load_key(SSL_CTX *context, BIO *bio, struct refusal *why)
{
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	bool read = key != NULL;
	bool ok = read && SSL_CTX_use_PrivateKey(context, key) &&
		  SSL_CTX_check_private_key(context);

	EVP_PKEY_free(key);
	if (!read)
		return refuse(why, "the server's key file holds no private key in PEM without "
				   "passphrase");
	return ok || refuse(why, "the server's key is not the one of its certificate");
}

bool context_load(SSL_CTX *context, int certificate, int key, struct refusal *why)
{
	BIO *bio = file_read(certificate, CERTIFICATE_FILE_MAX, "certificate", why);
	bool ok = bio && load_certificate(context, bio, why);

	BIO_free(bio);
	if (!ok)
		return false;
	bio = file_read(key, KEY_FILE_MAX, "key", why);
	ok = bio && load_key(context, bio, why);
	BIO_free(bio);
	ERR_clear_error();
	return ok;
}

int64_t context_expires(const SSL_CTX *context)
{
	return x509_seconds(X509_get0_notAfter(SSL_CTX_get0_certificate(context)));
}
