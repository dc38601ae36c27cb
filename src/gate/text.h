/* Text that is put together piece by piece, of bounded size. Pure. */
#ifndef VMM_GATE_TEXT_H
#define VMM_GATE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#define TEXT_MAX (32u << 20)

/* Starts as zeros. Without a terminator. */
struct text {
	char *bytes;
	size_t size, room;
};

/* Appends; false: no memory, or it would be longer than TEXT_MAX. */
bool text_append(struct text *text, const char *bytes, size_t size);
bool text_append_string(struct text *text, const char *string);
/* Gives its memory back; it is as at its start. */
void text_free(struct text *text);

#endif
