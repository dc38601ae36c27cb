/* Request targets, times and routes: what the HTTP interface accepts, to the byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above */
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "query.h"
#include "routes.h"
#include "times.h"

static struct target target;

static void accepts(const char *raw)
{
	const char *problem = target_parse(raw, &target);

	if (problem)
		fail_msg("%s: %s", raw, problem);
}

static void refuses(const char *raw)
{
	if (!target_parse(raw, &target))
		fail_msg("\"%s\" was accepted", raw);
}

static void test_components(void **state)
{
	(void)state;
	accepts("/");
	assert_int_equal(target.ncomponents, 0);
	accepts("/?a");
	assert_int_equal(target.ncomponents, 0);
	accepts("/vms/dev/tls.nqsb.io");
	assert_int_equal(target.ncomponents, 3);
	assert_string_equal(target.component[2], "tls.nqsb.io");
	accepts("/vms/h%c3%A9llo%20w%25");
	assert_string_equal(target.component[1], "h\xc3\xa9llo w%");
}

static void test_bad_paths(void **state)
{
	static const char *const bad[] = {
	    "",	    "vms",   "*",	"//",	      "/vms/", "/vms//a",   "/a%",
	    "/a%2", "/a%g0", "/a%2fb",	"/a%00",      "/a%0a", "/a%7f",	    "/a\tb",
	    "/%ff", "/%c3",  "/%c0%af", "/%ed%a0%80", "/\xff", "/vms/a%2F", "http://x/",
	};
	char deep[2 * TARGET_COMPONENTS_MAX + 3];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refuses(bad[i]);
	for (size_t i = 0; i < sizeof(deep); i++)
		deep[i] = i % 2 ? 'a' : '/';
	deep[2 * TARGET_COMPONENTS_MAX] = '\0';
	accepts(deep);
	deep[2 * TARGET_COMPONENTS_MAX] = '/';
	deep[2 * TARGET_COMPONENTS_MAX + 2] = '\0';
	refuses(deep);
}

/* Every length around the bound: no byte beyond the structure, whichever way it is cut. */
static void test_length(void **state)
{
	static char raw[TARGET_TEXT_SIZE + 64];

	(void)state;
	for (size_t n = TARGET_TEXT_SIZE - 8; n < sizeof(raw) - 2; n++) {
		memset(raw, 'a', n);
		raw[0] = '/';
		raw[n] = '\0';
		if (n < TARGET_TEXT_SIZE)
			accepts(raw);
		else if (n > TARGET_TEXT_SIZE)
			refuses(raw);
		raw[n / 2] = '?';
		target_parse(raw, &target);
		raw[n / 2 + 9] = '=';
		target_parse(raw, &target);
	}
}

static void test_parameters(void **state)
{
	(void)state;
	accepts("/vms/a/console?since=2017-07-10T09:43:39%2B00:00&lines=10&follow");
	assert_int_equal(target.nparameters, 3);
	assert_string_equal(target_parameter(&target, "since"), "2017-07-10T09:43:39+00:00");
	assert_string_equal(target_parameter(&target, "lines"), "10");
	assert_string_equal(target_parameter(&target, "follow"), "");
	assert_null(target_parameter(&target, "force"));
	accepts("/?a=b=c/d?e");
	assert_string_equal(target_parameter(&target, "a"), "b=c/d?e");
	refuses("/?");
	refuses("/?a&");
	refuses("/?&a");
	refuses("/?=1");
	refuses("/?a=1&a=2");
	refuses("/?a=%");
	refuses("/?a=%ff");
	accepts("/?a&b&c&d&e&f&g&h");
	refuses("/?a&b&c&d&e&f&g&h&i");
}

