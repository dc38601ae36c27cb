/*
 * Widths of characters, and cutting by them.
 */
#include "cells.h"

#include <stdbool.h>
#include <string.h>
#include <wchar.h>

#include "utf8.h"

/* A character, or a byte that is none: what is written of it, and how wide that is. */
struct cell {
	const char *bytes;
	size_t len, width;
};

static struct cell cell_next(const char *text, size_t len, size_t *at)
{
	size_t start = *at;
	int32_t c = utf8_next(text, len, at);
	int width = c < 0 ? -1 : wcwidth((wchar_t)c);

	if (c < 0)
		(*at)++;
	if (width < 0)
		return (struct cell){"?", 1, 1};
	return (struct cell){text + start, *at - start, (size_t)width};
}

size_t cells_width(const char *text)
{
	size_t at = 0, len = strlen(text), width = 0;

	while (at < len)
		width += cell_next(text, len, &at).width;
	return width;
}

void cells_fit(const char *text, size_t width, char *out, size_t size)
{
	size_t at = 0, len = strlen(text), used = 0, written = 0;
	bool cut = cells_width(text) > width;
	size_t room = cut && width > 0 ? width - 1 : width;

	while (at < len) {
		struct cell cell = cell_next(text, len, &at);
		if (used + cell.width > room || written + cell.len + width - used >= size)
			break;
		memcpy(out + written, cell.bytes, cell.len);
		written += cell.len;
		used += cell.width;
	}
	if (cut && used < width) {
		out[written++] = '~';
		used++;
	}
	for (; used < width; used++)
		out[written++] = ' ';
	out[written] = '\0';
}
