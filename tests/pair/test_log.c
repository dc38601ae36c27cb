/* vmm_log's code on a loop of the test's: who sees what, what is kept, who misses what. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "log_world.h"

static int world_up(void **state)
{
	rings_new(state);
	assert_int_equal(keeper_up(), 0);
	return 0;
}

static int world_down(void **state)
{
	keeper_down();
	return rings_free(state);
}

/* One entry of everybody's, numbered 1 to 9. */
static void some_history(void)
{
	static const char *const paths[] = {
	    "",		 "root",	   "alice/hello", "bob/hello", "alice/dan/vm",
	    "alice/dan", "alice/carol/vm", "bob",	  "alice"};

	for (int i = 0; i < 9; i++)
		send_entry(i == 0   ? ENTRY_STARTUP
			   : i >= 7 ? ENTRY_DELEGATE
				    : ENTRY_STOPPED,
			   paths[i], i + 1);
	settle();
	assert_int_equal(acknowledged(), 9);
}

static void each_scope_sees_its_own(void **state)
{
	struct channel root, alice, dan, bob, nobody;

	(void)state;
	some_history();
	root = reader_of("", 0, false);
	alice = reader_of("alice", 0, false);
	dan = reader_of("alice/dan", 0, false);
	bob = reader_of("bob", 0, false);
	nobody = reader_of("carol", 0, false);
	settle();
	expect_entry(&root, "", 1);
	expect_entry(&root, "root", 2);
	expect_entry(&root, "alice/hello", 3);
	expect_entry(&root, "bob/hello", 4);
	expect_entry(&root, "alice/dan/vm", 5);
	expect_entry(&root, "alice/dan", 6);
	expect_entry(&root, "alice/carol/vm", 7);
	expect_entry(&root, "bob", 8);
	expect_entry(&root, "alice", 9);
	expect_closed(&root);
	expect_entry(&alice, "hello", 3);
	expect_entry(&alice, "dan/vm", 5);
	expect_entry(&alice, "dan", 6);
	expect_entry(&alice, "carol/vm", 7);
	expect_entry(&alice, "", 9);
	expect_closed(&alice);
	expect_entry(&dan, "vm", 5);
	expect_entry(&dan, "", 6);
	expect_closed(&dan);
	expect_entry(&bob, "hello", 4);
	expect_entry(&bob, "", 8);
	expect_closed(&bob);
	expect_closed(&nobody);
}

static void who_did_it_is_told_within_the_scope(void **state)
{
	struct channel root, alice, dan;

	(void)state;
	send_entry(ENTRY_STOPPED, "alice/dan/vm", 1);
	root = reader_of("", 0, false);
	alice = reader_of("alice", 0, false);
	dan = reader_of("alice/dan", 0, false);
	settle();
	expect_entry(&root, "alice/dan/vm", 1);
	assert_int_equal(in.body.entry.by.depth, 2);
	expect_closed(&root);
	expect_entry(&alice, "dan/vm", 1);
	assert_int_equal(in.body.entry.by.depth, 1);
	assert_string_equal(in.body.entry.by.node[0].name, "admin");
	assert_string_equal(in.body.entry.detail, "a detail");
	expect_closed(&alice);
	expect_entry(&dan, "vm", 1);
	assert_int_equal(in.body.entry.by.depth, 0);
	expect_closed(&dan);
}

static void since_counts_by_time(void **state)
{
	struct channel reader;

	(void)state;
	some_history();
	reader = reader_of("", 8, false);
	settle();
	expect_entry(&reader, "bob", 8);
	expect_entry(&reader, "alice", 9);
	expect_closed(&reader);
}

static void a_follower_goes_on(void **state)
{
	struct channel reader = reader_of("alice", 0, true), late;

	(void)state;
	some_history();
	expect_entry(&reader, "hello", 3);
	expect_entry(&reader, "dan/vm", 5);
	expect_entry(&reader, "dan", 6);
	expect_entry(&reader, "carol/vm", 7);
	expect_entry(&reader, "", 9);
	expect_nothing(&reader);
	send_entry(ENTRY_LOGIN, "bob/cmd", 10);
	send_entry(ENTRY_LOGIN, "alice/cmd", 11);
	settle();
	expect_entry(&reader, "cmd", 11);
	expect_nothing(&reader);
	/* One that does not follow ends, and says nothing that came later. */
	late = reader_of("alice", 11, false);
	send_entry(ENTRY_LOGIN, "alice/cmd", 12);
	settle();
	expect_entry(&late, "cmd", 11);
	expect_closed(&late);
	expect_entry(&reader, "cmd", 12);
	channel_close(&reader);
	settle();
	assert_null(keeper.readers);
}

