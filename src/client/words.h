/*
 * A typed command line, taken apart. Pure.
 */
#ifndef VMM_WORDS_H
#define VMM_WORDS_H

#include "policy.h"

#define WORDS_MAX 8

struct words {
	int count;
	char *word[WORDS_MAX + 1]; /* NULL past the last; inside of LINE */
};

/*
 * Splits LINE in place at blanks. Quotes, single or double, keep blanks together; names may have
 * them. False with WHY: a quote that does not end, more than WORDS_MAX words.
 */
bool words_split(char *line, struct words *out, struct refusal *why);

#endif
