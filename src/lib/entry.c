/* The event log's entries as lines. */
#include "entry.h"

#include <stdio.h>

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

const char *entry_event(uint32_t type)
{
	return type < ENTRY_TYPES ? events[type] : NULL;
}

const char *cause_name(uint32_t cause)
{
	static const char *const causes[] = {
	    [CAUSE_GUEST] = "guest",	   [CAUSE_DESTROYED] = "destroyed",
	    [CAUSE_REPLACED] = "replaced", [CAUSE_REVOKED] = "revoked",
	    [CAUSE_SECCOMP] = "seccomp",   [CAUSE_MEMORY] = "memory",
	    [CAUSE_FAULT] = "fault",	   [CAUSE_SIGNAL] = "signal",
	    [CAUSE_UNKNOWN] = "unknown",
	};

	return cause < sizeof(causes) / sizeof(causes[0]) ? causes[cause] : NULL;
}

void entry_text(const struct log_entry *entry, unsigned skip, char *out)
{
	char name[PATH_TEXT_SIZE];
	const char *event = entry_event(entry->type);

	path_format(&entry->path, skip, name);
	snprintf(out, ENTRY_TEXT_SIZE, "%s %s %s%s", *name ? name : "vmmd", event ? event : "?",
		 entry->peer, entry->detail);
}
