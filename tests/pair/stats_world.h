/*
 * What the tests of vmm_stats share: the readings on a loop that the test turns, or the program
 * itself; vmmd's end of its channel, VMs that are files, readers.
 */
#ifndef VMM_STATS_WORLD_H
#define VMM_STATS_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "paths.h"
#include "statpage.h"
#include "stats.h"

#define NEVER 1000000 /* an interval: the rounds are the test's */

extern struct stats stats;
extern struct channel vmmd; /* our end of the channel */
extern struct incoming in;

/* A VM: what vmmd says of it and hands over. */
struct guest {
	struct msg_stats_vm is;
	int file[VM_FILES];
};

/* As many descriptors open as before is what a test must leave. */
int world_up(void **state);
int world_down(void **state);
/* The end of the set-up, which is answered by READY. */
void send_interval(uint32_t seconds);
/*
 * The program, ready, with that interval: as root under UID with what vmmd passes on to it, where
 * UID is not 0.
 */
pid_t program_start(uid_t uid, uint32_t seconds);
/* Turns the loop, where it is ours, until all that is ready was handled. */
void settle(void);
/* One interval has passed. */
void next_round(void);

/* An spt guest with a volume at PATH, of which there is nothing to be read yet. */
struct guest guest_new(const char *path);
void guest_free(struct guest *guest);
/* Its process has used N times some of everything. */
void guest_used(const struct guest *guest, unsigned n);
/* Its process has read and written so many bytes. */
void guest_moved(const struct guest *guest, uint64_t read, uint64_t written);
void guest_counted(const struct guest *guest, const struct statpage *page);
void guest_add(const struct guest *guest);
void guest_remove(const struct guest *guest);

/* A reader of PATH, without the first SKIP names; the end returned is the worker's. */
struct channel reader_of(const char *path, uint32_t skip);
struct channel family_reader(const struct family_reading *family);
/* What comes out of READER next; details of a message are in IN. */
void expect_sample(struct channel *reader, const char *path);
void expect_end(struct channel *reader);
void expect_nothing(struct channel *reader);
/* The readings of the only VM at PATH. */
void read_now(const char *path, struct reading *now, struct reading *before);

#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, world_up, world_down)

#endif
