/*
 * What vmm_ca list says of one certificate. Pure: the time is an argument.
 */
#ifndef CA_LISTED_H
#define CA_LISTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "words.h"

/* Not known when a certificate's file is not there. */
#define UNTIL_UNKNOWN INT64_MAX

struct listed {
	char name[SUBJECT_SIZE]; /* empty: not known either */
	struct label label;
	const char *kind;     /* "VM", "delegation"; NULL: not known */
	int64_t since, until; /* seconds since 1970 */
	bool revoked;
};

enum listed_state {
	LISTED_UNKNOWN, /* neither revoked nor is its file there */
	LISTED_VALID,
	LISTED_EXPIRING, /* in DAYS days or less */
	LISTED_EXPIRED,
	LISTED_REVOKED,
};

enum listed_state listed_state(const struct listed *listed, int64_t now, unsigned days);
/* "valid", "expires in 9 days", "expired", "revoked", "its certificate is not here" */
void listed_words(const struct listed *listed, int64_t now, unsigned days, char *out, size_t size);
/* For qsort: the first to expire first, those whose date is not known last, then by name. */
int listed_compare(const void *a, const void *b);

#endif
