/*
 * One entry of the event log: what happened, when, to whom. Fixed sizes, no pointers; message.h
 * carries it, vmm_log keeps it. Pure.
 */
#ifndef VMM_ENTRY_H
#define VMM_ENTRY_H

#include <stdbool.h>

#include "request.h"

#define ENTRY_LIST_SIZE 512 /* names, separated by ", "; cut with "..." */
#define ENTRY_TEXT_SIZE 4096

/* How a VM's process ended. */
enum vm_end { END_NONE, END_EXIT, END_SIGNAL, END_UNKNOWN };

/* Why, as far as it is known. */
enum stop_cause {
	CAUSE_GUEST,	 /* it ended by itself: its status is what it returned */
	CAUSE_DESTROYED, /* by the session of BY */
	CAUSE_REPLACED,	 /* force-create: by BY */
	CAUSE_REVOKED,	 /* a revocation list of BY */
	CAUSE_SECCOMP,	 /* a system call that is not allowed */
	CAUSE_MEMORY,	 /* the kernel was out of memory */
	CAUSE_FAULT,	 /* an instruction or an address that is none */
	CAUSE_SIGNAL,	 /* a signal of somebody outside of vmm */
	CAUSE_UNKNOWN,
};

enum entry_type {
	ENTRY_STARTUP = 1, /* vmmd; no path: of the host */
	ENTRY_LOGIN,	   /* peer */
	ENTRY_LOGOUT,	   /* peer; detail: why, when it was ended */
	ENTRY_REFUSED,	   /* peer, detail: a chain without authority */
	ENTRY_DELEGATE,	   /* a top delegation seen for the first time; detail: what it grants */
	ENTRY_STARTED,	   /* pid, taps, blocks */
	ENTRY_FAILED, /* detail: a start that was refused, or a VM that did not come up, and why */
	ENTRY_REPLACED,	     /* pid of the old one, by: force-create takes its place */
	ENTRY_STOPPED,	     /* pid, end, end_value, cause, by */
	ENTRY_REVOKED,	     /* path: what was revoked, by: the issuer, number: of the list */
	ENTRY_BLOCK_CREATE,  /* volume, number: MB */
	ENTRY_BLOCK_DESTROY, /* volume */
	ENTRY_TYPES
};

/* Fields that an entry's type does not name are zero. */
struct log_entry {
	uint64_t seq;	 /* grows; made from the clock, so that it counts nobody's entries */
	int64_t time_us; /* since 1970 */
	uint32_t type;
	struct path path; /* the VM's, the leaf's; depth 0: the host's */
	char peer[PEER_SIZE];
	uint32_t pid;
	uint32_t end, end_value, cause;
	struct path by; /* depth 0: nobody, or somebody above the reader's scope */
	char taps[ENTRY_LIST_SIZE];
	char blocks[ENTRY_LIST_SIZE];
	char volume[NAME_SIZE];
	uint64_t number;
	char detail[DETAIL_SIZE];
};

/* "STARTED"; NULL for no type. */
const char *entry_event(uint32_t type);
/* "destroyed", "seccomp"; NULL for no cause. */
const char *cause_name(uint32_t cause);
/*
 * Which of the event log's rings keeps ENTRY: the label of its top delegation; zeros: the host's,
 * where what is directly under the root is kept too; ones: that of refusals that name nobody, which
 * anybody who was ever delegated to can cause.
 */
void entry_ring(const struct log_entry *entry, struct label *out);
/* Makes ENTRY what somebody at SCOPE sees: paths below it, without it, and nobody's else. */
void entry_relative(struct log_entry *entry, const struct path *scope);
/*
 * "NAME EVENT ...", as the article shows it, NAME without the first SKIP nodes of the path, "vmmd"
 * for the host, "/" for the scope itself, into OUT (ENTRY_TEXT_SIZE bytes). One line whatever the
 * fields hold: bytes of what is not printable are written \\xNN. Without the date.
 */
void entry_text(const struct log_entry *entry, unsigned skip, char *out);

#endif
