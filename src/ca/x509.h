/*
 * What all certificates made here have in common: dates and the standard extensions.
 */
#ifndef CA_X509_H
#define CA_X509_H

#include <openssl/x509.h>

#include "policy.h"

/* Certificates are valid from a little before they are made: clocks differ. */
#define CLOCK_SLACK_S 60

/* A standard extension, its value as openssl's configuration files write it. */
struct standard_extension {
	int nid;
	const char *value;
};

/*
 * Adds EXTS (ended by NID 0) to CERT, whose key is set. Key identifiers are added by themselves:
 * CERT's own, and ISSUER's where that has one; ISSUER may be CERT.
 */
bool x509_extend(X509 *cert, X509 *issuer, const struct standard_extension *exts);
/* Version 3, serial number, names, key. */
bool x509_fill(X509 *cert, const ASN1_INTEGER *serial, const X509_NAME *issuer, const char *name,
	       EVP_PKEY *key);
/* From NOW less the slack to NOW and DAYS. */
bool x509_set_dates(X509 *cert, time_t now, unsigned days);
/* Cuts CERT's dates to those of ABOVE. */
bool x509_clip_dates(X509 *cert, const X509 *above);
/* A random positive number of 64 bits; NULL: no randomness. */
ASN1_INTEGER *x509_serial(void);

#endif
