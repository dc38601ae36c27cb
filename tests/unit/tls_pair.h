/*
 * Two TLS 1.3 ends over a socket pair, in one process, for tests. The server's key is made on the
 * spot; the client checks nothing.
 */
#ifndef VMM_TLS_PAIR_H
#define VMM_TLS_PAIR_H

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

struct tls_pair {
	SSL_CTX *client_ctx, *server_ctx;
	SSL *client, *server;
	int fd[2]; /* the client's first */
};

static inline void tls_pair_certify(SSL_CTX *ctx)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();

	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	X509_sign(cert, key, EVP_sha256());
	SSL_CTX_use_certificate(ctx, cert);
	SSL_CTX_use_PrivateKey(ctx, key);
	X509_free(cert);
	EVP_PKEY_free(key);
}

/* Steps both handshakes until neither moves. True: both are done. */
static inline bool tls_pair_handshake(struct tls_pair *pair)
{
	int c = 0, s = 0;

	for (int i = 0; i < 10; i++) {
		c = SSL_do_handshake(pair->client);
		s = SSL_do_handshake(pair->server);
	}
	return c == 1 && s == 1;
}

static inline void tls_pair_make(struct tls_pair *pair, int verify)
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair->fd), 0);
	pair->client_ctx = SSL_CTX_new(TLS_client_method());
	pair->server_ctx = SSL_CTX_new(TLS_server_method());
	assert_true(pair->client_ctx && pair->server_ctx);
	tls_pair_certify(pair->server_ctx);
	SSL_CTX_set_num_tickets(pair->server_ctx, 0);
	SSL_CTX_set_verify(pair->server_ctx, verify, NULL);
	pair->client = SSL_new(pair->client_ctx);
	pair->server = SSL_new(pair->server_ctx);
	SSL_set_fd(pair->client, pair->fd[0]);
	SSL_set_fd(pair->server, pair->fd[1]);
	SSL_set_connect_state(pair->client);
	SSL_set_accept_state(pair->server);
}

static inline void tls_pair_open(struct tls_pair *pair)
{
	tls_pair_make(pair, SSL_VERIFY_NONE);
	assert_true(tls_pair_handshake(pair));
}

/* The client has finished; the server, which missed a client certificate, has sent its alert. */
static inline void tls_pair_open_refused(struct tls_pair *pair)
{
	tls_pair_make(pair, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT);
	SSL_do_handshake(pair->client);
	SSL_do_handshake(pair->server);
	assert_int_equal(SSL_do_handshake(pair->client), 1);
	assert_int_not_equal(SSL_do_handshake(pair->server), 1);
}

static inline void tls_pair_close(struct tls_pair *pair)
{
	SSL_free(pair->client);
	SSL_free(pair->server);
	SSL_CTX_free(pair->client_ctx);
	SSL_CTX_free(pair->server_ctx);
	close(pair->fd[0]);
	close(pair->fd[1]);
}

#endif
