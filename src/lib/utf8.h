/*
 * Strict UTF-8 (RFC 3629): no overlong form, no surrogate, nothing past U+10FFFF. Pure.
 */
#ifndef VMM_UTF8_H
#define VMM_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The character at TEXT[*AT], *AT moved past it; -1 and *AT unmoved when there is no valid one. */
int32_t utf8_next(const char *text, size_t len, size_t *at);
/* Whether all LEN bytes are UTF-8. NUL is a character like others. */
bool utf8_valid(const char *text, size_t len);

#endif
