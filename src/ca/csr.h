/*
 * Certificate requests (PKCS#10): a name, a key and our extensions as the extensionRequest.
 */
#ifndef CA_CSR_H
#define CA_CSR_H

#include "cert.h"

/* A request as it was read. Begins zeroed; ends with csr_free. */
struct csr {
	X509_REQ *req;
	STACK_OF(X509_EXTENSION) * exts; /* CONTENT's image points into them */
	struct cert_content content;
	enum cert_shape shape;
	char name[NAME_SIZE];
};

/* Makes and signs a request for KEY; NULL with WHY. */
X509_REQ *csr_make(const char *name, const struct cert_content *content, EVP_PKEY *key,
		   struct refusal *why);
/*
 * Reads the request at PATH and checks it: its signature, its key, its name, our extensions. Other
 * extensions and other parts of the subject are looked over: they are never copied.
 */
bool csr_read(const char *path, struct csr *out, struct refusal *why);
void csr_free(struct csr *csr);

/* A name that is nothing but the common name; NULL: out of memory. */
X509_NAME *subject_make(const char *name);

#endif