/* A top delegation that nobody had heard of when vmm_log started. */
static void rings_come_later_too(void **state)
{
	struct msg_log_ring msg = {.top = path_of("zoe").node[0].label};
	struct channel root = reader_of("", 0, true), zoe = reader_of("zoe", 0, true);
	int file = memfd_create("ring", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(ftruncate(file, HISTORY_SIZE), 0);
	settle();
	assert_int_equal(channel_send(&vmmd, MSG_LOG_RING, &msg, &file), 0);
	send_entry(ENTRY_LOGIN, "zoe/cmd", 1);
	settle();
	expect_entry(&root, "zoe/cmd", 1);
	expect_entry(&zoe, "cmd", 1);
	channel_close(&root);
	channel_close(&zoe);
	close(file);
}

/* Without a ring of its own an entry is kept in the host's, and seen by whom it concerns. */
static void no_ring_is_no_loss(void **state)
{
	struct channel zoe, alice;

	(void)state;
	send_entry(ENTRY_LOGIN, "zoe/cmd", 1);
	zoe = reader_of("zoe", 0, false);
	alice = reader_of("alice", 0, false);
	settle();
	expect_entry(&zoe, "cmd", 1);
	expect_closed(&zoe);
	expect_closed(&alice);
}

/* N entries that only BOB is the cause of. */
static void noise(unsigned n, int64_t *time_us)
{
	for (unsigned i = 0; i < n; i++) {
		send_entry(ENTRY_LOGIN, "bob/cmd", ++*time_us);
		if (i % 16 == 15)
			settle();
	}
	settle();
}

static void a_noisy_tenant_pushes_out_nobody(void **state)
{
	int64_t time_us = 9;
	struct channel alice, bob;
	unsigned kept = 0;

	(void)state;
	some_history();
	noise(5000, &time_us);
	for (int i = 0; i < 5000; i++) {
		send_entry(ENTRY_REFUSED, "", ++time_us);
		if (i % 16 == 15)
			settle();
	}
	settle();
	alice = reader_of("alice", 0, false);
	settle();
	expect_entry(&alice, "hello", 3);
	channel_close(&alice);
	alice = reader_of("", 0, false); /* the host's own are there as well */
	settle();
	expect_entry(&alice, "", 1);
	expect_entry(&alice, "root", 2);
	channel_close(&alice);
	bob = reader_of("bob", 0, false);
	for (enum channel_result result; (result = channel_recv(&bob, &in)) != CHANNEL_EOF;) {
		if (result == CHANNEL_AGAIN)
			settle();
		else
			kept++;
	}
	channel_close(&bob);
	assert_in_range(kept, 500, 4999);
}

/* A reader that reads nothing: nobody waits, and it is told what it missed, of its own alone. */
static void a_slow_reader_misses_its_own(void **state)
{
	struct channel slow = reader_of("bob", 0, true), other = reader_of("bob/below", 0, true);
	int64_t time_us = 0;
	uint64_t first, seen = 0, missed = 0;
	enum channel_result result;

	(void)state;
	settle();
	noise(20000, &time_us);
	assert_int_equal(acknowledged(), 20000);
	for (first = 1; (result = channel_recv(&slow, &in)) == CHANNEL_MESSAGE; settle()) {
		if (in.type == MSG_GAP) {
			missed += in.body.gap.lines;
			first += in.body.gap.lines;
			continue;
		}
		assert_int_equal(in.type, MSG_ENTRY);
		assert_int_equal(in.body.entry.seq, first++);
		seen++;
	}
	assert_int_equal(result, CHANNEL_AGAIN);
	assert_int_equal(seen + missed, 20000);
	assert_in_range(missed, 10000, 19000);
	/* Whom nothing of that concerns hears of no gap. */
	expect_nothing(&other);
	channel_close(&slow);
	channel_close(&other);
}

/* Stops in the middle: what was not acknowledged comes again, and is there once. */
static void nothing_is_doubled_or_lost_over_a_restart(void **state)
{
	struct channel reader;

	(void)state;
	some_history();
	for (int round = 0; round < 3; round++) {
		keeper_down();
		assert_int_equal(keeper_up(), 9 + 2 * (unsigned)round);
		for (int64_t time_us = 5; time_us <= 11 + 2 * round; time_us++)
			send_entry(ENTRY_LOGIN, time_us % 2 ? "alice/cmd" : "bob/cmd", time_us);
		settle();
		assert_int_equal(acknowledged(), 11 + 2 * (unsigned)round);
	}
	reader = reader_of("", 9, false);
	settle();
	expect_entry(&reader, "alice", 9);
	for (uint64_t seq = 10; seq <= 15; seq++)
		expect_entry(&reader, seq % 2 ? "alice/cmd" : "bob/cmd", seq);
	expect_closed(&reader);
}

static void a_damaged_ring_is_started_over(void **state)
{
	struct channel reader;
	uint64_t nonsense = 12345;

	(void)state;
	some_history();
	keeper_down();
	assert_int_equal(pwrite(ring[2], &nonsense, sizeof(nonsense), 8), sizeof(nonsense));
	assert_int_equal(ftruncate(ring[3], 100), 0);
	assert_int_equal(keeper_up(), 2); /* those who are left are the host's */
	send_entry(ENTRY_LOGIN, "alice/cmd", 20);
	send_entry(ENTRY_LOGIN, "bob/cmd", 21);
	reader = reader_of("", 0, false);
	settle();
	expect_entry(&reader, "", 1);
	expect_entry(&reader, "root", 2);
	expect_entry(&reader, "alice/cmd", 20);
	expect_entry(&reader, "bob/cmd", 21);
	expect_closed(&reader);
}

static void a_reader_that_talks_is_let_go(void **state)
{
	struct channel reader = reader_of("", 0, true);

	(void)state;
	settle();
	assert_int_equal(send(reader.fd, "nonsense", 8, 0), 8);
	settle();
	expect_closed(&reader);
	assert_null(keeper.readers);
	assert_false(keeper.up.failed);
}

static void nonsense_from_vmmd_ends_the_log(void **state)
{
	(void)state;
	assert_int_equal(send(vmmd.fd, "nonsense", 8, 0), 8);
	settle();
	assert_true(keeper.up.failed);
}

/* A ring that is sent twice is not mapped twice. */
static void a_ring_comes_once(void **state)
{
	struct msg_log_ring msg = {.top = path_of("bob").node[0].label};
	unsigned tops = keeper.ntops;

	(void)state;
	assert_int_equal(channel_send(&vmmd, MSG_LOG_RING, &msg, &ring[3]), 0);
	settle();
	assert_int_equal(keeper.ntops, tops);
	assert_false(keeper.up.failed);
}

static void send_sink(uint32_t type, int fd)
{
	assert_int_equal(channel_send(&vmmd, type, &(struct msg_empty){0}, &fd), 0);
	close(fd);
}

static void the_file_has_every_line(void **state)
{
	static const char expected[] = "1970-01-01 00:00:01 +00:00: vmmd STARTUP\n"
				       "1970-01-01 00:00:02 +00:00: alice/vm FAILED: a detail\n";
	char text[4096] = {0};
	int file = memfd_create("file", MFD_CLOEXEC), full = open("/dev/full", O_WRONLY);

	(void)state;
	assert_int_not_equal(full, -1);
	send_sink(MSG_LOG_FILE, dup(file));
	send_entry(ENTRY_STARTUP, "", 1000000);
	send_entry(ENTRY_FAILED, "alice/vm", 2000000);
	/* Sent again, it is not appended again. */
	send_entry(ENTRY_FAILED, "alice/vm", 2000000);
	send_sink(MSG_LOG_FILE, full);
	send_entry(ENTRY_STARTUP, "", 3000000);
	settle();
	assert_int_equal(pread(file, text, sizeof(text) - 1, 0), sizeof(expected) - 1);
	assert_string_equal(text, expected);
	/* A file that takes nothing is the log's own problem. */
	assert_int_equal(keeper.file.lost, 1);
	assert_int_equal(acknowledged(), 3000000);
	close(file);
}

static void syslog_has_every_line(void **state)
{
	char text[4096] = {0};
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	send_sink(MSG_LOG_SYSLOG, pair[1]);
	send_entry(ENTRY_FAILED, "alice/vm", 1);
	settle();
	assert_int_not_equal(recv(pair[0], text, sizeof(text) - 1, MSG_DONTWAIT), -1);
	assert_string_equal(text, "<29>vmm: alice/vm FAILED: a detail");
	/* It may be full, or gone: nobody waits. */
	for (int i = 2; i < 2000; i++)
		send_entry(ENTRY_STARTUP, "", i), settle();
	assert_in_range(keeper.syslog.lost, 1, 1998);
	close(pair[0]);
	send_entry(ENTRY_STARTUP, "", 2000);
	settle();
	assert_int_equal(acknowledged(), 2000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_up, world_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(each_scope_sees_its_own),
	    TEST(who_did_it_is_told_within_the_scope),
	    TEST(since_counts_by_time),
	    TEST(a_follower_goes_on),
	    TEST(rings_come_later_too),
	    TEST(no_ring_is_no_loss),
	    TEST(a_noisy_tenant_pushes_out_nobody),
	    TEST(a_slow_reader_misses_its_own),
	    TEST(nothing_is_doubled_or_lost_over_a_restart),
	    TEST(a_damaged_ring_is_started_over),
	    TEST(a_reader_that_talks_is_let_go),
	    TEST(nonsense_from_vmmd_ends_the_log),
	    TEST(a_ring_comes_once),
	    TEST(the_file_has_every_line),
	    TEST(syslog_has_every_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
