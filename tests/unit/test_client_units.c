/* Numbers in few cells: each edge between two ways to write them, and that no number is wider. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "../../src/client/units.h"

typedef void unit(double value, char out[UNITS_SIZE]);

struct written {
	double value;
	const char *text;
};

static void are_written(unit *write, const struct written *cases, size_t count)
{
	char text[UNITS_SIZE];

	for (size_t i = 0; i < count; i++) {
		write(cases[i].value, text);
		assert_string_equal(text, cases[i].text);
	}
}
#define ARE_WRITTEN(write, cases) are_written(write, cases, sizeof(cases) / sizeof((cases)[0]))

static void test_bytes(void **state)
{
	static const struct written cases[] = {
	    {UNITS_NONE, "-"},
	    {0, "0"},
	    {0.04, "0.0"},
	    {1, "1"},
	    {1.5, "1.5"},
	    {9.94, "9.9"},
	    {9.96, "10"},
	    {10.4, "10"},
	    {999, "999"},
	    {999.4, "999"},
	    {999.6, "1.0K"},
	    {1000, "1.0K"},
	    {1024, "1.0K"},
	    {1229, "1.2K"},
	    {348160, "340K"},
	    {999 * 1024.0, "999K"},
	    {1023 * 1024.0, "1.0M"},
	    {33554432, "32M"},
	    {1288490189, "1.2G"},
	    {9223372036854775807.0, "8.0E"},
	    {1e300, "998E"},
	};
	(void)state;

	ARE_WRITTEN(units_bytes, cases);
}

static void test_counts(void **state)
{
	static const struct written cases[] = {
	    {-3, "-"}, {7, "7"}, {999, "999"}, {1000, "1.0K"}, {12345, "12K"}, {1e6, "1.0M"},
	};
	(void)state;

	ARE_WRITTEN(units_count, cases);
}

static void test_percents(void **state)
{
	static const struct written cases[] = {
	    {UNITS_NONE, "-"}, {0, "0.0"},	{0.005, "0.5"}, {0.123, "12.3"},
	    {0.9994, "99.9"},  {0.9996, "100"}, {1.01, "101"},	{1e9, "99999"},
	};
	(void)state;

	ARE_WRITTEN(units_percent, cases);
}

static void test_ages(void **state)
{
	static const struct written cases[] = {
	    {UNITS_NONE, "-"},
	    {0, "0s"},
	    {59.9, "59s"},
	    {60, "1m00s"},
	    {3599, "59m59s"},
	    {3600, "1h00m"},
	    {86399, "23h59m"},
	    {86400, "1d00h"},
	    {8639999, "99d23h"},
	    {8640000, "100d"},
	    {20000 * 86400.0, "20000d"},
	    {1e300, "20000d"},
	};
	(void)state;

	ARE_WRITTEN(units_age, cases);
}

static void test_sizes(void **state)
{
	static const struct written cases[] = {
	    {UNITS_NONE, "-"}, {0, "0 B"}, {17, "17 B"}, {1536, "1.5 KB"}, {33554432, "32 MB"},
	};
	(void)state;

	ARE_WRITTEN(units_size, cases);
}

/* Whatever the server says. */
static void test_none_is_wide(void **state)
{
	static const struct {
		unit *write;
		size_t cells;
	} units[] = {{units_bytes, 4}, {units_count, 4}, {units_percent, 5}, {units_age, 6}};
	char text[UNITS_SIZE];
	(void)state;

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		for (double value = 1e-9; isfinite(value); value *= 1.003) {
			units[i].write(value, text);
			assert_in_range(strlen(text), 1, units[i].cells);
		}
		units[i].write(INFINITY, text);
		assert_in_range(strlen(text), 1, units[i].cells);
		units[i].write(NAN, text);
		assert_string_equal(text, "-");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bytes),    cmocka_unit_test(test_counts),
	    cmocka_unit_test(test_percents), cmocka_unit_test(test_ages),
	    cmocka_unit_test(test_sizes),    cmocka_unit_test(test_none_is_wide),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
