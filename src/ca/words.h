/*
 * How single values read: text that cannot drive a terminal, times, numbers, names of keys.
 */
#ifndef CA_WORDS_H
#define CA_WORDS_H

#include <openssl/x509.h>

#include "path.h"

#define TIME_SIZE    32
#define SUBJECT_SIZE 256

/* "2017-07-10 09:43:39 +00:00" */
void time_words(int64_t seconds, char out[TIME_SIZE]);
/* The common name where that is a name of ours, else all of it with what is not ASCII escaped. */
void subject_words(const X509_NAME *subject, char out[SUBJECT_SIZE]);
/* "P-256", "RSA 2048" */
void key_words(EVP_PKEY *key, char *out, size_t size);
/* In hex, to standard output. */
void print_serial(const ASN1_INTEGER *serial);
/* TEXT in single quotes, what is no printable UTF-8 and the quote as \xNN, to standard output. */
void print_quoted(const char *text);

#endif
