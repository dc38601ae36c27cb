/* See text.h. */
#include "text.h"

#include <stdlib.h>
#include <string.h>

bool text_append(struct text *text, const char *bytes, size_t size)
{
	size_t need = text->size + size;

	if (need > TEXT_MAX)
		return false;
	if (need > text->room) {
		size_t room = need < TEXT_MAX / 2 ? 2 * need : TEXT_MAX;
		char *more = realloc(text->bytes, room);

		if (!more)
			return false;
		text->bytes = more;
		text->room = room;
	}
	if (size > 0)
		memcpy(text->bytes + text->size, bytes, size);
	text->size = need;
	return true;
}

bool text_append_string(struct text *text, const char *string)
{
	return text_append(text, string, strlen(string));
}

void text_free(struct text *text)
{
	free(text->bytes);
	*text = (struct text){0};
}