static void test_values(void **state)
{
	uint32_t number;
	bool flag;

	(void)state;
	assert_true(flag_parse("", &flag) && flag);
	assert_true(flag_parse("1", &flag) && flag);
	assert_true(flag_parse("true", &flag) && flag);
	assert_true(flag_parse("0", &flag) && !flag);
	assert_true(flag_parse("false", &flag) && !flag);
	assert_false(flag_parse("yes", &flag));
	assert_true(number_parse("10", 1, 10, &number) && number == 10);
	assert_false(number_parse("11", 1, 10, &number));
	assert_false(number_parse("0", 1, 10, &number));
	assert_false(number_parse("", 0, 10, &number));
	assert_false(number_parse("+1", 0, 10, &number));
	assert_false(number_parse("1 ", 0, 10, &number));
	assert_true(number_parse("4294967295", 0, UINT32_MAX, &number) && number == UINT32_MAX);
	assert_false(number_parse("4294967296", 0, UINT32_MAX, &number));
	assert_false(number_parse("99999999999999999999", 0, UINT32_MAX, &number));
}

static void test_path_encode(void **state)
{
	char out[64];

	(void)state;
	assert_true(path_encode("dev/h\xc3\xa9llo w?#%", out, sizeof(out)));
	assert_string_equal(out, "dev/h%C3%A9llo%20w%3F%23%25");
	for (size_t size = 0; size < 8; size++)
		assert_false(path_encode("aaaaaaaa", out, size));
}

static void test_time_format(void **state)
{
	char out[TIME_TEXT_SIZE];

	(void)state;
	time_format(1499679819000042, out);
	assert_string_equal(out, "2017-07-10T09:43:39.000042Z");
	time_format(0, out);
	assert_string_equal(out, "1970-01-01T00:00:00.000000Z");
	time_format(-1, out);
	assert_string_equal(out, "1969-12-31T23:59:59.999999Z");
	time_format(INT64_MAX, out);
	time_format(INT64_MIN, out);
	time_format_plain(1499679819000042, out);
	assert_string_equal(out, "2017-07-10 09:43:39 +00:00");
}

static void since(const char *text, int64_t expected)
{
	int64_t time;

	if (!time_parse(text, 5000000000, &time))
		fail_msg("%s was refused", text);
	assert_int_equal(time, expected);
}

static void test_time_parse(void **state)
{
	static const char *const bad[] = {"",
					  "now",
					  "-",
					  "-s",
					  "-5",
					  "--5s",
					  "-5s ",
					  "-99999999999999s",
					  "2017-07-10",
					  "2017-07-10T09:43:39",
					  "2017-13-10T09:43:39Z",
					  "2017-02-30T09:43:39Z",
					  "2017-07-10T24:00:00Z",
					  "2017-07-10T09:43:39.Z",
					  "2017-07-10T09:43:39Zjunk",
					  "2017-07-10T09:43:39+0000",
					  "1492-07-10T09:43:39Z"};
	int64_t time;

	(void)state;
	since("2017-07-10T09:43:39Z", 1499679819000000);
	since("2017-07-10t09:43:39z", 1499679819000000);
	since("2017-07-10T09:43:39.000042Z", 1499679819000042);
	since("2017-07-10T09:43:39.1234567899Z", 1499679819123456);
	since("2017-07-10T11:43:39+02:00", 1499679819000000);
	since("2017-07-10T07:13:39-02:30", 1499679819000000);
	since("-600s", 5000000000 - 600000000);
	since("-0s", 5000000000);
	since("-999999s", 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (time_parse(bad[i], 5000000000, &time))
			fail_msg("%s was accepted", bad[i]);
	}
}

static const char *find(const char *method, const char *raw, char *path)
{
	static char found[64];
	const struct route *route = NULL;

	accepts(raw);
	switch (route_find(method, &target, &route, path)) {
	case ROUTE_FOUND:
		snprintf(found, sizeof(found), "%s %s", route->method, route->pattern);
		return found;
	case ROUTE_METHOD:
		snprintf(found, sizeof(found), "method of %s", route->pattern);
		return found;
	default:
		return "none";
	}
}

