/* What vmm_console does with VMs: ends, redeployment, damage, fairness. */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "console_world.h"

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
	close(guest.page);
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
	assert_true(console.up.failed);
}

static bool file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return written;
}

/* A mount namespace of our own, in a user namespace where we are not root. */
static bool mounts_unshare(void)
{
	char uid[32], gid[32];
	(void)snprintf(uid, sizeof(uid), "0 %u 1", (unsigned)geteuid());
	(void)snprintf(gid, sizeof(gid), "0 %u 1", (unsigned)getegid());
	if (unshare(CLONE_NEWNS) < 0 &&
	    (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 || !file_write("/proc/self/uid_map", uid) ||
	     !file_write("/proc/self/setgroups", "deny") || !file_write("/proc/self/gid_map", gid)))
		return false;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD_TEST(an_end_is_told_after_the_last_line),
	    WORLD_TEST(a_full_fifo_is_drained_at_the_end),
	    WORLD_TEST(a_redeployed_vm_goes_on_after_a_marker),
	    WORLD_TEST(a_dropped_vm_is_unknown),
	    WORLD_TEST(a_ring_outlives_its_console),
	    WORLD_TEST(a_ring_of_the_wrong_size_is_done_without),
	    WORLD_TEST(a_chatty_guest_leaves_others_their_turn),
	    WORLD_TEST(a_fifo_without_writers_is_left_alone),
	    WORLD_TEST(readers_have_nothing_to_say),
	    WORLD_TEST(nonsense_from_vmmd_ends_the_console),
	    WORLD_TEST(a_full_file_system_is_survived),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
