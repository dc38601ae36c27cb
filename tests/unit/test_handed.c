/* What a service manager hands over: for whom, how many, and what is taken for a listening socket.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "handed.h"

#define MOST 8

static struct refusal why;

static void say(const char *pid, const char *count, const char *names)
{
	handed_forget();
	if (pid)
		setenv("LISTEN_PID", pid, 1);
	if (count)
		setenv("LISTEN_FDS", count, 1);
	if (names)
		setenv("LISTEN_FDNAMES", names, 1);
}

static void say_mine(const char *count, const char *names)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	say(pid, count, names);
}

/* FD becomes socket number I. */
static void hand(unsigned i, int fd)
{
	assert_true(fd >= 0);
	if (fd != HANDED_FIRST_FD + (int)i) {
		assert_true(dup2(fd, HANDED_FIRST_FD + (int)i) >= 0);
		close(fd);
	}
}

static int bound(int family, int type, int protocol)
{
	struct sockaddr_in6 any6 = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
	struct sockaddr_in any4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
	int fd = socket(family, type, protocol);

	assert_int_equal(family == AF_INET6 ? bind(fd, (struct sockaddr *)&any6, sizeof(any6))
					    : bind(fd, (struct sockaddr *)&any4, sizeof(any4)),
			 0);
	return fd;
}

static int listening(int family, int protocol)
{
	int fd = bound(family, SOCK_STREAM, protocol);

	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static void nothing_is_handed_without_the_variables_or_to_another(void **state)
{
	(void)state;
	say(NULL, NULL, NULL);
	assert_int_equal(handed_count(MOST, &why), 0);
	say(NULL, "1", NULL);
	assert_int_equal(handed_count(MOST, &why), 0);
	say("1", "2", "a:b");
	assert_int_equal(handed_count(MOST, &why), 0);
	say_mine(NULL, NULL);
	assert_int_equal(handed_count(MOST, &why), 0);
	say_mine("0", NULL);
	assert_int_equal(handed_count(MOST, &why), 0);
}

static void the_count_is_a_number_within_bounds(void **state)
{
	static const char *const wrong[] = {"",	  "-1",	 "+1", " 1",
					    "1 ", "one", "9",  "99999999999999999999"};

	(void)state;
	say_mine("8", NULL);
	assert_int_equal(handed_count(MOST, &why), 8);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		say_mine(wrong[i], NULL);
		assert_int_equal(handed_count(MOST, &why), -1);
		assert_non_null(strstr(why.text, "$LISTEN_FDS"));
	}
	say("me", "1", NULL);
	assert_int_equal(handed_count(MOST, &why), -1);
	assert_non_null(strstr(why.text, "$LISTEN_PID"));
}

static void what_was_handed_is_forgotten(void **state)
{
	(void)state;
	say_mine("1", "a");
	handed_forget();
	assert_int_equal(handed_count(MOST, &why), 0);
	assert_null(getenv("LISTEN_FDNAMES"));
}

static void a_listening_socket_is_taken_with_its_address(void **state)
{
	char address[64], expected[64];
	struct sockaddr_in6 name;
	socklen_t len = sizeof(name);

	(void)state;
	hand(0, listening(AF_INET6, 0));
	assert_int_equal(handed_take(0, address, sizeof(address), &why), HANDED_FIRST_FD);
	assert_int_equal(getsockname(HANDED_FIRST_FD, (struct sockaddr *)&name, &len), 0);
	snprintf(expected, sizeof(expected), "[::1]:%u", ntohs(name.sin6_port));
	assert_string_equal(address, expected);
	assert_int_equal(fcntl(HANDED_FIRST_FD, F_GETFD), FD_CLOEXEC);
	assert_true(fcntl(HANDED_FIRST_FD, F_GETFL) & O_NONBLOCK);
	hand(1, listening(AF_INET, 0));
	assert_int_equal(handed_take(1, address, sizeof(address), &why), HANDED_FIRST_FD + 1);
	assert_memory_equal(address, "127.0.0.1:", 10);
}

static void refused(unsigned i, const char *name)
{
	char address[64];

	assert_int_equal(handed_take(i, address, sizeof(address), &why), -1);
	assert_non_null(strstr(why.text, name));
}

static void anything_else_is_refused_by_its_name(void **state)
{
	struct sockaddr_un local = {.sun_family = AF_UNIX}; /* an address of the kernel's choice */
	int fd;

	(void)state;
	say_mine("2", "first:second");
	hand(0, open("/dev/null", O_RDWR));
	refused(0, "descriptor 3 (first)");
	hand(0, bound(AF_INET, SOCK_STREAM, 0)); /* does not listen */
	refused(0, "descriptor 3 (first)");
	hand(1, bound(AF_INET6, SOCK_DGRAM, 0));
	refused(1, "descriptor 4 (second)");
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&local, sizeof(sa_family_t)), 0);
	assert_int_equal(listen(fd, 1), 0);
	hand(1, fd);
	refused(1, "descriptor 4 (second)");
	close(HANDED_FIRST_FD + 1);
	refused(1, "descriptor 4 (second)");
	say_mine("2", "first");
	refused(1, "descriptor 4 in");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_is_handed_without_the_variables_or_to_another),
	    cmocka_unit_test(the_count_is_a_number_within_bounds),
	    cmocka_unit_test(what_was_handed_is_forgotten),
	    cmocka_unit_test(a_listening_socket_is_taken_with_its_address),
	    cmocka_unit_test(anything_else_is_refused_by_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
