/*
 * The gate's own loop: accepts, waits until a connection sends something, has a worker forked for
 * it, keeps the deadlines, reaps. It reads no byte that a client sent.
 */
#ifndef VMM_GATE_LISTENER_H
#define VMM_GATE_LISTENER_H

#include "fork.h"

#define LISTENERS_MAX 32

struct listener {
	struct event_base *base;
	struct channel *up; /* to vmmd */
	struct nursery nursery;
	struct connections connections;
	unsigned nsockets;
	struct event *socket[LISTENERS_MAX];
	struct event *child, *tick, *control;
	bool has_certificate;
	bool ready;    /* vmmd was told */
	bool draining; /* ends when the last worker has */
	bool paused;   /* nothing can be accepted: for want of descriptors or memory */
	bool outage;   /* it was said, and not yet that it is over */
	bool tainted;  /* vmmd was told */
	int64_t evictions_said_ms, counts_said_ms;
};

/* Before the sandbox: what the loop needs. Exits when it cannot be had. */
void listener_init(struct listener *listener, struct channel *up, const struct limits *limits);
/* Until vmmd goes, or all is drained. */
void listener_run(struct listener *listener);

/* For control.c, which hears what vmmd says. A descriptor given is taken over. */
bool listener_add(struct listener *listener, int fd); /* false: there are too many */
void listener_open(struct listener *listener);	      /* begins to accept */
void listener_set_auth(struct listener *listener, int fd);
void listener_drain(struct listener *listener);

#endif
