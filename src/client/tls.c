/*
 * The TLS side of a connection: whom to trust, the handshake. Reads no application data.
 */
#include "tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "progress.h"
#include "tls_words.h"

static const unsigned char alpn_h2[] = {2, 'h', '2'};

/*
 * After OpenSSL found everything right: exactly the server's certificate and CACERT, and the former
 * says that it is a server's. A certificate without extended key usage passes for any purpose in
 * OpenSSL's eyes, and so would a delegation made by old tools.
 */
static int server_check(const STACK_OF(X509) * chain)
{
	X509 *server = sk_X509_value(chain, 0);
	if (sk_X509_num(chain) != 2)
		return X509_V_ERR_CERT_CHAIN_TOO_LONG;
	if (!(X509_get_extension_flags(server) & EXFLAG_XKUSAGE) ||
	    !(X509_get_extended_key_usage(server) & XKU_SSL_SERVER))
		return X509_V_ERR_INVALID_PURPOSE;
	return X509_V_OK;
}

static int verify(X509_STORE_CTX *context, void *arg)
{
	struct tls *tls = arg;
	struct refusal ignored;
	int ok = X509_verify_cert(context);

	tls->verify_error = X509_STORE_CTX_get_error(context);
	if (ok == 1)
		tls->verify_error = server_check(X509_STORE_CTX_get0_chain(context));
	else if (tls->verify_error == X509_V_OK)
		tls->verify_error = X509_V_ERR_UNSPECIFIED;
	X509_STORE_CTX_set_error(context, tls->verify_error);
	if (tls->verify_error != X509_V_OK)
		cert_name(X509_get_issuer_name(X509_STORE_CTX_get0_cert(context)), tls->delegation,
			  &ignored);
	return tls->verify_error == X509_V_OK;
}

/* Remembers the alert that ended it all. */
static void on_info(const SSL *ssl, int where, int value)
{
	struct tls *tls = SSL_get_app_data(ssl);
	bool fatal = value >> 8 == SSL3_AL_FATAL;
	if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT && fatal)
		tls->alert = value & 0xff;
}

static bool trust_only(SSL_CTX *context, X509 *ca)
{
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(context);
	/* No certificate between the server's and CACERT. */
	X509_VERIFY_PARAM_set_depth(param, 0);
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
						   X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca) == 1;
}

static bool log_in_with(SSL_CTX *context, const struct identity *identity)
{
	if (SSL_CTX_use_certificate(context, sk_X509_value(identity->chain, 0)) != 1 ||
	    SSL_CTX_use_PrivateKey(context, identity->key) != 1)
		return false;
	for (int i = 1; i < sk_X509_num(identity->chain); i++)
		if (SSL_CTX_add1_chain_cert(context, sk_X509_value(identity->chain, i)) != 1)
			return false;
	return true;
}

static SSL_CTX *context_new(struct tls *tls, const struct identity *identity)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	if (!context)
		return NULL;
	/* The bundle is what the server sees, nothing that OpenSSL would add from its store. */
	SSL_CTX_set_mode(context, SSL_MODE_NO_AUTO_CHAIN | SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(context, verify, tls);
	SSL_CTX_set_info_callback(context, on_info);
	if (SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1 &&
	    SSL_CTX_set_alpn_protos(context, alpn_h2, sizeof(alpn_h2)) == 0 &&
	    trust_only(context, identity->ca) && log_in_with(context, identity))
		return context;
	SSL_CTX_free(context);
	return NULL;
}

/* Whom we expect to find there. */
static bool expect_host(SSL *ssl, const struct endpoint *server)
{
	char host[HOST_SIZE];
	if (!server->address)
		return SSL_set1_host(ssl, server->host) == 1 &&
		       SSL_set_tlsext_host_name(ssl, server->host) == 1;
	memcpy(host, server->host, sizeof(host));
	host[strcspn(host, "%")] = '\0';
	return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
}

