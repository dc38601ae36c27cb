/*
 * What the tests of vmm_console share: a console on a loop that the test turns, vmmd's end of its
 * channel, guests that are two ends of a pipe, readers.
 */
#ifndef VMM_CONSOLE_WORLD_H
#define VMM_CONSOLE_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "console.h"
#include "statpage.h"

extern struct console console;
extern struct event_base *base;
extern struct channel vmmd; /* our end of the console's channel */
extern struct incoming in;

/* A guest: what vmmd holds of it. */
struct guest {
	uint8_t path_id[DIGEST_SIZE];
	int fifo[2];
	int ring, page;
};

/* A console, and vmmd. */
void console_up(void);
void console_down(void);
/* The same around a test, which must leave no descriptor behind. */
int world_setup(void **state);
int world_teardown(void **state);
/* Turns the loop until all that is ready was handled. */
void settle(void);
/* Guests: the last four are what vmmd says of one, and what it prints. */
struct guest guest_new(uint8_t id);
void guest_free(struct guest *guest);
void guest_add(const struct guest *guest, bool redeployed);
void guest_end(const struct guest *guest, uint32_t end, uint32_t value);
void guest_drop(const struct guest *guest);
void guest_say(const struct guest *guest, const char *text);
/* What was counted of it. */
struct statpage guest_page(const struct guest *guest);
/* Readers: asked for by vmmd, the end returned is the worker's. */
void read_ask(const struct guest *guest, struct msg_console_read ask, struct channel *reader);
struct channel reader_of(const struct guest *guest, bool follow);
/* What comes out of READER next; details of a message are in IN. */
void expect_line(struct channel *reader, const char *text);
void expect(struct channel *reader, uint32_t type);
void expect_nothing(struct channel *reader);
void expect_closed(struct channel *reader);

#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

#endif
