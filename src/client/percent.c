/*
 * Percent-encoding of paths.
 */
#include "percent.h"

#include <string.h>

static bool is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("-._~", c));
}

/* TEXT without what is not unreserved, but for '/' where KEEP_SLASHES. */
static void encode(const char *text, bool keep_slashes, char *out, size_t size)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t used = 0;

	for (; *text && used + 4 <= size; text++) {
		if (is_unreserved(*text) || (keep_slashes && *text == '/')) {
			out[used++] = *text;
			continue;
		}
		out[used++] = '%';
		out[used++] = hex[(unsigned char)*text >> 4];
		out[used++] = hex[(unsigned char)*text & 15];
	}
	out[used] = '\0';
}

void percent_value(const char *text, char *out, size_t size)
{
	encode(text, false, out, size);
}

void percent_path(const char *path, char *out, size_t size)
{
	path += *path == '/';
	if (*path != '\0') {
		*out++ = '/';
		size--;
	}
	encode(path, true, out, size);
}
