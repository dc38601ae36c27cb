/*
 * Certificates, bundles, requests and revocation lists in PEM files.
 */
#ifndef CA_PEM_H
#define CA_PEM_H

#include <openssl/x509.h>

#include "files.h"

/* A chain of 16 MB in base64, and room. */
#define PEM_FILE_MAX (32u << 20)

/* What a file holds, by its first PEM block. */
enum pem_kind { PEM_NOTHING, PEM_CERTIFICATES, PEM_REQUEST, PEM_CRL, PEM_KEY };

enum pem_kind pem_kind(const struct blob *file);

/*
 * The readers take what FILE, read from PATH, holds; NULL with WHY. A chain has 1 to 16
 * certificates.
 */
STACK_OF(X509) * pem_chain(const char *path, const struct blob *file, struct refusal *why);
X509_REQ *pem_request(const char *path, const struct blob *file, struct refusal *why);
X509_CRL *pem_crl(const char *path, const struct blob *file, struct refusal *why);

/* A file with exactly one certificate. */
X509 *pem_certificate_load(const char *path, struct refusal *why);
STACK_OF(X509) * pem_chain_load(const char *path, struct refusal *why);

/* Collect what is given for PATH. A chain is CERT and those of ABOVE (may be NULL) behind it. */
bool pem_chain_output(X509 *cert, const STACK_OF(X509) * above, const char *path,
		      enum output_kind kind, struct outputs *outputs, struct refusal *why);
bool pem_request_output(X509_REQ *req, const char *path, struct outputs *outputs,
			struct refusal *why);
bool pem_crl_output(X509_CRL *crl, const char *path, struct outputs *outputs, struct refusal *why);

#endif
