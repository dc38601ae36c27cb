/* What readers of a console get: replay, follow, one holder, gaps. */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "console_world.h"

static void a_replay_ends(void **state)
{
	struct guest guest = guest_new(1);
	struct channel reader;
	(void)state;
	guest_add(&guest, false);
	guest_say(&guest, "one\ntwo\r\nthr");
	settle();
	reader = reader_of(&guest, false);
	settle();
	expect_line(&reader, "one");
	expect_line(&reader, "two");
	expect_closed(&reader);
	guest_free(&guest);
}

static void a_replay_is_of_what_there_was(void **state)
{
	/* Also when more lines come while it is sent. */
	struct guest guest = guest_new(1);
	struct channel reader;
	(void)state;
	guest_add(&guest, false);
	for (int i = 0; i < 300; i++)
		guest_say(&guest, "before\n");
	settle();
	reader = reader_of(&guest, false);
	event_base_loop(base, EVLOOP_NONBLOCK | EVLOOP_ONCE);
	guest_say(&guest, "after\n");
	settle();
	for (int i = 0; i < 300; i++)
		expect_line(&reader, "before");
	expect_closed(&reader);
	guest_free(&guest);
}

static void a_replay_starts_where_asked(void **state)
{
	struct guest guest = guest_new(1);
	struct channel reader;
	int64_t when;
	(void)state;
	guest_add(&guest, false);
	guest_say(&guest, "a\nb\n");
	settle();
	usleep(2000);
	guest_say(&guest, "c\nd\ne\n");
	settle();
	read_ask(&guest, (struct msg_console_read){.lines = 2}, &reader);
	settle();
	expect_line(&reader, "d");
	expect_line(&reader, "e");
	expect_closed(&reader);

	reader = reader_of(&guest, false);
	settle();
	expect_line(&reader, "a");
	expect_line(&reader, "b");
	expect_line(&reader, "c");
	when = in.body.line.time_us;
	channel_close(&reader);
	read_ask(&guest, (struct msg_console_read){.since_us = when, .follow = 1}, &reader);
	settle();
	expect_line(&reader, "c");
	expect_line(&reader, "d");
	expect_line(&reader, "e");
	expect_nothing(&reader);
	channel_close(&reader);
	settle();
	guest_free(&guest);
}

static void a_follower_gets_lines_as_they_come(void **state)
{
	struct guest guest = guest_new(1);
	struct channel reader;
	(void)state;
	guest_add(&guest, false);
	guest_say(&guest, "one\n");
	settle();
	reader = reader_of(&guest, true);
	settle();
	expect_line(&reader, "one");
	expect_nothing(&reader);
	guest_say(&guest, "tw");
	settle();
	expect_nothing(&reader);
	guest_say(&guest, "o\nthree\n");
	settle();
	expect_line(&reader, "two");
	expect_line(&reader, "three");
	expect_nothing(&reader);
	/* It goes away; the guest does not notice. */
	channel_close(&reader);
	settle();
	guest_say(&guest, "four\n");
	settle();
	guest_free(&guest);
}

static void who_follows_takes_the_console(void **state)
{
	struct guest guest = guest_new(1), other = guest_new(2);
	struct channel first, second, replay, elsewhere;
	(void)state;
	guest_add(&guest, false);
	guest_add(&other, false);
	first = reader_of(&guest, true);
	elsewhere = reader_of(&other, true);
	replay = reader_of(&guest, false);
	settle();
	expect_closed(&replay);
	guest_say(&guest, "one\n");
	settle();
	expect_line(&first, "one");

	second = reader_of(&guest, true);
	settle();
	expect(&first, MSG_DETACHED);
	expect_closed(&first);
	guest_say(&guest, "two\n");
	settle();
	expect_line(&second, "one");
	expect_line(&second, "two");
	expect_nothing(&second);
	expect_nothing(&elsewhere);
	channel_close(&second);
	channel_close(&elsewhere);
	settle();
	guest_free(&guest);
	guest_free(&other);
}

static void who_does_not_read_is_detached_too(void **state)
{
	struct guest guest = guest_new(1);
	struct channel first, second;
	uint64_t lines = 0;
	(void)state;
	guest_add(&guest, false);
	first = reader_of(&guest, true);
	for (int i = 0; i < 5000; i++) {
		guest_say(&guest, "a line that fills the socket of who does not read\n");
		if (i % 500 == 0)
			settle();
	}
	settle();
	second = reader_of(&guest, true);
	settle();
	expect_line(&second, "a line that fills the socket of who does not read");
	do {
		settle();
		assert_int_equal(channel_recv(&first, &in), CHANNEL_MESSAGE);
		lines += in.type == MSG_LINE;
	} while (in.type == MSG_LINE || in.type == MSG_GAP);
	assert_int_equal(in.type, MSG_DETACHED);
	assert_in_range(lines, 1, 4999);
	settle();
	expect_closed(&first);
	channel_close(&second);
	settle();
	guest_free(&guest);
}

/* Everything from READER until END; the numbered lines and the gaps must add up to TOTAL. */
static unsigned expect_numbered(struct channel *reader, uint32_t end, uint64_t total)
{
	uint64_t at = 0;
	unsigned gaps = 0;
	char text[64];
	for (;;) {
		settle();
		assert_int_equal(channel_recv(reader, &in), CHANNEL_MESSAGE);
		if (in.type == end)
			break;
		if (in.type == MSG_GAP) {
			gaps++;
			at += in.body.gap.lines;
			continue;
		}
		assert_int_equal(in.type, MSG_LINE);
		(void)snprintf(text, sizeof(text), "line %llu of a chatty guest",
			       (unsigned long long)at++);
		assert_int_equal(in.body.line.size, strlen(text));
		assert_memory_equal(in.body.line.bytes, text, strlen(text));
	}
	assert_int_equal(at, total);
	return gaps;
}

static void a_slow_reader_sees_a_gap(void **state)
{
	struct guest guest = guest_new(1);
	struct channel reader;
	char text[64];
	int unread;
	(void)state;
	guest_add(&guest, false);
	reader = reader_of(&guest, true);
	settle();
	for (int i = 0; i < 20000; i++) {
		(void)snprintf(text, sizeof(text), "line %d of a chatty guest\n", i);
		guest_say(&guest, text);
		if (i % 1000 != 999)
			continue;
		settle();
		/* Whatever the reader does, the guest can go on. */
		assert_int_equal(ioctl(guest.fifo[0], FIONREAD, &unread), 0);
		assert_int_equal(unread, 0);
	}
	guest_end(&guest, END_SIGNAL, 9);
	settle();
	assert_in_range(expect_numbered(&reader, MSG_ENDED, 20000), 1, 100);
	assert_int_equal(in.body.ended.end, END_SIGNAL);
	assert_int_equal(in.body.ended.end_value, 9);
	expect_closed(&reader);
	guest_free(&guest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD_TEST(a_replay_ends),
	    WORLD_TEST(a_replay_is_of_what_there_was),
	    WORLD_TEST(a_replay_starts_where_asked),
	    WORLD_TEST(a_follower_gets_lines_as_they_come),
	    WORLD_TEST(who_follows_takes_the_console),
	    WORLD_TEST(who_does_not_read_is_detached_too),
	    WORLD_TEST(a_slow_reader_sees_a_gap),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
