/*
 * Words of a command line, as far as a shell's rules are needed for names.
 */
#include "words.h"

#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Moves one word to TO, quotes taken off; AT is past it. NULL: a quote does not end. */
static char *take_word(char *at, char *to)
{
	char quote = '\0';
	for (; *at && (quote || !is_blank(*at)); at++) {
		if (*at == quote)
			quote = '\0';
		else if (!quote && (*at == '\'' || *at == '"'))
			quote = *at;
		else
			*to++ = *at;
	}
	char *next = *at ? at + 1 : at;
	*to = '\0';
	return quote ? NULL : next;
}

bool words_split(char *line, struct words *out, struct refusal *why)
{
	*out = (struct words){0};
	for (;;) {
		while (is_blank(*line))
			line++;
		if (*line == '\0')
			return true;
		if (out->count == WORDS_MAX)
			return refusal_say(why, "more than %d words", WORDS_MAX);
		out->word[out->count++] = line;
		line = take_word(line, line);
		if (!line)
			return refusal_say(why, "a quote does not end");
	}
}
