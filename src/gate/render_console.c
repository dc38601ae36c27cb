/*
 * Entries of a console stream. A guest's bytes are hostile to a terminal that shows them: JSON goes
 * out in ASCII (jansson escapes C0, we ask it to escape the rest), text with control characters
 * written as \xNN. Pure.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "render.h"
#include "times.h"
#include "utf8.h"

static size_t json_entry(json_t *value, char *out)
{
	size_t n = json_dumpb(value, out, RENDER_ENTRY_MAX - 1, JSON_COMPACT | JSON_ENSURE_ASCII);

	json_decref(value);
	if (n == 0 || n >= RENDER_ENTRY_MAX)
		return 0;
	out[n] = '\n';
	return n + 1;
}

static size_t base64(const uint8_t *in, size_t size, char *out)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t n = 0;

	for (size_t i = 0; i < size; i += 3) {
		uint32_t word = (uint32_t)in[i] << 16;

		if (i + 1 < size)
			word |= (uint32_t)in[i + 1] << 8;
		if (i + 2 < size)
			word |= in[i + 2];
		out[n++] = digits[word >> 18];
		out[n++] = digits[word >> 12 & 63];
		out[n++] = digits[word >> 6 & 63];
		out[n++] = digits[word & 63];
	}
	if (size % 3)
		out[n - 1] = '=';
	if (size % 3 == 1)
		out[n - 2] = '=';
	return n;
}

static size_t line_json(const struct msg_line *line, char *out)
{
	char time[TIME_TEXT_SIZE], encoded[(CONSOLE_LINE_MAX + 2) / 3 * 4];
	const char *text = (const char *)line->bytes;

	time_format(line->time_us, time);
	if (utf8_valid(text, line->size))
		return json_entry(
		    json_pack("{s:s, s:s%}", "time", time, "line", text, (size_t)line->size), out);
	return json_entry(json_pack("{s:s, s:s%}", "time", time, "line_b64", encoded,
				    base64(line->bytes, line->size, encoded)),
			  out);
}

/* C0 but the tab, DEL, C1. */
static bool drives_a_terminal(int32_t character)
{
	return (character < 0x20 && character != '\t') || (character >= 0x7f && character < 0xa0);
}

static size_t line_plain(const struct msg_line *line, char *out)
{
	const char *text = (const char *)line->bytes;
	size_t n, at = 0;

	time_format_plain(line->time_us, out);
	n = strlen(out);
	out[n++] = ' ';
	while (at < line->size) {
		size_t start = at;
		int32_t character = utf8_next(text, line->size, &at);

		if (character < 0)
			at++;
		if (character >= 0 && !drives_a_terminal(character)) {
			memcpy(out + n, text + start, at - start);
			n += at - start;
			continue;
		}
		for (; start < at; start++)
			n += (size_t)sprintf(out + n, "\\x%02x", line->bytes[start]);
	}
	out[n++] = '\n';
	return n;
}

size_t render_line(const struct msg_line *line, bool plain, char *out)
{
	return plain ? line_plain(line, out) : line_json(line, out);
}

size_t render_gap(const struct msg_gap *gap, bool plain, char *out)
{
	if (plain)
		return (size_t)snprintf(out, RENDER_ENTRY_MAX, "-- %llu lines lost --\n",
					(unsigned long long)gap->lines);
	return json_entry(json_pack("{s:I}", "gap", (json_int_t)gap->lines), out);
}

size_t render_detached(const char *why, bool plain, char *out)
{
	if (plain)
		return (size_t)snprintf(out, RENDER_ENTRY_MAX, "-- detached: %s --\n", why);
	return json_entry(json_pack("{s:s}", "detached", why), out);
}

size_t render_ended(const struct msg_ended *ended, bool plain, char *out)
{
	const char *how = ended->end == END_EXIT     ? "exit"
			  : ended->end == END_SIGNAL ? "signal"
						     : NULL;

	if (plain && how)
		return (size_t)snprintf(out, RENDER_ENTRY_MAX, "-- ended: %s %u --\n", how,
					ended->end_value);
	if (plain)
		return (size_t)snprintf(out, RENDER_ENTRY_MAX, "-- ended: unknown --\n");
	if (how)
		return json_entry(
		    json_pack("{s:{s:I}}", "ended", how, (json_int_t)ended->end_value), out);
	return json_entry(json_pack("{s:{s:b}}", "ended", "unknown", 1), out);
}