static void test_routes(void **state)
{
	static const char *const table[][4] = {
	    {"GET", "/", "GET /", ""},
	    {"GET", "/vms", "GET /vms", ""},
	    {"GET", "/vms?x", "GET /vms", ""},
	    {"GET", "/vms/dev", "GET /vms/PATH", "dev"},
	    {"GET", "/vms/dev/a/b", "GET /vms/PATH", "dev/a/b"},
	    {"DELETE", "/vms/82db56.43a0ff", "DELETE /vms/PATH", "82db56.43a0ff"},
	    {"GET", "/vms/dev/hello/console", "GET /vms/PATH/console", "dev/hello"},
	    {"GET", "/vms/console", "none", ""},
	    {"DELETE", "/vms/a/console", "method of /vms/PATH/console", ""},
	    {"GET", "/vms/statistics", "GET /vms/statistics", ""},
	    {"DELETE", "/vms/statistics", "method of /vms/statistics", ""},
	    {"GET", "/vms/a/statistics", "GET /vms/PATH/statistics", "a"},
	    {"GET", "/vms/dev/hello/statistics", "GET /vms/PATH/statistics", "dev/hello"},
	    {"GET", "/vms/statistics/statistics", "none", ""},
	    {"GET", "/vms/statistics/a", "GET /vms/PATH", "statistics/a"},
	    {"GET", "/metrics", "GET /metrics", ""},
	    {"GET", "/metrics/a", "none", ""},
	    {"GET", "/vms/a/console/b", "GET /vms/PATH", "a/console/b"},
	    {"POST", "/vms", "POST /vms", ""},
	    {"PUT", "/vms", "method of /vms", ""},
	    {"POST", "/vms/a", "method of /vms/PATH", ""},
	    {"get", "/vms", "method of /vms", ""},
	    {"GET", "/vmsx", "none", ""},
	    {"GET", "/vm", "none", ""},
	    {"GET", "/PATH", "none", ""},
	    {"POST", "/", "method of /", ""},
	    {"GET", "/volumes", "GET /volumes", ""},
	    {"GET", "/volumes/dev", "GET /volumes/PATH", "dev"},
	    {"PUT", "/volumes/dev/vol?size=1", "PUT /volumes/PATH", "dev/vol"},
	    {"PUT", "/volumes/dev/vol/data", "PUT /volumes/PATH/data", "dev/vol"},
	    {"GET", "/volumes/data", "none", ""},
	    {"DELETE", "/volumes/vol/data", "method of /volumes/PATH/data", ""},
	    {"PUT", "/volumes", "method of /volumes", ""},
	};
	char path[PATH_TEXT_SIZE], raw[6 + PATH_DEPTH_MAX * 80] = "/vms/";

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_string_equal(find(table[i][0], table[i][1], path), table[i][2]);
		if (table[i][3][0])
			assert_string_equal(path, table[i][3]);
	}
	/* Longer than any VM's path: there is no such VM, and no byte beyond the buffer. */
	for (size_t i = 5; i < sizeof(raw) - 1; i++)
		raw[i] = i % 80 ? 'n' : '/';
	raw[sizeof(raw) - 1] = '\0';
	assert_string_equal(find("GET", raw, path), "none");
}

static void test_route_words(void **state)
{
	const struct route *route;
	char path[PATH_TEXT_SIZE], methods[64];

	(void)state;
	accepts("/vms/a/console?follow&lines=2&line=3");
	assert_int_equal(route_find("GET", &target, &route, path), ROUTE_FOUND);
	assert_string_equal(route_stray_parameter(route, &target), "line");
	accepts("/vms/a/console?follow&lines=2&since=3");
	assert_null(route_stray_parameter(route, &target));
	accepts("/vms/a");
	assert_int_equal(route_find("PUT", &target, &route, path), ROUTE_METHOD);
	route_methods(route, methods, sizeof(methods));
	assert_string_equal(methods, "GET, DELETE");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_components),	cmocka_unit_test(test_bad_paths),
	    cmocka_unit_test(test_length),	cmocka_unit_test(test_parameters),
	    cmocka_unit_test(test_values),	cmocka_unit_test(test_path_encode),
	    cmocka_unit_test(test_time_format), cmocka_unit_test(test_time_parse),
	    cmocka_unit_test(test_routes),	cmocka_unit_test(test_route_words),
	};

	return cmocka_run_group_tests_name("query", tests, NULL, NULL);
}
