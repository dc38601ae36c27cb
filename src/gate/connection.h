/*
 * The listener's table of connections: who is where, for how long, and whose turn it is to go.
 * Reads no byte of theirs; what it knows of their progress, TCP tells.
 */
#ifndef VMM_GATE_CONNECTION_H
#define VMM_GATE_CONNECTION_H

#include <event2/event.h>
#include <event2/event_struct.h>

#include "address.h"
#include "bounds.h"

enum phase {
	PHASE_SILENT,	 /* accepted, has sent nothing: a descriptor, no process */
	PHASE_PENDING,	 /* has sent something, waits for a worker to be made */
	PHASE_HANDSHAKE, /* has a worker */
	PHASE_SESSION,	 /* its worker said that it is authenticated */
	PHASE_ENDING,	 /* its worker is being killed; only the pid is left */
};

struct connection {
	struct connection *next;
	struct connections *table;
	enum phase phase;
	int fd; /* our copy, open until the connection is over */
	struct source source;
	char peer[PEER_SIZE];
	int64_t accepted_ms;
	pid_t pid;	    /* its worker; 0: none */
	int report;	    /* reading end of the worker's report; -1: none */
	struct event event; /* on FD while silent, on REPORT in the handshake */
	bool watched;	    /* EVENT is added */
	bool served;	    /* its handshake led to a session, if one without authority */
};

struct connections {
	void *owner; /* whoever handles the events */
	struct limits limits;
	struct connection *first;
	unsigned waiting, sessions; /* not counting those that end */
	/* Since the counts were last taken; lost are those that ended before any session. */
	unsigned evicted;
	struct msg_gate_counts untold;
};

void connections_init(struct connections *table, const struct limits *limits);
/* Takes FD over. NULL: no memory (FD is closed). Others were ended to make room. */
struct connection *connection_add(struct connections *table, int fd,
				  const struct sockaddr_storage *address, int64_t now_ms);
/*
 * Ends it: kills its worker, closes our copy. It is freed at once without a worker, else by
 * connection_reaped.
 */
void connection_end(struct connection *connection);
/* Its worker has ended; frees it. */
void connection_reaped(struct connection *connection);
struct connection *connection_of(const struct connections *table, pid_t pid);
/* Its worker says that it is authenticated: now it counts as a session. */
void connection_authenticated(struct connection *connection);
/* Calls CALLBACK, with the connection, when FD is readable; in place of what was watched before. */
void connection_watch(struct connection *connection, struct event_base *base, int fd,
		      event_callback_fn callback);
void connection_unwatch(struct connection *connection);

/* Ends one that waits, the one that sent nothing for longest, not EXCEPT; false: there is none. */
bool connections_evict(struct connections *table, const struct connection *except);
/* Ends what is past its deadline or above the limit of bytes. */
void connections_expire(struct connections *table, int64_t now_ms);

#endif
