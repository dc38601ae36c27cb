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

void percent_path(const char *path, char *out, size_t size)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t used = 0;

	path += *path == '/';
	if (*path != '\0')
		out[used++] = '/';
	for (; *path && used + 4 <= size; path++) {
		if (is_unreserved(*path) || *path == '/') {
			out[used++] = *path;
			continue;
		}
		out[used++] = '%';
		out[used++] = hex[(unsigned char)*path >> 4];
		out[used++] = hex[(unsigned char)*path & 15];
	}
	out[used] = '\0';
}
