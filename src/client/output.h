/*
 * Text from elsewhere (a guest's console, names and reasons from the server), written so that it
 * cannot drive the terminal of who reads it: what is no printable UTF-8 comes out as \xNN or
 * \uNNNN. The exact bytes are in --json. Touches nothing but the stream it is given.
 */
#ifndef VMM_OUTPUT_H
#define VMM_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct output {
	FILE *to;
	bool ascii;  /* a terminal that is not known to read UTF-8: escape all but ASCII */
	bool colour; /* a terminal that knows colours, of someone who wants them */
};

enum output_style { STYLE_NAME, STYLE_FAILED };

/* Whether the terminal knows no control sequences, as TERM says. */
bool terminal_is_plain(void);

/* LEN bytes of TEXT. A newline is escaped too: what goes in as one line stays one. */
void output_bytes(const struct output *output, const char *text, size_t len);
void output_text(const struct output *output, const char *text);
/* Likewise, in colour where there are colours. */
void output_styled(const struct output *output, enum output_style style, const char *text);
/* TEXT as output_text would write it, to be freed; NULL: no memory. */
char *output_escaped(const struct output *output, const char *text);
/* Whether TEXT would be written as it is. */
bool output_is_plain(const struct output *output, const char *text);
/* TEXT between single quotes, as a shell would read it back. */
void output_quoted(const struct output *output, const char *text);

#endif
