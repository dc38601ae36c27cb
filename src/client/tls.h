/*
 * TLS 1.3 with the server, both sides authenticated. The server's certificate must be signed by
 * CACERT itself, be a server's (serverAuth said) and name the host: what a delegation signed for
 * itself is refused. No resumption, no tickets. Prints nothing but the progress of a long sending,
 * and that on a terminal alone.
 */
#ifndef VMM_TLS_H
#define VMM_TLS_H

#include <openssl/ssl.h>

#include "identity.h"

#define TLS_STALL_MS 60000 /* a handshake without any progress for so long has failed */

struct tls {
	SSL_CTX *context;
	SSL *ssl;
	int fd;
	const struct options *options; /* file names for messages */
	int alert;		       /* a fatal alert that the server sent; -1: none */
	int verify_error;	       /* X509_V_OK: the server's certificate is right */
	char delegation[NAME_SIZE];    /* who signed a server's certificate that CACERT did not */
};

/*
 * Takes the connected socket FD over and does the handshake. TLS must stay where it is. To be
 * closed either way; anything but STATUS_DONE comes with one line in WHY.
 */
enum status tls_open(struct tls *tls, int fd, const struct options *options,
		     const struct identity *identity, struct refusal *why);
void tls_close(struct tls *tls);

/* What a fatal alert of the server's says, in words, into WHY; false: there was none. In TLS 1.3 a
 * refused client certificate is heard of only after the handshake. */
bool tls_alerted(const struct tls *tls, struct refusal *why);

#endif
