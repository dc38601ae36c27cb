/* outbox.c over a real channel whose reader does not keep up. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "outbox.h"

static struct channel upper, lower;
static struct outbox box;
static struct incoming in;

static int set_up(void **state)
{
	(void)state;
	assert_int_equal(channel_pair(LINK_READER, &upper, &lower), 0);
	assert_int_equal(channel_set_nonblocking(&upper), 0);
	assert_int_equal(channel_set_nonblocking(&lower), 0);
	outbox_init(&box);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	outbox_clear(&box);
	channel_close(&upper);
	channel_close(&lower);
	return 0;
}

static void put_line(uint64_t number)
{
	static struct msg_line line;

	line.time_us = (int64_t)number;
	line.size = sizeof(line.bytes);
	assert_int_equal(outbox_send(&box, &upper, MSG_LINE, &line, NULL), 0);
}

static void what_does_not_fit_waits_and_keeps_its_order(void **state)
{
	uint64_t sent = 0, received = 0;

	(void)state;
	while (box.first == NULL)
		put_line(sent++);
	for (int i = 0; i < 100; i++)
		put_line(sent++);
	assert_true(box.bytes > 100 * sizeof(in.body.line.bytes));
	assert_int_equal(outbox_flush(&box, &upper), -EAGAIN);
	while (received < sent) {
		if (channel_recv(&lower, &in) == CHANNEL_AGAIN) {
			outbox_flush(&box, &upper);
			continue;
		}
		assert_int_equal(in.body.line.time_us, (int64_t)received++);
	}
	assert_null(box.first);
	assert_int_equal(box.bytes, 0);
	put_line(sent);
	assert_null(box.first);
}

static void a_peer_that_is_gone_shows(void **state)
{
	struct msg_gap gap = {.lines = 1};

	(void)state;
	while (box.first == NULL)
		put_line(0);
	channel_close(&lower);
	/* What it had not read is told once; after that it is just gone. */
	assert_int_equal(outbox_flush(&box, &upper), -ECONNRESET);
	outbox_clear(&box);
	assert_int_equal(outbox_send(&box, &upper, MSG_GAP, &gap, NULL), -EPIPE);
}

static void descriptors_wait_as_copies(void **state)
{
	struct channel to_console, console;
	struct msg_console_vm vm = {.redeployed = 0};
	int fds[3], sent = 0;

	(void)state;
	assert_int_equal(channel_pair(LINK_CONSOLE, &to_console, &console), 0);
	assert_int_equal(channel_set_nonblocking(&to_console), 0);
	while (box.first == NULL) {
		assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
		fds[2] = fds[1];
		assert_int_equal(outbox_send(&box, &to_console, MSG_CONSOLE_ADD, &vm, fds), 0);
		close(fds[0]);
		close(fds[1]);
		sent++;
	}
	while (sent-- > 0) {
		assert_int_equal(channel_recv(&console, &in), CHANNEL_MESSAGE);
		assert_true(fcntl(in.fd[0], F_GETFD) >= 0);
		incoming_close(&in);
		outbox_flush(&box, &to_console);
	}
	assert_null(box.first);
	channel_close(&to_console);
	channel_close(&console);
}

static void what_the_table_forbids_is_not_queued(void **state)
{
	(void)state;
	assert_int_equal(outbox_send(&box, &upper, MSG_HELLO, &(struct msg_empty){0}, NULL),
			 -EPROTO);
	assert_int_equal(outbox_send(&box, &lower, MSG_LINE, &in.body, NULL), -EPROTO);
	assert_null(box.first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(what_does_not_fit_waits_and_keeps_its_order, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(a_peer_that_is_gone_shows, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(descriptors_wait_as_copies, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(what_the_table_forbids_is_not_queued, set_up,
					    tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
