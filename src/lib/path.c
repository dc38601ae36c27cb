/*
 * How delegations, VMs and volumes are called: what may be a name, how labels are written and
 * matched, how a path reads. Knows neither certificates nor who may see what.
 */
#include "path.h"

#include <stdio.h>
#include <string.h>

#include "utf8.h"

bool name_reserved(const char *name, size_t len)
{
	static const char *const reserved[] = {"console", "statistics", "data"};
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (strlen(reserved[i]) == len && memcmp(reserved[i], name, len) == 0)
			return true;
	return false;
}

/* C0, DEL and C1: what could drive a terminal or end a line. */
static bool is_control(int32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

const char *name_problem(const char *name, size_t len)
{
	if (len == 0)
		return "is empty";
	if (len >= NAME_SIZE)
		return "is longer than 64 bytes";
	if (name[0] == '-')
		return "starts with '-'";
	if (name[0] == '.')
		return "starts with '.'";
	if (memchr(name, '/', len))
		return "contains '/'";
	for (size_t at = 0; at < len;) {
		int32_t c = utf8_next(name, len, &at);
		if (c < 0)
			return "is not UTF-8";
		if (is_control(c))
			return "contains a control character";
	}
	if (name_reserved(name, len))
		return "is one of the reserved words console, data and statistics";
	return NULL;
}

const char *volume_name_problem(const char *name, size_t len)
{
	/* They separate in certificates. */
	if (memchr(name, ',', len) || memchr(name, ':', len))
		return "contains ',' or ':'";
	return name_problem(name, len);
}

bool label_equal(const struct label *a, const struct label *b)
{
	return memcmp(a->byte, b->byte, LABEL_SIZE) == 0;
}

static unsigned label_digit(const struct label *label, unsigned n)
{
	uint8_t byte = label->byte[n / 2];
	return n % 2 == 0 ? byte >> 4 : byte & 0x0f;
}

void label_format(const struct label *label, unsigned digits, char *out)
{
	if (digits > LABEL_DIGITS_MAX)
		digits = LABEL_DIGITS_MAX;
	for (unsigned i = 0; i < digits; i++)
		out[i] = "0123456789abcdef"[label_digit(label, i)];
	out[digits] = '\0';
}

/* The value of a hex digit; 16 when C is none. */
static unsigned hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A') + 10;
	return 16;
}

bool label_matches(const struct label *label, const char *text, size_t len)
{
	if (len < LABEL_DIGITS_MIN || len > LABEL_DIGITS_MAX)
		return false;
	for (unsigned i = 0; i < len; i++)
		if (hex_value(text[i]) != label_digit(label, i))
			return false;
	return true;
}

unsigned label_digits_between(const struct label *a, const struct label *b)
{
	unsigned same = 0;
	while (same < LABEL_DIGITS_MAX && label_digit(a, same) == label_digit(b, same))
		same++;
	if (same == LABEL_DIGITS_MAX)
		return LABEL_DIGITS_MAX;
	return same + 1 < LABEL_DIGITS_MIN ? LABEL_DIGITS_MIN : same + 1;
}

bool path_equal(const struct path *a, const struct path *b)
{
	return a->depth == b->depth && path_within(a, b);
}

bool path_within(const struct path *path, const struct path *scope)
{
	if (path->depth < scope->depth)
		return false;
	for (uint32_t i = 0; i < scope->depth; i++)
		if (!label_equal(&path->node[i].label, &scope->node[i].label))
			return false;
	return true;
}

void path_format(const struct path *path, unsigned skip, char *out)
{
	size_t used = 0;
	out[0] = '\0';
	for (unsigned i = skip; i < path->depth && i < PATH_DEPTH_MAX; i++)
		used += (size_t)snprintf(out + used, PATH_TEXT_SIZE - used, "%s%.*s",
					 i == skip ? "" : "/", NAME_SIZE - 1, path->node[i].name);
}

void path_labels(const struct path *path, unsigned digits, char *out)
{
	*out = '\0';
	for (unsigned i = 0; i < path->depth && i < PATH_DEPTH_MAX; i++) {
		if (i > 0)
			*out++ = '.';
		label_format(&path->node[i].label, digits, out);
		out += strlen(out);
	}
}

static bool node_called(const struct node *node, const char *text, size_t len)
{
	return len > 0 && strlen(node->name) == len && memcmp(node->name, text, len) == 0;
}

/* How many of PATH's nodes from AT on the label prefixes in TEXT, joined with '.', stand for; 0:
 * it is something else. */
static unsigned labels_matched(const struct path *path, unsigned at, const char *text, size_t len)
{
	unsigned n = 0;
	for (;;) {
		const char *dot = memchr(text, '.', len);
		size_t size = dot ? (size_t)(dot - text) : len;
		if (at + n >= path->depth || !label_matches(&path->node[at + n].label, text, size))
			return 0;
		n++;
		if (!dot)
			return n;
		text += size + 1;
		len -= size + 1;
	}
}

/* Walks TEXT component by component along PATH; LABELS: label prefixes count too. */
static bool path_walk(const struct path *path, unsigned skip, const char *text, bool labels)
{
	unsigned at = skip;
	if (path->depth < skip)
		return false;
	if (text[0] == '\0' || strcmp(text, "/") == 0)
		return path->depth == skip;
	for (;;) {
		size_t len = strcspn(text, "/");
		unsigned n = 0;
		if (at < path->depth && node_called(&path->node[at], text, len))
			n = 1;
		else if (labels)
			n = labels_matched(path, at, text, len);
		if (n == 0)
			return false;
		at += n;
		if (text[len] == '\0')
			return at == path->depth;
		text += len + 1;
	}
}

bool path_named(const struct path *path, unsigned skip, const char *text)
{
	return path_walk(path, skip, text, true);
}

bool path_named_by_names(const struct path *path, unsigned skip, const char *text)
{
	return path_walk(path, skip, text, false);
}
