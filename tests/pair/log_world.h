/*
 * What the tests of vmm_log share: a keeper on a loop that the test turns, or the program itself;
 * vmmd's end of its channel, rings that outlive both, entries, readers.
 */
#ifndef VMM_LOG_WORLD_H
#define VMM_LOG_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "keeper.h"
#include "paths.h"

#define RINGS 4 /* the host's, of refusals, alice's, bob's */

extern struct keeper keeper;
extern struct channel vmmd; /* our end of the keeper's channel */
extern struct incoming in;
extern int ring[RINGS];

/* Rings before a test, and after it. */
int rings_new(void **state);
int rings_free(void **state);
/* A keeper, told of the rings; what it says of them, LOADED. */
uint64_t keeper_up(void);
/* Gone, as if it had been killed. */
void keeper_down(void);
/* The same with the program. */
pid_t program_start(uint64_t *loaded);
/* Turns the loop, where it is ours, until all that is ready was handled. */
void settle(void);

/* An entry of TYPE about PATH, at TIME_US (and with that number), to the keeper. */
void send_entry(uint32_t type, const char *path, int64_t time_us);
/* A reader at SCOPE, asked for by vmmd; the end returned is the worker's. */
struct channel reader_of(const char *scope, int64_t since_us, bool follow);

/* What comes out of READER next; details of a message are in IN. */
void expect_entry(struct channel *reader, const char *path, uint64_t seq);
void expect_gap(struct channel *reader, uint64_t entries);
void expect_nothing(struct channel *reader);
void expect_closed(struct channel *reader);
/* The number up to which the keeper has everything, as it last said. */
uint64_t acknowledged(void);

#endif
