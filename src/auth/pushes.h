/*
 * The revocation lists that vmmd has pushed, one at a time in the order of their coming, and what
 * is answered. A process that dies over one is followed by another; it is never just forgotten.
 */
#ifndef VMM_AUTH_PUSHES_H
#define VMM_AUTH_PUSHES_H

#include <sys/types.h>

#include "channel.h"
#include "push.h"

/* Waiting ones; each has a descriptor. */
#define PUSHES_MAX 16

struct push {
	uint64_t session;
	uint32_t id;
	int memfd;
	unsigned tries;
};

struct pushes {
	struct channel *up; /* to vmmd */
	X509 *root;
	struct lists *lists;
	struct push push[PUSHES_MAX]; /* the first one is at work */
	unsigned count;
	pid_t pid;		      /* of its process; 0: there is none */
	bool taken;		      /* its list is in force, and vmmd knows */
	struct push_outcome *outcome; /* shared with the process */
};

/* Makes the memory that is shared; false: there is none. LISTS and PUSHES know each other then. */
bool pushes_init(struct pushes *all, struct lists *lists);
/*
 * What is stored is in force from now on, whoever stored it: a predecessor, or its last process.
 * Nothing while a process is at work here: its end is when that is looked at.
 */
void pushes_look(struct pushes *all);
/* Takes MEMFD over. */
void pushes_add(struct pushes *all, const struct msg_revocation_push *msg, int memfd);
/* In a child that has nothing to do with it. */
void pushes_leave(struct pushes *all);
/* Whether PID, which ended with STATUS, was at work here; the next one is. */
bool pushes_ended(struct pushes *all, pid_t pid, int status);

#endif