static bool ssl_new(struct tls *tls, const struct identity *identity)
{
	tls->context = context_new(tls, identity);
	tls->ssl = tls->context ? SSL_new(tls->context) : NULL;
	if (!tls->ssl)
		return false;
	SSL_set_app_data(tls->ssl, tls);
	return SSL_set_fd(tls->ssl, tls->fd) == 1 && expect_host(tls->ssl, &tls->options->server);
}

/* Waits for what the handshake wants; false: nothing moved for too long. */
static bool wait_for(const struct tls *tls, int error, struct progress *progress)
{
	struct pollfd fd = {.fd = tls->fd,
			    .events = error == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN};
	int64_t deadline = clock_ms() + TLS_STALL_MS;
	int ready = 0;

	while (ready <= 0 && clock_ms() < deadline) {
		ready = poll(&fd, 1, PROGRESS_EVERY_MS);
		progress_show(progress, BIO_number_written(SSL_get_wbio(tls->ssl)));
	}
	return ready > 0;
}

/* What SSL_connect failed of. */
static enum status say_failed(struct tls *tls, int error, int system_error, struct refusal *why)
{
	unsigned long reason = ERR_peek_error();

	if (tls->verify_error != X509_V_OK) {
		tls_say_untrusted(tls, why);
		return STATUS_TLS;
	}
	if (tls_alerted(tls, why))
		return STATUS_TLS;
	if (error == SSL_ERROR_SSL &&
	    ERR_GET_REASON(reason) != SSL_R_UNEXPECTED_EOF_WHILE_READING) {
		refusal_say(why, "TLS: %s", reason ? ERR_reason_error_string(reason) : "failed");
		return STATUS_TLS;
	}
	refusal_say(why, "the connection ended in the TLS handshake%s%s", system_error ? ": " : "",
		    system_error ? strerror(system_error) : "");
	return STATUS_CONNECT;
}

static enum status handshake(struct tls *tls, struct progress *progress, struct refusal *why)
{
	for (;;) {
		ERR_clear_error();
		errno = 0;
		int done = SSL_connect(tls->ssl);
		int system_error = errno;
		if (done == 1)
			return STATUS_DONE;
		int error = SSL_get_error(tls->ssl, done);
		if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
			return say_failed(tls, error, system_error, why);
		if (!wait_for(tls, error, progress)) {
			refusal_say(why, "the server did not go on with the TLS handshake for %d s",
				    TLS_STALL_MS / 1000);
			return STATUS_CONNECT;
		}
	}
}

enum status tls_open(struct tls *tls, int fd, const struct options *options,
		     const struct identity *identity, struct refusal *why)
{
	struct progress progress;
	const unsigned char *protocol;
	unsigned len;

	*tls = (struct tls){.fd = fd, .options = options, .alert = -1, .delegation = "?"};
	if (!ssl_new(tls, identity)) {
		unsigned long reason = ERR_peek_error();
		refusal_say(why, "%s: OpenSSL does not take it: %s", options->bundle,
			    reason ? ERR_reason_error_string(reason) : "no memory");
		return STATUS_TLS;
	}
	progress_start(&progress, "sending the certificate", identity->size);
	enum status status = handshake(tls, &progress, why);
	progress_end(&progress);
	if (status != STATUS_DONE)
		return status;
	SSL_get0_alpn_selected(tls->ssl, &protocol, &len);
	if (len == 2 && memcmp(protocol, "h2", 2) == 0)
		return STATUS_DONE;
	refusal_say(why, "TLS: the server does not speak HTTP/2 (ALPN h2)");
	return STATUS_TLS;
}

void tls_close(struct tls *tls)
{
	SSL_free(tls->ssl);
	SSL_CTX_free(tls->context);
	close(tls->fd);
}

bool tls_alerted(const struct tls *tls, struct refusal *why)
{
	if (tls->alert < 0)
		return false;
	tls_say_alert(tls, why);
	return true;
}
