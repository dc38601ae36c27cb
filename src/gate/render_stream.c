/*
 * Entries of streams. A guest's bytes are hostile to a terminal that shows them: JSON goes out in
 * ASCII (jansson escapes C0, we ask it to escape the rest), text with control characters written as
 * \xNN. Pure.
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

size_t render_gap(const struct msg_gap *gap, const char *of, bool plain, char *out)
{
	if (plain)
		return (size_t)snprintf(out, RENDER_ENTRY_MAX, "-- %llu %s lost --\n",
					(unsigned long long)gap->lines, of);
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
	if (!plain)
		return json_entry(
		    json_pack("{s:o}", "ended", render_end(ended->end, ended->end_value)), out);
	if (ended->end == END_EXIT || ended->end == END_SIGNAL)
		return (size_t)snprintf(out, RENDER_ENTRY_MAX, "-- ended: %s %u --\n",
					ended->end == END_EXIT ? "exit" : "signal",
					ended->end_value);
	return (size_t)snprintf(out, RENDER_ENTRY_MAX, "-- ended: unknown --\n");
}

/* The event log. */

/* NAMES, separated by ", ", as an array. */
static json_t *names_json(const char *names)
{
	json_t *array = json_array();

	while (*names) {
		const char *end = strstr(names, ", ");
		size_t len = end ? (size_t)(end - names) : strlen(names);

		json_array_append_new(array, json_stringn(names, len));
		names += end ? len + 2 : len;
	}
	return array;
}

static json_t *text_or_null(const char *text)
{
	return *text ? json_string(text) : json_null();
}

static json_t *name_or_null(const struct path *path)
{
	char text[PATH_TEXT_SIZE];

	path_format(path, 0, text);
	return text_or_null(text);
}

/* Which fields of its own an entry of each type has. */
enum {
	HAS_PEER = 1 << 0,
	HAS_PID = 1 << 1,
	HAS_DEVICES = 1 << 2,
	HAS_END = 1 << 3,
	HAS_BY = 1 << 4,
	HAS_NUMBER = 1 << 5,
	HAS_VOLUME = 1 << 6,
	HAS_MB = 1 << 7,
	HAS_DETAIL = 1 << 8,
};

static const unsigned fields_of[ENTRY_TYPES] = {
    [ENTRY_LOGIN] = HAS_PEER,
    [ENTRY_LOGOUT] = HAS_PEER | HAS_DETAIL,
    [ENTRY_REFUSED] = HAS_PEER | HAS_DETAIL,
    [ENTRY_DELEGATE] = HAS_DETAIL,
    [ENTRY_STARTED] = HAS_PID | HAS_DEVICES,
    [ENTRY_FAILED] = HAS_DETAIL,
    [ENTRY_REPLACED] = HAS_PID | HAS_BY,
    [ENTRY_STOPPED] = HAS_PID | HAS_END | HAS_BY,
    [ENTRY_REVOKED] = HAS_BY | HAS_NUMBER,
    [ENTRY_BLOCK_CREATE] = HAS_VOLUME | HAS_MB,
    [ENTRY_BLOCK_DESTROY] = HAS_VOLUME,
};

static void add_fields(json_t *object, const struct log_entry *entry, unsigned fields)
{
	if (fields & HAS_PEER)
		json_object_set_new(object, "peer", json_string(entry->peer));
	if (fields & HAS_PID)
		json_object_set_new(object, "pid", json_integer(entry->pid));
	if (fields & HAS_DEVICES) {
		json_object_set_new(object, "taps", names_json(entry->taps));
		json_object_set_new(object, "blocks", names_json(entry->blocks));
	}
	if (fields & HAS_END) {
		json_object_set_new(object, "end", render_end(entry->end, entry->end_value));
		json_object_set_new(object, "cause", render_cause(entry->end, entry->cause));
	}
	if (fields & HAS_BY)
		json_object_set_new(object, "by", name_or_null(&entry->by));
	if (fields & HAS_NUMBER)
		json_object_set_new(object, "number", json_integer((json_int_t)entry->number));
	if (fields & HAS_VOLUME)
		json_object_set_new(object, "volume", json_string(entry->volume));
	if (fields & HAS_MB)
		json_object_set_new(object, "mb", json_integer((json_int_t)entry->number));
	if (fields & HAS_DETAIL)
		json_object_set_new(object, "detail", text_or_null(entry->detail));
}

static json_t *entry_json(const struct log_entry *entry, const char *text)
{
	char time[TIME_TEXT_SIZE], path[PATH_TEXT_SIZE], label[LABEL_PATH_SIZE];
	const char *event = entry_event(entry->type);
	json_t *object;

	time_format(entry->time_us, time);
	path_format(&entry->path, 0, path);
	/* Whole: what they name may be gone, and siblings with it. */
	path_labels(&entry->path, LABEL_DIGITS_MAX, label);
	object = json_pack("{s:I, s:s, s:s, s:s, s:s, s:s}", "seq", (json_int_t)entry->seq, "time",
			   time, "event", event ? event : "unknown", "path", path, "label", label,
			   "text", text);
	if (object && event)
		add_fields(object, entry, fields_of[entry->type]);
	return object;
}

size_t render_entry(const struct log_entry *entry, bool plain, char *out)
{
	char text[ENTRY_TEXT_SIZE], time[TIME_TEXT_SIZE];

	entry_text(entry, 0, text);
	if (!plain)
		return json_entry(entry_json(entry, text), out);
	time_format_plain(entry->time_us, time);
	return (size_t)snprintf(out, RENDER_ENTRY_MAX, "%s: %s\n", time, text);
}
