/*
 * What certificates, requests and revocation lists say, in words on standard output. Text from
 * outside is shown so that it cannot drive a terminal.
 */
#ifndef CA_DESCRIBE_H
#define CA_DESCRIBE_H

#include "cert.h"

/* "a delegation", "a VM certificate" */
const char *shape_words(enum cert_shape shape);

/* A paragraph: whose it is, who signed it, what it grants. */
void describe_certificate(X509 *cert);
/* NAME is what asks. */
void describe_request(const char *name, EVP_PKEY *key, enum cert_shape shape,
		      const struct cert_content *content);
void describe_crl(X509_CRL *crl);

#endif
