/* The event log's entries as lines, and as their readers may see them. */
#include "entry.h"

#include <stdio.h>
#include <string.h>

#include "utf8.h"

static const char *const events[ENTRY_TYPES] = {
    [ENTRY_STARTUP] = "STARTUP",
    [ENTRY_LOGIN] = "LOGIN",
    [ENTRY_LOGOUT] = "LOGOUT",
    [ENTRY_REFUSED] = "REFUSED",
    [ENTRY_DELEGATE] = "DELEGATE",
    [ENTRY_STARTED] = "STARTED",
    [ENTRY_FAILED] = "FAILED",
    [ENTRY_REPLACED] = "REPLACED",
    [ENTRY_STOPPED] = "STOPPED",
    [ENTRY_REVOKED] = "REVOKED",
    [ENTRY_BLOCK_CREATE] = "BLOCK_CREATE",
    [ENTRY_BLOCK_DESTROY] = "BLOCK_DESTROY",
};

static const struct cause {
	const char *name;
	const char *suffix; /* of STOPPED's line; NULL: the line says enough */
	bool somebody;	    /* BY did it */
} causes[] = {
    [CAUSE_GUEST] = {"guest", NULL, false},
    [CAUSE_DESTROYED] = {"destroyed", "destroyed", true},
    [CAUSE_REPLACED] = {"replaced", "replaced", true},
    [CAUSE_REVOKED] = {"revoked", "revoked", true},
    [CAUSE_SECCOMP] = {"seccomp", "seccomp", false},
    [CAUSE_MEMORY] = {"memory", "out of memory", false},
    [CAUSE_FAULT] = {"fault", "fault", false},
    [CAUSE_SIGNAL] = {"signal", "sent from outside", false},
    [CAUSE_UNKNOWN] = {"unknown", NULL, false},
};

const char *entry_event(uint32_t type)
{
	return type < ENTRY_TYPES ? events[type] : NULL;
}

const char *cause_name(uint32_t cause)
{
	return cause < sizeof(causes) / sizeof(causes[0]) ? causes[cause].name : NULL;
}

void entry_ring(const struct log_entry *entry, struct label *out)
{
	bool top = entry->path.depth >= 2 ||
		   (entry->path.depth == 1 && entry->type == ENTRY_DELEGATE);

	memset(out, 0, sizeof(*out));
	if (top)
		*out = entry->path.node[0].label;
	else if (entry->path.depth == 0 && entry->type == ENTRY_REFUSED)
		memset(out, 0xff, sizeof(*out));
}

/* PATH as somebody at SCOPE sees it; what is outside of it becomes nothing. */
static void path_cut(struct path *path, const struct path *scope)
{
	uint32_t left = path_within(path, scope) ? path->depth - scope->depth : 0;

	memmove(path->node, path->node + scope->depth, left * sizeof(path->node[0]));
	memset(path->node + left, 0, (PATH_DEPTH_MAX - left) * sizeof(path->node[0]));
	path->depth = left;
}

void entry_relative(struct log_entry *entry, const struct path *scope)
{
	path_cut(&entry->path, scope);
	path_cut(&entry->by, scope);
}

/* Who did it, " by NAME", as far as whoever reads without the first SKIP nodes may know. */
static void by_format(const struct log_entry *entry, unsigned skip, char *out, size_t size)
{
	char name[PATH_TEXT_SIZE];
	struct path scope = entry->path;

	scope.depth = skip < scope.depth ? skip : scope.depth;
	out[0] = 0;
	if (entry->by.depth <= skip || !path_within(&entry->by, &scope))
		return;
	path_format(&entry->by, skip, name);
	snprintf(out, size, "by %s", name);
}

/* "NAME, NAME" as "NAME; NAME", or "no". */
static const char *list_format(const char *list, char *out)
{
	size_t n = 0;

	for (; *list && n < ENTRY_LIST_SIZE - 1; list++)
		out[n++] = list[0] == ',' && list[1] == ' ' ? ';' : *list;
	out[n] = 0;
	return n > 0 ? out : "no";
}

static void started_format(const struct log_entry *entry, char *out, size_t size)
{
	char taps[ENTRY_LIST_SIZE], blocks[ENTRY_LIST_SIZE];

	snprintf(out, size, " %u (tap %s, block %s)", entry->pid, list_format(entry->taps, taps),
		 list_format(entry->blocks, blocks));
}

