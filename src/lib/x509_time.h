/* Dates of certificates as numbers. Needs libcrypto. */
#ifndef VMM_X509_TIME_H
#define VMM_X509_TIME_H

#include <openssl/asn1.h>
#include <stdint.h>

/* Seconds since 1970; INT64_MIN when it is no time. */
int64_t x509_seconds(const ASN1_TIME *time);

#endif
