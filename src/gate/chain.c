/* The Certificate message's way. */
#include "chain.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cert.h"
#include "certmsg.h"
#include "slots.h"

#define MESSAGE_HEADER 4 /* type, and length in 24 bits */

int chain_open(struct chain *chain, struct channel auth, int slots)
{
	int error = channel_pair(LINK_SESSION, &chain->passed, &chain->session);

	chain->auth = auth;
	chain->slots = slots;
	chain->slot = -1;
	if (error < 0)
		return error;
	chain->memfd = memfd_create("chain", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return chain->memfd < 0 ? -errno : 0;
}

static bool memfd_fill(int fd, const uint8_t *bytes, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, bytes, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		size -= (size_t)n;
	}
	return fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) ==
	       0;
}

/* Hands the message's body to vmm_auth; NULL or what went wrong. */
static const char *hand_over(struct chain *chain, const uint8_t *body, size_t size)
{
	int fds[2] = {chain->passed.fd, chain->memfd};
	int error;

	if (size > SLOT_BYTES)
		chain->slot = slot_take(chain->slots);
	if (!memfd_fill(chain->memfd, body, size))
		return "no memory for the chain";
	error = channel_send(&chain->auth, MSG_CHAIN, &(struct msg_empty){0}, fds);
	/* vmm_auth, then vmmd have them now: the session ends when theirs is closed. */
	channel_close(&chain->passed);
	channel_close(&chain->auth);
	close(chain->memfd);
	chain->memfd = -1;
	return error < 0 ? "vmm_auth does not answer" : NULL;
}

/*
 * Makes OpenSSL refuse the message before it parses a certificate of it. A message callback cannot
 * return an error. But it is called when the message has come whole and entered the transcript
 * hash, just before it is parsed (tls_get_message_body, then process_message), with the very buffer
 * that is parsed then. A request context that the server never sent, its length the body's first
 * byte, is the first thing looked at, and makes a decode_error alert.
 */
static void spoil(const void *message)
{
	uint8_t *context_length = (uint8_t *)(uintptr_t)message + MESSAGE_HEADER;

	*context_length = 0xff;
}

static void certificate_received(struct chain *chain, const uint8_t *message, size_t size)
{
	struct certmsg_entry entry[CERT_CHAIN_MAX];
	const uint8_t *body = message + MESSAGE_HEADER;
	int entries = certmsg_entries(body, size - MESSAGE_HEADER, entry, CERT_CHAIN_MAX);

	if (entries == 0 && chain->size == 0)
		return; /* OpenSSL knows the alert for that */
	if (entries < 0 || entries > CERT_CHAIN_MAX || chain->size > 0) {
		chain->problem = "its Certificate message is malformed or too long";
		spoil(message);
		return;
	}
	chain->size = size - MESSAGE_HEADER;
	chain->problem = hand_over(chain, body, chain->size);
}

static void on_message(int written, int version, int type, const void *bytes, size_t size, SSL *ssl,
		       void *arg)
{
	const uint8_t *message = bytes;

	(void)version;
	(void)ssl;
	if (!written && type == SSL3_RT_HANDSHAKE && size > MESSAGE_HEADER &&
	    message[0] == SSL3_MT_CERTIFICATE)
		certificate_received(arg, message, size);
}

/* Waits, without limit of its own: the listener's deadline is this connection's. */
static bool verdict_receive(struct chain *chain)
{
	static struct incoming in;

	if (channel_recv(&chain->session, &in) != CHANNEL_MESSAGE || in.type != MSG_VERDICT)
		return false;
	chain->verdict = in.body.verdict;
	return chain->verdict.verdict <= VERDICT_ALERT;
}

int chain_error_of_alert(unsigned alert)
{
	static const struct {
		unsigned alert;
		int error;
	} table[] = {
	    {SSL_AD_BAD_CERTIFICATE, X509_V_ERR_CERT_REJECTED},
	    {SSL_AD_UNSUPPORTED_CERTIFICATE, X509_V_ERR_INVALID_PURPOSE},
	    {SSL_AD_CERTIFICATE_REVOKED, X509_V_ERR_CERT_REVOKED},
	    {SSL_AD_CERTIFICATE_EXPIRED, X509_V_ERR_CERT_HAS_EXPIRED},
	    {SSL_AD_UNKNOWN_CA, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT},
	    {SSL_AD_DECRYPT_ERROR, X509_V_ERR_CERT_SIGNATURE_FAILURE},
	    {SSL_AD_HANDSHAKE_FAILURE, X509_V_ERR_APPLICATION_VERIFICATION},
	    {SSL_AD_INTERNAL_ERROR, X509_V_ERR_OUT_OF_MEM},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].alert == alert)
			return table[i].error;
	}
	return X509_V_ERR_CERT_REJECTED;
}

/* In place of OpenSSL's own verification. */
static int on_verify(X509_STORE_CTX *store, void *arg)
{
	struct chain *chain = arg;
	int error = X509_V_ERR_OUT_OF_MEM; /* internal_error */

	if (chain->size > 0 && !chain->problem) {
		chain->judged = verdict_receive(chain);
		if (!chain->judged)
			chain->problem = "vmm_auth ended without a verdict";
	}
	if (chain->slot >= 0)
		slot_return(chain->slots, chain->slot);
	chain->slot = -1;
	if (chain->judged)
		error = chain->verdict.verdict == VERDICT_ALERT
			    ? chain_error_of_alert(chain->verdict.alert)
			    : X509_V_OK;
	X509_STORE_CTX_set_error(store, error);
	return error == X509_V_OK;
}

void chain_install(struct chain *chain, SSL_CTX *context, SSL *ssl)
{
	SSL_CTX_set_cert_verify_callback(context, on_verify, chain);
	SSL_set_msg_callback(ssl, on_message);
	SSL_set_msg_callback_arg(ssl, chain);
}
