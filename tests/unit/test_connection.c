/* The listener's table: whose turn it is to go. TCP is played by the test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above */
#include <arpa/inet.h>
#include <cmocka.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "connection.h"
#include "tcp.h"

#define FDS 256

/* What TCP says, by descriptor. */
static struct tcp_progress progress[FDS];

void tcp_progress_read(int fd, struct tcp_progress *out)
{
	assert_in_range(fd, 0, FDS - 1);
	*out = progress[fd];
}

static struct connections table;
static const struct limits limits = {
    .waiting = 4,
    .waiting_per_source = 3,
    .waiting_bytes = 1 << 20,
    .sessions = 2,
    .begin_ms = 1000,
    .rate = 1000,
    .pause_ms = 5000,
};

static struct sockaddr_storage v4(const char *text)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(1025)};
	struct sockaddr_storage out = {0};

	inet_pton(AF_INET, text, &in.sin_addr);
	memcpy(&out, &in, sizeof(in));
	return out;
}

static struct sockaddr_storage v6(const char *text)
{
	struct sockaddr_in6 in = {.sin6_family = AF_INET6, .sin6_port = htons(1025)};
	struct sockaddr_storage out = {0};

	inet_pton(AF_INET6, text, &in.sin6_addr);
	memcpy(&out, &in, sizeof(in));
	return out;
}

/* A connection from FROM that sent its last byte SILENCE_MS ago. */
static int arrive(const char *from, int64_t now, int64_t silence_ms)
{
	struct sockaddr_storage address = v4(from);
	int fd = open("/dev/null", O_RDONLY);

	progress[fd] = (struct tcp_progress){.silence_ms = silence_ms};
	assert_non_null(connection_add(&table, fd, &address, now));
	return fd;
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static struct connection *connection_on(int fd)
{
	struct connection *c = table.first;

	while (c && c->fd != fd)
		c = c->next;
	assert_non_null(c);
	return c;
}

static int setup(void **state)
{
	(void)state;
	connections_init(&table, &limits);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	while (table.first)
		connection_end(table.first);
	assert_int_equal(table.waiting, 0);
	assert_int_equal(table.sessions, 0);
	return 0;
}

static void test_one_of_the_same_source_goes(void **state)
{
	int other = arrive("192.0.2.9", 0, 9000);
	int a = arrive("192.0.2.1", 0, 10), b = arrive("192.0.2.1", 0, 30);
	int c = arrive("192.0.2.1", 0, 20);

	(void)state;
	assert_int_equal(table.waiting, 4);
	arrive("192.0.2.1", 0, 0);
	assert_false(is_open(b));
	assert_true(is_open(a) && is_open(c) && is_open(other));
	assert_int_equal(table.waiting, 4);
	assert_int_equal(table.evicted, 1);
}

static void test_a_new_source_has_room(void **state)
{
	int a = arrive("192.0.2.1", 0, 10), b = arrive("192.0.2.2", 0, 40);
	int c = arrive("192.0.2.3", 0, 20), d = arrive("192.0.2.4", 0, 30);
	int e;

	(void)state;
	e = arrive("192.0.2.5", 0, 0);
	assert_false(is_open(b));
	assert_true(is_open(a) && is_open(c) && is_open(d) && is_open(e));
	assert_int_equal(table.waiting, 4);
}

static void test_the_oldest_goes_among_equals(void **state)
{
	int a = arrive("192.0.2.1", 0, 5);

	(void)state;
	arrive("192.0.2.1", 0, 5);
	arrive("192.0.2.1", 0, 5);
	arrive("192.0.2.1", 0, 5);
	assert_false(is_open(a));
}

/* Who has no certificate cannot push out who has. */
static void test_sessions_are_not_evicted_for_strangers(void **state)
{
	int session = arrive("192.0.2.1", 0, 100000);

	(void)state;
	connection_authenticated(connection_on(session));
	for (int i = 0; i < 20; i++)
		arrive("192.0.2.1", 0, 0);
	assert_true(is_open(session));
	assert_int_equal(connection_on(session)->phase, PHASE_SESSION);
	assert_int_equal(table.sessions, 1);
	assert_int_equal(table.waiting, 3);
	for (int i = 0; i < 5; i++)
		connections_evict(&table, NULL);
	assert_true(is_open(session));
	assert_false(connections_evict(&table, NULL));
}

static void test_sessions_have_a_limit(void **state)
{
	int a = arrive("192.0.2.1", 0, 10), b = arrive("192.0.2.2", 0, 90), c;

	(void)state;
	connection_authenticated(connection_on(a));
	connection_authenticated(connection_on(b));
	c = arrive("192.0.2.1", 0, 500);
	connection_authenticated(connection_on(c));
	assert_false(is_open(a)); /* of its own source, though B was silent for longer */
	assert_true(is_open(b) && is_open(c));
	assert_int_equal(table.sessions, 2);
}

static void test_deadline_moves_with_progress(void **state)
{
	int idle = arrive("192.0.2.1", 0, 0), slow = arrive("192.0.2.2", 0, 0);
	int stalled = arrive("192.0.2.3", 0, 0), session = arrive("192.0.2.4", 0, 0);

	(void)state;
	connection_authenticated(connection_on(session));
	connections_expire(&table, 1000);
	assert_true(is_open(idle));
	progress[slow] = (struct tcp_progress){.received = 9000, .silence_ms = 10};
	progress[stalled] = (struct tcp_progress){.received = 9000, .silence_ms = 5001};
	connections_expire(&table, 1001);
	assert_false(is_open(idle));
	assert_false(is_open(stalled));
	connections_expire(&table, 10000);
	assert_true(is_open(slow));
	connections_expire(&table, 10001);
	assert_false(is_open(slow));
	assert_true(is_open(session));
}

static void test_bytes_have_a_limit(void **state)
{
	int large = arrive("192.0.2.1", 0, 0), larger = arrive("192.0.2.2", 0, 0);
	int small = arrive("192.0.2.3", 0, 0);

	(void)state;
	progress[large] = (struct tcp_progress){.received = 600000, .silence_ms = 10};
	progress[larger] = (struct tcp_progress){.received = 700000, .silence_ms = 5};
	progress[small] = (struct tcp_progress){.received = 60000, .silence_ms = 4000};
	connections_expire(&table, 100);
	assert_false(is_open(large)); /* the more silent of those that cost */
	assert_true(is_open(larger) && is_open(small));
	connections_expire(&table, 100);
	assert_true(is_open(larger));
}

static void test_a_worker_is_killed_and_reaped(void **state)
{
	int fd = arrive("192.0.2.1", 0, 0), status;
	struct connection *c = connection_on(fd);
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		pause();
		_exit(0);
	}
	c->pid = pid;
	connection_end(c);
	assert_false(is_open(fd));
	assert_int_equal(table.waiting, 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WTERMSIG(status), SIGKILL);
	assert_ptr_equal(connection_of(&table, pid), c);
	connection_reaped(c);
	assert_null(connection_of(&table, pid));
	assert_int_equal(table.waiting, 0);
}

