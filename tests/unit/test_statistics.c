/* Statistics as JSON: parts that are missing, and rates that must not lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "render.h"

#define SECOND_US INT64_C(1000000)
#define ALL	  (READ_PROCESS | READ_BLOCK | READ_KVM | READ_CONSOLE | READ_NETWORK)

static struct msg_sample sample;

/* Two readings, four seconds apart, of all parts and nothing counted yet. */
static int setup(void **state)
{
	(void)state;
	sample = (struct msg_sample){.path = {.depth = 1},
				     .started_us = 100 * SECOND_US,
				     .before = {.time_us = 200 * SECOND_US, .parts = ALL},
				     .now = {.time_us = 204 * SECOND_US, .parts = ALL}};
	strcpy(sample.path.node[0].name, "hello");
	return 0;
}

/* VALUE's text at A, or A and B; to be freed. */
static char *at(const char *a, const char *b)
{
	json_t *object = render_statistics(&sample), *value;
	char *text;

	assert_non_null(object);
	value = json_object_get(object, a);
	if (b)
		value = json_object_get(value, b);
	assert_non_null(value);
	text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
	assert_non_null(text);
	json_decref(object);
	return text;
}

static void expect(const char *a, const char *b, const char *expected)
{
	char *text = at(a, b);

	assert_string_equal(text, expected);
	free(text);
}

static void test_rates(void **state)
{
	(void)state;
	sample.before.user_us = 5 * (uint64_t)SECOND_US;
	sample.now.user_us = 6 * (uint64_t)SECOND_US;
	sample.now.system_us = (uint64_t)SECOND_US;
	sample.now.kvm_exits = 10;
	expect("rates", "cpu", "0.5");
	expect("rates", "kvm_exits", "2.5");
	expect("rates", "major_faults", "0.0");
	expect("interval_seconds", NULL, "4.0");
	expect("uptime_seconds", NULL, "104.0");
}

static void test_rates_of_taps_are_sums(void **state)
{
	(void)state;
	sample.ntaps = sample.now.ntaps = sample.before.ntaps = 2;
	sample.before.tap[0].sent_bytes = 100;
	sample.now.tap[0].sent_bytes = 120;
	sample.now.tap[1].sent_bytes = 20;
	sample.now.tap[1].dropped = 4;
	expect("rates", "sent_bytes", "10.0");
	expect("rates", "dropped", "1.0");
	sample.before.ntaps = 1; /* the other one was not there */
	expect("rates", "sent_bytes", "5.0");
}

/* What began anew is no negative rate, but what has been counted since. */
static void test_counters_that_began_anew(void **state)
{
	(void)state;
	sample.before.user_us = UINT64_MAX;
	sample.before.console_bytes = 1000;
	sample.now.console_bytes = 8;
	sample.ntaps = sample.now.ntaps = sample.before.ntaps = 1;
	sample.before.tap[0].dropped = 1;
	expect("rates", "cpu", "0.0");
	expect("rates", "console_bytes", "2.0");
	expect("rates", "dropped", "0.0");
}

/* Without an interval there are no rates; clocks may be set back. */
static void test_no_interval(void **state)
{
	static const int64_t before[] = {0, 204 * SECOND_US, 205 * SECOND_US, INT64_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		sample.before.time_us = before[i];
		expect("rates", NULL, "null");
		expect("interval_seconds", NULL, "null");
	}
	sample.now.time_us = 50 * SECOND_US;
	expect("uptime_seconds", NULL, "0.0");
	sample.now.time_us = 0;
	expect("uptime_seconds", NULL, "null");
	expect("sampled", NULL, "null");
	expect("rates", NULL, "null");
}

/* Each part is null without its bit, in the reading and, of either reading, in the rates. */
static void test_parts(void **state)
{
	static const struct {
		uint32_t part;
		const char *words[4], *rates[7];
	} parts[] = {
	    {READ_PROCESS,
	     {"cpu", "memory", "faults", "switches"},
	     {"cpu", "minor_faults", "major_faults", "voluntary_switches", "involuntary_switches"}},
	    {READ_BLOCK, {"block"}, {"block_read_bytes", "block_written_bytes"}},
	    {READ_KVM, {"kvm"}, {"kvm_exits"}},
	    {READ_CONSOLE, {"console"}, {"console_bytes"}},
	    {READ_NETWORK,
	     {"network"},
	     {"received_bytes", "received_packets", "sent_bytes", "sent_packets", "dropped"}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		sample.now.parts = ALL & ~parts[i].part;
		for (size_t j = 0; j < 4 && parts[i].words[j]; j++)
			expect(parts[i].words[j], NULL, "null");
		for (size_t j = 0; parts[i].rates[j]; j++)
			expect("rates", parts[i].rates[j], "null");
		sample.now.parts = ALL;
		sample.before.parts = ALL & ~parts[i].part;
		for (size_t j = 0; parts[i].rates[j]; j++)
			expect("rates", parts[i].rates[j], "null");
		sample.now.parts = sample.before.parts = parts[i].part;
		expect("rates", parts[i].rates[0], "0.0");
		sample.now.parts = sample.before.parts = ALL;
	}
}

static void test_extremes(void **state)
{
	(void)state;
	sample.now.resident = UINT64_MAX;
	expect("memory", "resident_bytes", "9223372036854775807");
	expect("network", NULL, "[]");
	sample.ntaps = 2;
	sample.now.ntaps = 1;
	strcpy(sample.tap[0].name, "\xff");
	expect("network", NULL,
	       "[{\"name\":\"\xef\xbf\xbd\",\"device\":\"\",\"bridge\":\"\",\"received_bytes\":0,"
	       "\"received_packets\":0,\"sent_bytes\":0,\"sent_packets\":0,\"dropped\":0}]");
	sample.path.depth = 0;
	expect("name", NULL, "\"\"");
	expect("label", NULL, "\"\"");
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_rates),
	    TEST(test_rates_of_taps_are_sums),
	    TEST(test_counters_that_began_anew),
	    TEST(test_no_interval),
	    TEST(test_parts),
	    TEST(test_extremes),
	};

	return cmocka_run_group_tests_name("statistics", tests, NULL, NULL);
}
