/*
 * When a session ends by itself: idle, stalled, refused, done. Pure: the clock comes in as an
 * argument, milliseconds of any epoch.
 */
#ifndef VMM_GATE_DEADLINES_H
#define VMM_GATE_DEADLINES_H

#include <stdbool.h>
#include <stdint.h>

/* Without a request or stream under way. */
#define IDLE_MS 600000
/* The same for a chain without authority: long enough to ask, and to be told why not. */
#define REFUSED_MS 30000
/* Output, or the rest of a request, waits for so long, and less than that moves meanwhile. */
#define STALL_MS    60000
#define STALL_BYTES 4096
/* For the peer's part of the goodbye. */
#define GOODBYE_MS 5000
/* For the last answers of a session that vmmd has ended, whether they are taken or not. */
#define ENDED_MS 1000

/* What a session is doing. */
struct activity {
	bool busy;	   /* a request is being worked on, or a stream open */
	bool blocked;	   /* output waits for the client, or a body that it has begun */
	uint64_t progress; /* bytes so far, both ways */
	bool refused;	   /* the chain gave no authority */
	bool ended;	   /* vmmd has ended the session */
	bool done;	   /* all that this session was for is answered */
};

enum deadline {
	DEADLINE_NONE,
	DEADLINE_LEAVE, /* it is time for the goodbye; once */
	DEADLINE_DROP,	/* it is over, whatever is still under way */
};

struct deadlines {
	int64_t active_ms; /* when it was last busy */
	bool stalled, ended, leaving;
	int64_t stalled_ms, ended_ms, leaving_ms; /* since when */
	uint64_t stalled_progress;		  /* as it was then */
};

void deadlines_init(struct deadlines *deadlines, int64_t now_ms);
enum deadline deadlines_check(struct deadlines *deadlines, const struct activity *activity,
			      int64_t now_ms);
/* How long until the next has to be looked at, after a check that gave none; -1: none is set. */
int deadlines_wait(const struct deadlines *deadlines, const struct activity *activity,
		   int64_t now_ms);

#endif
