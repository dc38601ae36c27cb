/* vmm_console, the program: as vmmd starts it, and killed again and again. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "console_world.h"
#include "program.h"

static pid_t program_start(void)
{
	struct channel lower;
	assert_int_equal(channel_pair(LINK_CONSOLE, &vmmd, &lower), 0);
	pid_t pid = program_execute(VMM_CONSOLE, &lower);
	assert_int_equal(channel_recv(&vmmd, &in), CHANNEL_MESSAGE);
	assert_int_equal(in.type, MSG_ROLE_READY);
	return pid;
}

/* Whether the last line that the ring's file has is TEXT, a newline behind it; its length. */
static uint32_t last_line(const struct guest *guest, const char *text)
{
	static uint64_t copy[RING_SIZE / 8];
	uint8_t bytes[RING_LINE_MAX];
	struct ring ring;
	uint32_t size;
	int64_t time_us;

	assert_int_equal(pread(guest->ring, copy, RING_SIZE, 0), RING_SIZE);
	assert_int_equal(ring_attach(&ring, copy, 0), RING_CONTINUED);
	assert_true(ring_line(&ring, ring_next(&ring) - 1, &time_us, bytes, &size));
	assert_memory_equal(bytes, text, size);
	return size;
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
	int status = program_wait(pid, &vmmd);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);

	pid = program_start();
	assert_int_equal(send(vmmd.fd, "nonsense", 8, 0), 8);
	status = program_wait(pid, &vmmd);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
	guest_free(&guest);
}

/* What a guest says when vmmd has gone, to its end. */
static void a_program_without_vmmd_goes_on_reading(void **state)
{
	struct guest guest = guest_new(1);
	pid_t pid = program_start();
	(void)state;

	guest_add(&guest, false);
	channel_close(&vmmd);
	guest_say(&guest, "one\n");
	while (guest_page(&guest).console_bytes < 4)
		usleep(1000);
	guest_say(&guest, "two\n");
	close(guest.fifo[1]);
	guest.fifo[1] = -1;
	int status = program_wait(pid, &vmmd);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(last_line(&guest, "two"), 3);
	guest_free(&guest);
}

/* The next vmmd asks it to end, with more in a FIFO than is read in one turn. */
static void a_program_that_is_to_end_keeps_what_was_said(void **state)
{
	struct guest guest = guest_new(1);
	char text[64];
	int said = 0;
	pid_t pid = program_start();
	(void)state;

	assert_int_equal(fcntl(guest.fifo[1], F_SETPIPE_SZ, 1 << 20), 1 << 20);
	guest_add(&guest, false);
	while (guest_page(&guest).console == 0)
		usleep(1000);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	while (said < 3 * TURN_BYTES) {
		(void)snprintf(text, sizeof(text), "byte %d\n", said);
		guest_say(&guest, text);
		said += (int)strlen(text);
	}
	channel_close(&vmmd);
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(kill(pid, SIGCONT), 0);
	int status = program_wait(pid, &vmmd);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(last_line(&guest, text), strlen(text) - 1);
	guest_free(&guest);
}

/* Prints numbered lines for ever, in pieces that do not end where lines do. */
static pid_t printer_start(const struct guest *guest)
{
	pid_t pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid > 0)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* whatever becomes of the test */
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
	/* Nobody may have come as far as to begin it. */
	assert_int_not_equal(ring_attach(&ring, copy, 0), RING_DAMAGED);
	for (uint64_t n = ring_first(&ring); n < ring_next(&ring); n++) {
		(void)snprintf(text, sizeof(text), "line %llu of a chatty guest",
			       (unsigned long long)n);
		assert_true(ring_line(&ring, n, &time_us, bytes, &size));
		assert_int_equal(size, strlen(text));
		assert_memory_equal(bytes, text, size);
	}
	return ring_next(&ring);
}

/* All that its ring was ever given. */
static uint64_t bytes_kept(const struct guest *guest)
{
	static uint64_t copy[RING_SIZE / 8];
	struct ring ring;

	assert_int_equal(pread(guest->ring, copy, RING_SIZE, 0), RING_SIZE);
	assert_int_equal(ring_attach(&ring, copy, 0), RING_CONTINUED);
	return ring_position(&ring);
}

#define ROUNDS 60
#define MOVED  10

static void a_killed_program_loses_no_line(void **state)
{
	struct guest guest = guest_new(1);
	uint64_t lines = 0, before = 0;
	unsigned seed = 1, moved = 0;
	(void)state;
	pid_t printer = printer_start(&guest);
	/* A busy machine may need more of them, and longer ones, before anything was read. */
	for (int round = 0; round < ROUNDS || (moved < MOVED && round < 10 * ROUNDS); round++) {
		pid_t pid = program_start();
		guest_add(&guest, false);
		seed = seed * 1103515245u + 12345u;
		usleep((seed >> 16) % (round < ROUNDS ? 3000 : 60000));
		assert_int_equal(kill(pid, SIGKILL), 0);
		(void)program_wait(pid, &vmmd);
		before = lines;
		lines = check_numbers(&guest);
		assert_true(lines >= before);
		moved += lines > before;
	}
	assert_true(moved >= MOVED);

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
	assert_int_equal(guest_page(&guest).console_bytes, bytes_kept(&guest));
	channel_close(&reader);
	channel_close(&vmmd);
	(void)program_wait(pid, &vmmd);
	guest_free(&guest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_program_ends_with_its_channel),
	    cmocka_unit_test(a_program_without_vmmd_goes_on_reading),
	    cmocka_unit_test(a_program_that_is_to_end_keeps_what_was_said),
	    cmocka_unit_test(a_killed_program_loses_no_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
