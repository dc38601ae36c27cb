/*
 * Strict UTF-8: used on every name that comes from a certificate or a message. Looks at no byte
 * past the length it is given.
 */
#include "utf8.h"

/* Bytes of the character that starts with FIRST, 0 for a byte that starts none. */
static unsigned utf8_length(uint8_t first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first < 0xe0)
		return 2;
	if (first >= 0xe0 && first < 0xf0)
		return 3;
	if (first >= 0xf0 && first < 0xf5)
		return 4;
	return 0;
}

int32_t utf8_next(const char *text, size_t len, size_t *at)
{
	static const int32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	static const uint8_t first_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	if (*at >= len)
		return -1;
	unsigned size = utf8_length((uint8_t)text[*at]);
	if (size == 0 || size > len - *at)
		return -1;

	int32_t c = (uint8_t)text[*at] & first_bits[size];
	for (unsigned i = 1; i < size; i++) {
		uint8_t next = (uint8_t)text[*at + i];
		if ((next & 0xc0) != 0x80)
			return -1;
		c = c << 6 | (next & 0x3f);
	}
	if (c < smallest[size] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return -1;
	*at += size;
	return c;
}

bool utf8_valid(const char *text, size_t len)
{
	size_t at = 0;
	while (at < len)
		if (utf8_next(text, len, &at) < 0)
			return false;
	return true;
}
