/*
 * Escaping of untrusted text for terminals. Knows nothing of where the text comes from.
 */
#include "output.h"

#include <stdlib.h>
#include <string.h>

#include "utf8.h"

/* Ranges that act on a terminal, or on how the text around them is shown. */
static const struct range {
	int32_t first, last;
} hidden[] = {
    {0x00, 0x08},	/* controls up to tab */
    {0x0a, 0x1f},	/* and past it: newline, carriage return, escape */
    {0x7f, 0x9f},	/* delete, C1: some terminals take U+009B for escape [ */
    {0x061c, 0x061c},	/* Arabic letter mark */
    {0x200b, 0x200b},	/* zero width space */
    {0x200e, 0x200f},	/* left-to-right, right-to-left mark */
    {0x2028, 0x202e},	/* line and paragraph separator, embeddings and overrides */
    {0x2060, 0x206f},	/* word joiner, isolates, deprecated formatting */
    {0xfeff, 0xfeff},	/* byte order mark */
    {0xfff9, 0xfffb},	/* interlinear annotation */
    {0xe0000, 0xe007f}, /* tags */
};

static bool is_hidden(int32_t c)
{
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (c >= hidden[i].first && c <= hidden[i].last)
			return true;
	return false;
}

static void escape(FILE *to, int32_t c)
{
	if (c < 0x80)
		fprintf(to, "\\x%02x", (unsigned)c);
	else if (c <= 0xffff)
		fprintf(to, "\\u%04x", (unsigned)c);
	else
		fprintf(to, "\\U%08x", (unsigned)c);
}

bool terminal_is_plain(void)
{
	const char *type = getenv("TERM");
	return !type || strcmp(type, "") == 0 || strcmp(type, "dumb") == 0;
}

static bool is_escaped(const struct output *output, int32_t c)
{
	return c < 0 || is_hidden(c) || (output->ascii && c >= 0x80);
}

bool output_is_plain(const struct output *output, const char *text)
{
	size_t at = 0, len = strlen(text);
	while (at < len)
		if (is_escaped(output, utf8_next(text, len, &at)))
			return false;
	return true;
}

void output_bytes(const struct output *output, const char *text, size_t len)
{
	size_t at = 0;
	while (at < len) {
		size_t start = at;
		int32_t c = utf8_next(text, len, &at);
		if (c < 0)
			fprintf(output->to, "\\x%02x", (unsigned)(unsigned char)text[at++]);
		else if (is_escaped(output, c))
			escape(output->to, c);
		else
			fwrite(text + start, 1, at - start, output->to);
	}
}

void output_text(const struct output *output, const char *text)
{
	output_bytes(output, text, strlen(text));
}

char *output_escaped(const struct output *output, const char *text)
{
	char *out = NULL;
	size_t size;
	struct output to = *output;

	to.to = open_memstream(&out, &size);
	if (!to.to)
		return NULL;
	output_text(&to, text);
	fclose(to.to);
	return out;
}

void output_styled(const struct output *output, enum output_style style, const char *text)
{
	static const char *const on[] = {[STYLE_NAME] = "\033[36m", [STYLE_FAILED] = "\033[31m"};

	fputs(output->colour ? on[style] : "", output->to);
	output_text(output, text);
	fputs(output->colour ? "\033[m" : "", output->to);
}

void output_quoted(const struct output *output, const char *text)
{
	fputc('\'', output->to);
	for (;;) {
		size_t plain = strcspn(text, "'");
		output_bytes(output, text, plain);
		if (text[plain] == '\0')
			break;
		fputs("'\\''", output->to);
		text += plain + 1;
	}
	fputc('\'', output->to);
}
