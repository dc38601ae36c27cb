/*
 * One instance of a role, shared between roles.c (its process), handover.c (its term of office) and
 * wiring.c (what is said to it and what it says).
 */
#ifndef VMM_FAMILY_H
#define VMM_FAMILY_H

#include "daemon.h"
#include "outbox.h"

struct role {
	struct role *next;
	struct daemon *daemon;
	enum role_kind kind;
	pid_t pid;
	int pidfd;
	uint64_t start_ticks;
	struct channel up; /* our side: UPPER */
	struct outbox box;
	struct event *readable, *writable, *exited;
	int64_t started_us;
	int64_t expires; /* as in its slot */
	bool retired;
	uint32_t term;		/* its number among those that were in office; 0: it never was */
	unsigned pushes;	/* vmm_auth: lists that were pushed to it and not answered yet */
	struct event *patience; /* until it takes over all the same, or is ended */
};

/* What tells one role from another. */
struct role_type {
	const char *name;
	enum link link;
	int (*set_up)(struct role *);			   /* its first messages; 0 or -errno */
	void (*message)(struct role *, struct incoming *); /* one that is its own */
	void (*takes_over)(struct role *); /* it is ready, and the current one now */
};

extern const struct role_type role_types[ROLE_KINDS];

/* The uid of KIND's processes, where vmmd is root. */
uint32_t role_uid(const struct daemon *d, enum role_kind kind);
/* Queues a message; a role that does not take it is ended. 0 or -errno. */
int role_send(struct role *role, uint32_t type, const void *body, const int *fds);
/*
 * Starts another instance, which counts as a restart; it takes over when it is ready. A failure is
 * said, and tried again later.
 */
void role_restart(struct daemon *d, enum role_kind kind);

/* handover.c: ROLE has said that it is ready. */
void role_ready(struct role *role);
/* The successor that waits takes over, if there is one and nothing keeps it any more. */
void role_hand_over(struct daemon *d, enum role_kind kind);
/* Of role->patience. */
void role_patience_ends(evutil_socket_t fd, short what, void *role);

#endif
