/* vmm_log, the program: as vmmd starts it, and killed again and again while it is written to. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log_world.h"
#include "program.h"

#define ROUNDS 40

static struct channel waiting_reader(const char *scope, uint64_t since)
{
	struct channel reader = reader_of(scope, (int64_t)since, false);

	assert_int_equal(fcntl(reader.fd, F_SETFL, 0), 0);
	return reader;
}

static void the_program_ends_with_its_channel(void **state)
{
	struct channel reader;
	uint64_t loaded;
	pid_t pid = program_start(&loaded);
	int status;

	(void)state;
	assert_int_equal(loaded, 0);
	send_entry(ENTRY_LOGIN, "alice/cmd", 1000000);
	reader = waiting_reader("alice", 0);
	expect_entry(&reader, "cmd", 1000000);
	expect_closed(&reader);
	channel_close(&vmmd);
	status = program_wait(pid, &vmmd);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);

	pid = program_start(&loaded);
	assert_int_equal(loaded, 1000000);
	assert_int_equal(send(vmmd.fd, "nonsense", 8, 0), 8);
	status = program_wait(pid, &vmmd);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
}

/* Its sandbox allows what its work takes: a file, syslog, many rings' worth of entries. */
static void it_may_do_its_work(void **state)
{
	char path[] = "/tmp/vmm-log-XXXXXX";
	int file = mkstemp(path), pair[2];
	uint64_t loaded;
	pid_t pid = program_start(&loaded);
	char text[256];

	(void)state;
	assert_int_not_equal(file, -1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	assert_int_equal(channel_send(&vmmd, MSG_LOG_FILE, &(struct msg_empty){0}, &file), 0);
	assert_int_equal(channel_send(&vmmd, MSG_LOG_SYSLOG, &(struct msg_empty){0}, &pair[1]), 0);
	for (int i = 1; i <= 3000; i++) {
		send_entry(ENTRY_LOGIN, "bob/cmd", i);
		assert_true(recv(pair[0], text, sizeof(text), 0) > 0);
	}
	assert_true(lseek(file, 0, SEEK_END) > 3000 * 40);
	close(file);
	close(pair[0]);
	close(pair[1]);
	channel_close(&vmmd);
	assert_int_equal(program_wait(pid, &vmmd), 0);
}

/* As vmmd: what was not acknowledged is sent again to the next one. Sends up to LAST. */
static uint64_t send_rest(uint64_t from, uint64_t last)
{
	for (; from <= last; from++)
		send_entry(ENTRY_LOGIN, from % 2 ? "alice/cmd" : "bob/cmd", (int64_t)from);
	return from;
}

static void a_killed_program_loses_no_entry(void **state)
{
	uint64_t loaded, has = 0, before = 0, last = 0;
	struct channel reader;
	unsigned seed = 1, partly = 0;
	pid_t pid;

	(void)state;
	/* Until some were killed in the middle of it. */
	for (int round = 0; round < ROUNDS || partly < 3; round++) {
		pid = program_start(&loaded);
		/* Never less than what was acknowledged, never what was not sent. */
		assert_in_range(loaded, has, last);
		partly += loaded > before && loaded < last;
		before = has = loaded;
		last += 40;
		send_rest(has + 1, last);
		seed = seed * 1103515245u + 12345u;
		usleep((seed >> 16) % 400);
		assert_int_equal(channel_set_nonblocking(&vmmd), 0);
		loaded = acknowledged();
		has = loaded > has ? loaded : has;
		assert_int_equal(kill(pid, SIGKILL), 0);
		(void)program_wait(pid, &vmmd);
	}

	pid = program_start(&loaded);
	send_rest(loaded + 1, last);
	reader = waiting_reader("", last - 499);
	for (uint64_t seq = last - 499; seq <= last; seq++)
		expect_entry(&reader, seq % 2 ? "alice/cmd" : "bob/cmd", seq);
	expect_closed(&reader);
	channel_close(&vmmd);
	assert_int_equal(program_wait(pid, &vmmd), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rings_new, rings_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_program_ends_with_its_channel),
	    TEST(it_may_do_its_work),
	    TEST(a_killed_program_loses_no_entry),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
