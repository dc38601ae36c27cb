/*
 * The gate's workers, from their announcement until their chain was judged. Nothing of a session is
 * kept after that.
 */
#ifndef VMM_AUTH_WORKERS_H
#define VMM_AUTH_WORKERS_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "channel.h"

/* Chains up to here never wait for larger ones. */
#define SMALL_CHAIN (1u << 20)
/* So many processes at once for each size; a large one's may have 100 MB. */
#define SMALL_PROCESSES 16
#define LARGE_PROCESSES 4

enum worker_state {
	WORKER_ANNOUNCED, /* its chain has not come */
	WORKER_QUEUED,	  /* its chain waits for a process */
	WORKER_JUDGED,	  /* a process is at it */
};

struct worker {
	struct worker *next;
	struct workers *all;
	enum worker_state state;
	char peer[PEER_SIZE];
	struct channel channel; /* while announced */
	struct event *readable; /* likewise */
	int socket, memfd;	/* while queued */
	bool large;
	pid_t pid; /* while judged */
};

struct workers {
	struct event_base *base;
	struct worker *first, **end; /* in the order of their coming */
	unsigned count, limit;
	unsigned running[2]; /* processes for small chains, for large ones */
	/* Comes before each fork. */
	void (*before)(void *arg);
	/* Runs in the child of a fork and does not return. */
	void (*judge)(void *arg, const char *peer, int socket, int memfd);
	/* There is room for one more again. */
	void (*room)(void *arg);
	void *arg;
};

void workers_init(struct workers *all);
bool workers_full(const struct workers *all);
/* A worker for PEER, whose channel is FD, which is taken over. */
void workers_add(struct workers *all, const char *peer, int fd);
/* Whether PID, which ended with STATUS, was a worker's; what waited for it is started. */
bool workers_ended(struct workers *all, pid_t pid, int status);

#endif
