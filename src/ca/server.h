/*
 * The host's own certificate: signed by the root itself, for a TLS server and nothing else.
 */
#ifndef CA_SERVER_H
#define CA_SERVER_H

#include "args.h"
#include "files.h"

#include <openssl/x509.h>

#define DAYS_SERVER 365

/*
 * A certificate for KEY with the host names and addresses in NAMES, from CA; NULL with WHY. Without
 * any, this host's name, localhost, 127.0.0.1 and ::1.
 */
X509 *server_certificate(const struct items *names, EVP_PKEY *key, unsigned days, X509 *ca,
			 EVP_PKEY *ca_key, struct refusal *why);

#endif
