/*
 * Names to labels and back. The server decides what exists; nothing here is asked of it.
 */
#include "names.h"

#include <stdio.h>
#include <string.h>

/* A piece of a path: LEN bytes at TEXT. */
struct piece {
	const char *text;
	size_t len;
};

/* The next piece of *REST up to SEPARATOR; false: there is none. */
static bool piece_next(const char **rest, char separator, struct piece *out)
{
	if (!*rest)
		return false;
	const char *end = strchr(*rest, separator);
	out->text = *rest;
	out->len = end ? (size_t)(end - *rest) : strlen(*rest);
	*rest = end ? end + 1 : NULL;
	return true;
}

static size_t pieces_count(const char *text, char separator)
{
	struct piece piece;
	size_t count = 0;
	while (piece_next(&text, separator, &piece))
		count++;
	return count;
}

/* Appends with SEPARATOR in front of all but the first; what does not fit is left out. */
static void append(char out[NAMES_PATH_SIZE], char separator, const char *text, size_t len)
{
	size_t used = strlen(out);
	if (used + len + 2 > NAMES_PATH_SIZE)
		return;
	if (used > 0)
		out[used++] = separator;
	memcpy(out + used, text, len);
	out[used + len] = '\0';
}

/* The only entry whose label starts with these digits; NULL: none, or several. */
static const struct db_entry *entry_of_label(const struct names *names, struct piece digits)
{
	if (digits.len < LABEL_DIGITS_MIN || digits.len > LABEL_DIGITS_MAX)
		return NULL;
	const struct db_entry *entry = db_find_prefix(&names->db, digits.text, digits.len, NULL);
	if (entry && db_find_prefix(&names->db, digits.text, digits.len, entry))
		return NULL;
	return entry;
}

static const struct db_entry *entry_of_name(const struct names *names, struct piece name,
					    const struct db_entry *after)
{
	char text[NAME_SIZE];
	if (name.len >= sizeof(text))
		return NULL;
	memcpy(text, name.text, name.len);
	text[name.len] = '\0';
	return db_find_name(&names->db, text, after);
}

void names_show(const struct names *names, const char *path, const char *label,
		char out[NAMES_PATH_SIZE])
{
	struct piece name, digits;
	bool paired = pieces_count(path, '/') == pieces_count(label, '.');

	out[0] = '\0';
	while (piece_next(&path, '/', &name)) {
		const struct db_entry *entry = NULL;
		if (paired && piece_next(&label, '.', &digits))
			entry = entry_of_label(names, digits);
		if (entry)
			append(out, '/', entry->name, strlen(entry->name));
		else
			append(out, '/', name.text, name.len);
	}
}

/* A node that is no name of ours: label prefixes joined with '.', or something of the server's. */
static void show_labels(const struct names *names, struct piece node, char out[NAMES_PATH_SIZE])
{
	char text[NAMES_PATH_SIZE], shown[NAMES_PATH_SIZE] = "";
	const char *rest = text;
	struct piece digits;

	if (node.len >= sizeof(text))
		return;
	memcpy(text, node.text, node.len);
	text[node.len] = '\0';
	while (piece_next(&rest, '.', &digits)) {
		const struct db_entry *entry = entry_of_label(names, digits);
		if (!entry) {
			append(out, '/', node.text, node.len);
			return;
		}
		append(shown, '/', entry->name, strlen(entry->name));
	}
	append(out, '/', shown, strlen(shown));
}

void names_show_typed(const struct names *names, const char *typed, char out[NAMES_PATH_SIZE])
{
	struct piece node;

	out[0] = '\0';
	while (piece_next(&typed, '/', &node)) {
		if (entry_of_name(names, node, NULL))
			append(out, '/', node.text, node.len);
		else
			show_labels(names, node, out);
	}
}

/* Two entries share a name, as in a .db that another tool wrote: only a label tells them apart. */
static void say_ambiguous(const struct names *names, struct piece name,
			  const struct db_entry *first, struct refusal *why)
{
	unsigned digits = LABEL_DIGITS_MIN;
	const struct db_entry *entry = first;
	char label[LABEL_DIGITS_MAX + 1];

	while ((entry = entry_of_name(names, name, entry))) {
		unsigned needed = label_digits_between(&first->label, &entry->label);
		digits = needed > digits ? needed : digits;
	}
	refusal_say(why, "%.*s: ambiguous:", (int)name.len, name.text);
	for (entry = first; entry; entry = entry_of_name(names, name, entry)) {
		size_t used = strlen(why->text);
		label_format(&entry->label, digits, label);
		snprintf(why->text + used, sizeof(why->text) - used, " %s", label);
	}
}

enum names_result names_find(const struct names *names, const char *typed,
			     char out[NAMES_PATH_SIZE], struct refusal *why)
{
	enum names_result result = NAMES_UNKNOWN;
	struct piece node;

	out[0] = '\0';
	if (strlen(typed) >= NAMES_PATH_SIZE || pieces_count(typed, '/') > PATH_DEPTH_MAX) {
		refusal_say(why, "%.40s...: too long for a path", typed);
		return NAMES_REFUSED;
	}
	for (const char *rest = typed; piece_next(&rest, '/', &node);) {
		const struct db_entry *entry = entry_of_name(names, node, NULL);
		char label[LABEL_DIGITS_MAX + 1];

		if (name_reserved(node.text, node.len)) {
			refusal_say(why, "%.*s is no name: it %s", (int)node.len, node.text,
				    name_problem(node.text, node.len));
			return NAMES_REFUSED;
		}
		if (!entry) {
			append(out, '/', node.text, node.len);
			continue;
		}
		if (entry_of_name(names, node, entry)) {
			say_ambiguous(names, node, entry, why);
			return NAMES_REFUSED;
		}
		label_format(&entry->label, LABEL_DIGITS_MAX, label);
		append(out, '/', label, LABEL_DIGITS_MAX);
		result = NAMES_FOUND;
	}
	return result;
}

/* PATH without its last node, into ABOVE; that node. */
static const char *split_last(const char *path, char above[NAMES_PATH_SIZE])
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;

	if (len >= NAMES_PATH_SIZE)
		len = 0;
	memcpy(above, path, len);
	above[len] = '\0';
	return slash ? slash + 1 : path;
}

void names_show_volume(const struct names *names, const char *path, const char *label,
		       char out[NAMES_PATH_SIZE])
{
	char above[NAMES_PATH_SIZE];
	const char *name = split_last(path, above);

	out[0] = '\0';
	if (*above)
		names_show(names, above, label, out);
	append(out, '/', name, strlen(name));
}

enum names_result names_find_volume(const struct names *names, const char *typed,
				    char out[NAMES_PATH_SIZE], struct refusal *why)
{
	char above[NAMES_PATH_SIZE];
	const char *name = split_last(typed, above);
	const char *problem = volume_name_problem(name, strlen(name));
	enum names_result result = NAMES_UNKNOWN;

	out[0] = '\0';
	if (strlen(typed) >= NAMES_PATH_SIZE)
		return names_find(names, typed, out, why);
	if (problem) {
		refusal_say(why, "%s is no name for a volume: it %s", *name ? name : "\"\"",
			    problem);
		return NAMES_REFUSED;
	}
	if (*above)
		result = names_find(names, above, out, why);
	append(out, '/', name, strlen(name));
	return result;
}