static void assert_address(struct sockaddr_storage address, const char *text)
{
	char out[PEER_SIZE];

	address_format(&address, out);
	assert_string_equal(out, text);
}

/* Lost is what ends before any session, once, however it ends. */
static void test_what_is_lost_is_counted(void **state)
{
	struct connection *refused = connection_on(arrive("192.0.2.1", 0, 0));
	struct connection *session = connection_on(arrive("192.0.2.2", 0, 0));
	struct connection *killed = connection_on(arrive("192.0.2.3", 0, 0));

	(void)state;
	arrive("192.0.2.4", 0, 0);
	assert_int_equal(table.untold.connections, 4);
	refused->served = true;
	connection_authenticated(session);
	connections_expire(&table, 0);
	assert_int_equal(table.untold.handshakes_lost, 0);
	killed->pid = fork();
	if (killed->pid == 0)
		for (;;)
			pause();
	connection_end(killed);
	assert_int_equal(table.untold.handshakes_lost, 1);
	assert_int_equal(waitpid(killed->pid, NULL, 0), killed->pid);
	connection_reaped(killed);
	connection_end(session);
	assert_int_equal(table.untold.handshakes_lost, 1);
	connections_expire(&table, 100000);
	assert_null(table.first);
	assert_int_equal(table.untold.handshakes_lost, 2);
	assert_int_equal(table.untold.connections, 4);
}

static void assert_same(struct sockaddr_storage a, struct sockaddr_storage b, bool same)
{
	struct source sa, sb;

	source_from(&a, &sa);
	source_from(&b, &sb);
	assert_int_equal(source_equal(&sa, &sb), same);
}

static void test_addresses(void **state)
{
	(void)state;
	assert_address(v4("192.0.2.1"), "192.0.2.1:1025");
	assert_address(v6("::ffff:192.0.2.1"), "192.0.2.1:1025");
	assert_address(v6("2001:db8::1"), "[2001:db8::1]:1025");
	assert_same(v4("192.0.2.1"), v6("::ffff:192.0.2.1"), true);
	assert_same(v4("192.0.2.1"), v4("192.0.2.2"), false);
	assert_same(v6("2001:db8::1"), v6("2001:db8::ffff:0:0:1"), true);
	assert_same(v6("2001:db8::1"), v6("2001:db8:0:1::1"), false);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_one_of_the_same_source_goes),
	    TEST(test_a_new_source_has_room),
	    TEST(test_the_oldest_goes_among_equals),
	    TEST(test_sessions_are_not_evicted_for_strangers),
	    TEST(test_sessions_have_a_limit),
	    TEST(test_deadline_moves_with_progress),
	    TEST(test_bytes_have_a_limit),
	    TEST(test_a_worker_is_killed_and_reaped),
	    TEST(test_what_is_lost_is_counted),
	    TEST(test_addresses),
	};

	return cmocka_run_group_tests_name("connection", tests, NULL, NULL);
}
