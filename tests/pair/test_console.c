/*
 * vmm_console from vmmd's and from a reader's end: the code of src/console on a loop that the test
 * turns, then the program itself, killed again and again.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "console.h"

static struct console console;
static struct event_base *base;
static struct channel vmmd; /* our end of the console's channel */
static struct incoming in;

/* A guest: what vmmd holds of it. */
struct guest {
	uint8_t path_id[DIGEST_SIZE];
	int fifo[2];
	int ring;
};

static unsigned descriptors_open(void)
{
	unsigned n = 0;
	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static unsigned descriptors_before;

static void console_up(void)
{
	struct channel lower;
	base = event_base_new();
	assert_non_null(base);
	assert_int_equal(channel_pair(LINK_CONSOLE, &vmmd, &lower), 0);
	lower.state = STATE_READY;
	assert_int_equal(console_start(&console, base, &lower), 0);
}

static void console_down(void)
{
	console_stop(&console);
	channel_close(&vmmd);
	event_base_free(base);
}

static int setup(void **state)
{
	(void)state;
	descriptors_before = descriptors_open();
	console_up();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	console_down();
	assert_int_equal(descriptors_open(), descriptors_before);
	return 0;
}

/* Turns the loop until all that is ready was handled. */
static void settle(void)
{
	for (int i = 0; i < 100; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

static struct guest guest_new(uint8_t id)
{
	struct guest guest = {.path_id = {id, 1, 2, 3, id}};
	assert_int_equal(pipe2(guest.fifo, O_CLOEXEC), 0);
	assert_int_equal(fcntl(guest.fifo[0], F_SETFL, O_NONBLOCK), 0);
	guest.ring = memfd_create("ring", MFD_CLOEXEC);
	assert_int_not_equal(guest.ring, -1);
	assert_int_equal(ftruncate(guest.ring, RING_SIZE), 0);
	return guest;
}

static void guest_free(struct guest *guest)
{
	close(guest->fifo[0]);
	close(guest->fifo[1]);
	close(guest->ring);
}

static void guest_add(const struct guest *guest, bool redeployed)
{
	struct msg_console_vm msg = {.redeployed = redeployed};
	int fds[] = {guest->fifo[0], guest->ring};
	memcpy(msg.path_id, guest->path_id, DIGEST_SIZE);
	assert_int_equal(channel_send(&vmmd, MSG_CONSOLE_ADD, &msg, fds), 0);
}

static void guest_end(const struct guest *guest, uint32_t end, uint32_t value)
{
	struct msg_console_ended msg = {.end = end, .end_value = value};
	memcpy(msg.path_id, guest->path_id, DIGEST_SIZE);
	assert_int_equal(channel_send(&vmmd, MSG_CONSOLE_ENDED, &msg, NULL), 0);
}

static void guest_drop(const struct guest *guest)
{
	struct msg_console_drop msg;
	memcpy(msg.path_id, guest->path_id, DIGEST_SIZE);
	assert_int_equal(channel_send(&vmmd, MSG_CONSOLE_DROP, &msg, NULL), 0);
}

static void guest_say(const struct guest *guest, const char *text)
{
	assert_int_equal(write(guest->fifo[1], text, strlen(text)), strlen(text));
}

static void read_ask(const struct guest *guest, struct msg_console_read ask, struct channel *reader)
{
	struct channel upper;
	assert_int_equal(channel_pair(LINK_READER, &upper, reader), 0);
	assert_int_equal(channel_set_nonblocking(reader), 0);
	memcpy(ask.path_id, guest->path_id, DIGEST_SIZE);
	assert_int_equal(channel_send(&vmmd, MSG_CONSOLE_READ, &ask, &upper.fd), 0);
	channel_close(&upper);
}

static struct channel reader_of(const struct guest *guest, bool follow)
{
	struct channel reader;
	read_ask(guest, (struct msg_console_read){.follow = follow}, &reader);
	return reader;
}

static void expect_line(struct channel *reader, const char *text)
{
	assert_int_equal(channel_recv(reader, &in), CHANNEL_MESSAGE);
	assert_int_equal(in.type, MSG_LINE);
	assert_int_equal(in.body.line.size, strlen(text));
	assert_memory_equal(in.body.line.bytes, text, strlen(text));
	assert_true(in.body.line.time_us > INT64_C(1500000000000000));
}

static void expect(struct channel *reader, uint32_t type)
{
	assert_int_equal(channel_recv(reader, &in), CHANNEL_MESSAGE);
	assert_int_equal(in.type, type);
}

static void expect_nothing(struct channel *reader)
{
	assert_int_equal(channel_recv(reader, &in), CHANNEL_AGAIN);
}

static void expect_closed(struct channel *reader)
{
	assert_int_equal(channel_recv(reader, &in), CHANNEL_EOF);
	channel_close(reader);
}

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

static void an_end_is_told_after_the_last_line(void **state)
{
	struct guest guest = guest_new(1);
	struct channel follower, late, replay;
	(void)state;
	guest_add(&guest, false);
	follower = reader_of(&guest, true);
	settle();
	/* Still in the FIFO when the end is told. */
	guest_say(&guest, "one\nlast words");
	guest_end(&guest, END_EXIT, 3);
	settle();
	expect_line(&follower, "one");
	expect_line(&follower, "last words");
	expect(&follower, MSG_ENDED);
	assert_int_equal(in.body.ended.end, END_EXIT);
	assert_int_equal(in.body.ended.end_value, 3);
	expect_closed(&follower);

	late = reader_of(&guest, true);
	replay = reader_of(&guest, false);
	settle();
	for (int i = 0; i < 2; i++) {
		struct channel *reader = i ? &late : &replay;
		expect_line(reader, "one");
		expect_line(reader, "last words");
		expect(reader, MSG_ENDED);
		expect_closed(reader);
	}
	guest_free(&guest);
}

static void a_full_fifo_is_drained_at_the_end(void **state)
{
	struct guest guest = guest_new(1);
	struct channel reader;
	char text[1000];
	unsigned written = 0;
	(void)state;
	(void)fcntl(guest.fifo[1], F_SETPIPE_SZ, 1 << 20);
	guest_add(&guest, false);
	settle();
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\n';
	assert_int_equal(fcntl(guest.fifo[1], F_SETFL, O_NONBLOCK), 0);
	while (write(guest.fifo[1], text, sizeof(text)) == sizeof(text))
		written++;
	assert_in_range(written, 60, 2000);
	guest_end(&guest, END_EXIT, 0);
	reader = reader_of(&guest, false);
	settle();
	for (unsigned i = 0; channel_recv(&reader, &in) == CHANNEL_MESSAGE; i++) {
		settle();
		if (in.type == MSG_ENDED)
			written = 0;
	}
	assert_int_equal(written, 0);
	channel_close(&reader);
	guest_free(&guest);
}

static void a_redeployed_vm_goes_on_after_a_marker(void **state)
{
	struct guest guest = guest_new(1), next;
	struct channel follower, replay;
	(void)state;
	guest_add(&guest, false);
	follower = reader_of(&guest, true);
	guest_say(&guest, "old\nunfinished");
	settle();
	expect_line(&follower, "old");
	/* Replaced without an end between: another FIFO, the same ring. */
	next = guest_new(1);
	close(next.ring);
	next.ring = dup(guest.ring);
	guest_say(&guest, " business");
	guest_add(&next, true);
	guest_say(&next, "new\n");
	settle();
	expect_line(&follower, "unfinished business");
	expect_line(&follower, RING_MARKER);
	expect_line(&follower, "new");
	expect_nothing(&follower);
	/* Announced again, it is the same VM. */
	guest_add(&next, false);
	guest_say(&next, "more\n");
	settle();
	expect_line(&follower, "more");

	guest_end(&next, END_EXIT, 0);
	settle();
	expect(&follower, MSG_ENDED);
	expect_closed(&follower);
	guest_add(&next, true);
	replay = reader_of(&next, false);
	settle();
	expect_line(&replay, "old");
	expect_line(&replay, "unfinished business");
	expect_line(&replay, RING_MARKER);
	expect_line(&replay, "new");
	expect_line(&replay, "more");
	expect_line(&replay, RING_MARKER);
	expect_closed(&replay);
	guest_free(&guest);
	guest_free(&next);
}

static void a_dropped_vm_is_unknown(void **state)
{
	struct guest guest = guest_new(1), unknown = guest_new(9);
	struct channel follower, late, never;
	(void)state;
	guest_add(&guest, false);
	guest_say(&guest, "one\n");
	follower = reader_of(&guest, true);
	settle();
	guest_drop(&guest);
	guest_drop(&unknown);
	guest_end(&unknown, END_EXIT, 0);
	late = reader_of(&guest, true);
	never = reader_of(&unknown, false);
	settle();
	expect_line(&follower, "one");
	expect_closed(&follower);
	expect_closed(&late);
	expect_closed(&never);
	guest_free(&guest);
	guest_free(&unknown);
}

static void a_ring_outlives_its_console(void **state)
{
	struct guest guest = guest_new(1);
	struct channel reader;
	(void)state;
	guest_add(&guest, false);
	guest_say(&guest, "one\ntw");
	settle();
	console_down();
	console_up();
	guest_say(&guest, "o\n");
	guest_add(&guest, false);
	settle();
	reader = reader_of(&guest, false);
	settle();
	expect_line(&reader, "one");
	expect_line(&reader, "two");
	expect_closed(&reader);
	guest_free(&guest);
}

static void a_ring_of_the_wrong_size_is_done_without(void **state)
{
	struct guest guest = guest_new(1), damaged = guest_new(2);
	struct channel reader;
	(void)state;
	assert_int_equal(ftruncate(guest.ring, 4096), 0);
	assert_int_equal(pwrite(damaged.ring, "damaged!", 8, 0), 8);
	guest_add(&guest, false);
	guest_add(&damaged, false);
	guest_say(&guest, "one\n");
	guest_say(&damaged, "two\n");
	settle();
	reader = reader_of(&guest, false);
	settle();
	expect_line(&reader, "one");
	expect_closed(&reader);
	reader = reader_of(&damaged, false);
	settle();
	expect_line(&reader, "two");
	expect_closed(&reader);
	guest_free(&guest);
	guest_free(&damaged);
}

static void a_chatty_guest_leaves_others_their_turn(void **state)
{
	struct guest chatty = guest_new(1), quiet = guest_new(2);
	struct channel reader;
	static char noise[1 << 16];
	int unread;
	(void)state;
	assert_in_range(fcntl(chatty.fifo[1], F_SETPIPE_SZ, 1 << 20), 1 << 20, 1 << 21);
	guest_add(&chatty, false);
	guest_add(&quiet, false);
	reader = reader_of(&quiet, true);
	settle();
	assert_int_equal(fcntl(chatty.fifo[1], F_SETFL, O_NONBLOCK), 0);
	memset(noise, 'n', sizeof(noise));
	while (write(chatty.fifo[1], noise, sizeof(noise)) > 0)
		;
	guest_say(&quiet, "hello\n");
	event_base_loop(base, EVLOOP_NONBLOCK | EVLOOP_ONCE);
	expect_line(&reader, "hello");
	assert_int_equal(ioctl(chatty.fifo[0], FIONREAD, &unread), 0);
	assert_in_range(unread, 1, (1 << 20) - 1);
	channel_close(&reader);
	settle();
	guest_free(&chatty);
	guest_free(&quiet);
}

static void a_fifo_without_writers_is_left_alone(void **state)
{
	struct guest guest = guest_new(1);
	struct channel reader;
	(void)state;
	guest_add(&guest, false);
	guest_say(&guest, "one\n");
	settle();
	close(guest.fifo[1]);
	settle();
	/* Nothing is ready any more: the loop would turn for ever. */
	assert_int_equal(event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED), 1);
	reader = reader_of(&guest, false);
	settle();
	expect_line(&reader, "one");
	expect_closed(&reader);
	guest_end(&guest, END_UNKNOWN, 0);
	settle();
	close(guest.fifo[0]);
	close(guest.ring);
}

static void readers_have_nothing_to_say(void **state)
{
	struct guest guest = guest_new(1);
	struct channel reader;
	(void)state;
	guest_add(&guest, false);
	reader = reader_of(&guest, true);
	settle();
	assert_int_equal(send(reader.fd, "\x01\0\0\0", 4, 0), 4);
	settle();
	expect_closed(&reader);
	guest_free(&guest);
}

static void nonsense_from_vmmd_ends_the_console(void **state)
{
	(void)state;
	assert_int_equal(send(vmmd.fd, "\xff\0\0\0", 4, 0), 4);
	event_base_loop(base, EVLOOP_NONBLOCK);
	assert_true(event_base_got_break(base));
	assert_true(console.failed);
}

/* The program itself. */

static pid_t program_start(void)
{
	struct channel lower;
	assert_int_equal(channel_pair(LINK_CONSOLE, &vmmd, &lower), 0);
	pid_t pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		/* dup2 of a descriptor to itself would leave it close-on-exec. */
		int copy = fcntl(lower.fd, F_DUPFD, 10);
		if (copy < 0 || dup2(copy, 3) < 0)
			_exit(99);
		close(copy);
		execl(VMM_CONSOLE, "vmm_console", (char *)NULL);
		_exit(99);
	}
	channel_close(&lower);
	assert_int_equal(channel_recv(&vmmd, &in), CHANNEL_MESSAGE);
	assert_int_equal(in.type, MSG_ROLE_READY);
	return pid;
}

static int program_wait(pid_t pid)
{
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	channel_close(&vmmd);
	return status;
}

static void the_program_ends_with_its_channel(void **state)
{
	struct guest guest = guest_new(1);
	struct channel reader;
	pid_t pid = program_start();
	(void)state;
	guest_add(&guest, false);
	guest_say(&guest, "one\n");
	guest_end(&guest, END_EXIT, 0);
	reader = reader_of(&guest, true);
	assert_int_equal(fcntl(reader.fd, F_SETFL, 0), 0);
	expect_line(&reader, "one");
	expect(&reader, MSG_ENDED);
	expect_closed(&reader);
	channel_close(&vmmd);
	int status = program_wait(pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);

	pid = program_start();
	assert_int_equal(send(vmmd.fd, "nonsense", 8, 0), 8);
	status = program_wait(pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
	guest_free(&guest);
}

/* Prints numbered lines for ever, in pieces that do not end where lines do. */
static pid_t printer_start(const struct guest *guest)
{
	pid_t pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid > 0)
		return pid;
	char text[4096];
	size_t used = 0;
	unsigned seed = 1;
	for (unsigned long n = 0;;) {
		seed = seed * 1103515245u + 12345u;
		while (used < sizeof(text) - 64)
			used += (size_t)snprintf(text + used, 64, "line %lu of a chatty guest\n",
						 n++);
		ssize_t wrote = write(guest->fifo[1], text, 1 + (seed >> 16) % used);
		if (wrote <= 0)
			_exit(1);
		used -= (size_t)wrote;
		memmove(text, text + wrote, used);
	}
}

/* What a killed console left: line N of the ring is line N of the guest, none missing or twice. */
static uint64_t check_numbers(const struct guest *guest)
{
	static uint64_t copy[RING_SIZE / 8];
	uint8_t bytes[RING_LINE_MAX];
	char text[64];
	struct ring ring;
	uint32_t size;
	int64_t time_us;

	assert_int_equal(pread(guest->ring, copy, RING_SIZE, 0), RING_SIZE);
	assert_int_equal(ring_attach(&ring, copy, 0), RING_CONTINUED);
	for (uint64_t n = ring_first(&ring); n < ring_next(&ring); n++) {
		(void)snprintf(text, sizeof(text), "line %llu of a chatty guest",
			       (unsigned long long)n);
		assert_true(ring_line(&ring, n, &time_us, bytes, &size));
		assert_int_equal(size, strlen(text));
		assert_memory_equal(bytes, text, size);
	}
	return ring_next(&ring);
}

static void a_killed_program_loses_no_line(void **state)
{
	struct guest guest = guest_new(1);
	uint64_t lines = 0, before = 0;
	unsigned seed = 1, moved = 0;
	(void)state;
	pid_t printer = printer_start(&guest);
	for (int round = 0; round < 60; round++) {
		pid_t pid = program_start();
		guest_add(&guest, false);
		seed = seed * 1103515245u + 12345u;
		usleep((seed >> 16) % 3000);
		assert_int_equal(kill(pid, SIGKILL), 0);
		(void)program_wait(pid);
		before = lines;
		lines = check_numbers(&guest);
		assert_true(lines >= before);
		moved += lines > before;
	}
	assert_in_range(moved, 10, 60);

	/* The last one is left alone, and gives what the ring has. */
	pid_t pid = program_start();
	assert_int_equal(kill(printer, SIGKILL), 0);
	assert_int_equal(waitpid(printer, NULL, 0), printer);
	guest_add(&guest, false);
	guest_end(&guest, END_SIGNAL, SIGKILL);
	struct channel reader = reader_of(&guest, false);
	assert_int_equal(fcntl(reader.fd, F_SETFL, 0), 0);
	for (lines = 0; channel_recv(&reader, &in) == CHANNEL_MESSAGE && in.type == MSG_LINE;)
		lines++;
	assert_int_equal(in.type, MSG_ENDED);
	assert_in_range(lines, 100, RING_LINES);
	channel_close(&reader);
	channel_close(&vmmd);
	(void)program_wait(pid);
	guest_free(&guest);
}

/* A mount namespace of our own, in a user namespace where we are not root. */
static bool mounts_unshare(void)
{
	char map[32];
	int size = snprintf(map, sizeof(map), "0 %u 1", (unsigned)geteuid());
	if (unshare(CLONE_NEWNS) < 0) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
			return false;
		int fd = open("/proc/self/uid_map", O_WRONLY);
		bool mapped = fd >= 0 && write(fd, map, (size_t)size) == size;
		close(fd);
		if (!mapped)
			return false;
	}
	return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

/* In a child, where the memory file system with the ring is full: exit status 0 when all lines
 * came. */
static int full_file_system(void)
{
	struct guest guest = guest_new(1);
	struct channel reader;
	int filler;
	if (!mounts_unshare() || mount("tmpfs", "/tmp", "tmpfs", 0, "size=400k,mode=700") < 0)
		return 77;
	guest.ring = open("/tmp/ring", O_RDWR | O_CREAT, 0600);
	filler = open("/tmp/filler", O_RDWR | O_CREAT, 0600);
	if (guest.ring < 0 || ftruncate(guest.ring, RING_SIZE) < 0 ||
	    posix_fallocate(filler, 0, 256 * 1024) != 0)
		return 1;
	guest_add(&guest, false);
	reader = reader_of(&guest, true);
	char text[64];
	for (int i = 0; i < 20000; i++) {
		(void)snprintf(text, sizeof(text), "line %d of a chatty guest\n", i);
		guest_say(&guest, text);
		if (i % 200 != 199)
			continue;
		settle();
		for (int n = i - 199; n <= i; n++) {
			(void)snprintf(text, sizeof(text), "line %d of a chatty guest", n);
			if (channel_recv(&reader, &in) != CHANNEL_MESSAGE || in.type != MSG_LINE ||
			    memcmp(in.body.line.bytes, text, strlen(text)) != 0)
				return 2;
			settle();
		}
	}
	return 0;
}

static void a_full_file_system_is_survived(void **state)
{
	int status;
	(void)state;
	pid_t pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0)
		_exit(full_file_system());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_replay_ends),
	    TEST(a_replay_is_of_what_there_was),
	    TEST(a_replay_starts_where_asked),
	    TEST(a_follower_gets_lines_as_they_come),
	    TEST(who_follows_takes_the_console),
	    TEST(who_does_not_read_is_detached_too),
	    TEST(a_slow_reader_sees_a_gap),
	    TEST(an_end_is_told_after_the_last_line),
	    TEST(a_full_fifo_is_drained_at_the_end),
	    TEST(a_redeployed_vm_goes_on_after_a_marker),
	    TEST(a_dropped_vm_is_unknown),
	    TEST(a_ring_outlives_its_console),
	    TEST(a_ring_of_the_wrong_size_is_done_without),
	    TEST(a_chatty_guest_leaves_others_their_turn),
	    TEST(a_fifo_without_writers_is_left_alone),
	    TEST(readers_have_nothing_to_say),
	    TEST(nonsense_from_vmmd_ends_the_console),
	    TEST(a_full_file_system_is_survived),
	    cmocka_unit_test(the_program_ends_with_its_channel),
	    cmocka_unit_test(a_killed_program_loses_no_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
