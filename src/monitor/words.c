/* See words.h. */
#include "words.h"

#include <stddef.h>
#include <string.h>

#define FD_MAX	  0x7fffffff
#define MULTICAST 1 /* in a MAC's first byte */

const char *parse_number(const char *text, char end, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;

	if (*text < '0' || *text > '9')
		return NULL;
	for (; *text >= '0' && *text <= '9'; text++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
			return NULL;
	*out = value;
	return *text == end && value <= max ? text : NULL;
}

const char *parse_fd(const char *text, char end, int *out)
{
	uint64_t fd;
	const char *rest;

	if (*text != '@' || (rest = parse_number(text + 1, end, FD_MAX, &fd)) == NULL)
		return NULL;
	*out = (int)fd;
	return rest;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

const char *parse_mac(const char *text, char end, uint8_t out[6])
{
	static const uint8_t zero[6];

	for (unsigned i = 0; i < 6; i++, text += 3) {
		int high = digit(text[0]), low = high < 0 ? -1 : digit(text[1]);

		if (low < 0 || text[2] != (i < 5 ? ':' : end))
			return NULL;
		out[i] = (uint8_t)(high << 4 | low);
	}
	if ((out[0] & MULTICAST) != 0 || memcmp(out, zero, sizeof(zero)) == 0)
		return NULL;
	return text - 1;
}
