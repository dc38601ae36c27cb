/*
 * What the listener allows, all of it in one place. Before authentication a connection is
 * anybody's: it has a deadline that moves with what it sends, and it may be ended to make room for
 * another.
 */
#ifndef VMM_GATE_BOUNDS_H
#define VMM_GATE_BOUNDS_H

#include <stdint.h>

struct limits {
	/* Connections before authentication, in all and of one source (address.h). */
	unsigned waiting, waiting_per_source;
	/* Bytes that those have sent, in all: it is what they cost in memory. */
	uint64_t waiting_bytes;
	/* Authenticated sessions. */
	unsigned sessions;

	/* A handshake has BEGIN_MS, and a second more for each RATE bytes received; */
	int64_t begin_ms;
	uint64_t rate;
	/* and it never pauses for longer than this. */
	int64_t pause_ms;
};

#define LIMITS_DEFAULT                                                                           \
	{                                                                                        \
		.waiting = 512, .waiting_per_source = 128, .waiting_bytes = UINT64_C(512) << 20, \
		.sessions = 1024, .begin_ms = 10000, .rate = 8192, .pause_ms = 20000,            \
	}

/* Descriptors kept free for what a fork and a message need for a moment. */
#define DESCRIPTORS_RESERVED 24
/* What the gate has open besides connections: channels, listeners, epoll, ... */
#define DESCRIPTORS_BASE 24

#endif
