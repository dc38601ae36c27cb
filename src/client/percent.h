/*
 * Paths as a URL has them (RFC 3986). Pure.
 */
#ifndef VMM_PERCENT_H
#define VMM_PERCENT_H

#include "names.h"

#define PERCENT_PATH_SIZE (3 * NAMES_PATH_SIZE + 2)

/* TEXT as a value in a query, into OUT; what does not fit is left out. */
void percent_value(const char *text, char *out, size_t size);
/* "" for "" and "/"; else '/' and PATH, each of its nodes percent-encoded, into OUT. */
void percent_path(const char *path, char *out, size_t size);

#endif