static void stopped_format(const struct log_entry *entry, const char *by, char *out, size_t size)
{
	const struct cause *cause = cause_name(entry->cause) ? &causes[entry->cause] : NULL;
	int n = entry->end == END_EXIT || entry->end == END_SIGNAL
		    ? snprintf(out, size, " %u with %s %u", entry->pid,
			       entry->end == END_EXIT ? "exit" : "signal", entry->end_value)
		    : snprintf(out, size, " %u, nobody knows how", entry->pid);

	if (cause == NULL || cause->suffix == NULL)
		return;
	by = cause->somebody ? by : "";
	snprintf(out + n, size - (size_t)n, " (%s%s%s)", cause->suffix, *by ? " " : "", by);
}

/* What follows the event's name. */
static void details_format(const struct log_entry *entry, const char *by, char *out, size_t size)
{
	unsigned long long number = entry->number;

	out[0] = 0;
	switch (entry->type) {
	case ENTRY_LOGIN:
		snprintf(out, size, " %s", entry->peer);
		break;
	case ENTRY_LOGOUT:
		snprintf(out, size, entry->detail[0] ? " %s (%s)" : " %s", entry->peer,
			 entry->detail);
		break;
	case ENTRY_REFUSED:
		snprintf(out, size, " %s: %s", entry->peer, entry->detail);
		break;
	case ENTRY_DELEGATE:
		snprintf(out, size, " (%s)", entry->detail);
		break;
	case ENTRY_STARTED:
		started_format(entry, out, size);
		break;
	case ENTRY_FAILED:
		snprintf(out, size, ": %s", entry->detail);
		break;
	case ENTRY_REPLACED:
		snprintf(out, size, " %u", entry->pid);
		break;
	case ENTRY_STOPPED:
		stopped_format(entry, by, out, size);
		break;
	case ENTRY_REVOKED:
		snprintf(out, size, " (%s%slist %llu)", by, *by ? ", " : "", number);
		break;
	case ENTRY_BLOCK_CREATE:
		snprintf(out, size, " %s %llu", entry->volume, number);
		break;
	case ENTRY_BLOCK_DESTROY:
		snprintf(out, size, " %s", entry->volume);
		break;
	}
}

/* What moves a terminal's cursor, ends a line somewhere, or turns the direction of writing. */
static bool printable(int32_t c)
{
	return c >= 0x20 && !(c >= 0x7f && c < 0xa0) && c != 0x200e && c != 0x200f &&
	       !(c >= 0x2028 && c <= 0x202e) && !(c >= 0x2066 && c <= 0x2069) && c != 0xfeff;
}

/* TEXT into OUT of ENTRY_TEXT_SIZE bytes, whole characters and whole escapes, as many as fit. */
static void escape(const char *text, char *out)
{
	size_t len = strlen(text), used = 0;

	for (size_t at = 0; at < len;) {
		size_t from = at;
		int32_t c = utf8_next(text, len, &at);
		bool plain = c >= 0 && printable(c);

		if (c < 0)
			at++;
		if (used + (at - from) * (plain ? 1 : 4) >= ENTRY_TEXT_SIZE)
			break;
		for (; from < at; from++)
			if (plain)
				out[used++] = text[from];
			else
				used += (size_t)snprintf(out + used, 5, "\\x%02x",
							 (unsigned char)text[from]);
	}
	out[used] = 0;
}

void entry_text(const struct log_entry *entry, unsigned skip, char *out)
{
	char name[PATH_TEXT_SIZE], by[PATH_TEXT_SIZE + 3], details[ENTRY_TEXT_SIZE / 2];
	char line[ENTRY_TEXT_SIZE];
	const char *event = entry_event(entry->type);
	bool host = entry->type == ENTRY_STARTUP || entry->type == ENTRY_REFUSED;

	path_format(&entry->path, skip, name);
	by_format(entry, skip, by, sizeof(by));
	details_format(entry, by, details, sizeof(details));
	snprintf(line, sizeof(line), "%s %s%s",
		 *name	? name
		 : host ? "vmmd"
			: "/",
		 event ? event : "?", details);
	escape(line, out);
}
