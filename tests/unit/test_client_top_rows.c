/* Rows of top: what is read, who ended, the sums, the order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/client/top_rows.h"
#include "../../src/client/units.h"

static const struct output output;
static const struct names names;

static void take(struct top_rows *rows, const char *json)
{
	json_t *list = json_loads(json, 0, NULL);

	assert_non_null(list);
	assert_true(top_rows_take(rows, list, &names, &output));
	json_decref(list);
}

/* The names in order, joined with blanks. */
static void names_are(const struct top_rows *rows, const char *expected)
{
	char text[256] = "";
	size_t len = 0;

	for (size_t i = 0; i < rows->count; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i > 0 ? " " : "",
					rows->row[i].name);
	assert_string_equal(text, expected);
}

static void test_values(void **state)
{
	struct top_rows rows = {0};
	(void)state;

	take(&rows, "[{\"path\":\"a\",\"label\":\"1\",\"memory_mb\":32,\"uptime_seconds\":7.5,"
		    "\"sampled\":\"2026-11-22T16:09:52.5Z\",\"memory\":{\"resident_bytes\":1000},"
		    "\"network\":[{\"dropped\":2},{\"dropped\":3}],"
		    "\"rates\":{\"cpu\":0.5,\"received_bytes\":1,\"sent_bytes\":2,"
		    "\"block_read_bytes\":3,\"block_written_bytes\":4,\"console_bytes\":5}},"
		    "{\"path\":\"\\u001b\",\"label\":\"2\",\"memory_mb\":16,\"rates\":null,"
		    "\"sampled\":\"2026-11-22T16:09:51.5Z\",\"cpu\":null,\"network\":null}]");
	const double first[TOP_VALUES] = {7.5, 0.5, 1000, 32 << 20, 1, 2, 3, 4, 5, 5};
	assert_int_equal(rows.count, 2);
	assert_int_equal(rows.live, 2);
	assert_string_equal(rows.row[1].name, "\\x1b");
	assert_string_equal(rows.sampled, "2026-11-22T16:09:52.5Z");
	for (size_t i = 0; i < TOP_VALUES; i++) {
		assert_true(rows.row[0].value[i] == first[i]);
		assert_true(rows.row[1].value[i] == (i == TOP_GRANTED ? 16 << 20 : UNITS_NONE));
		assert_true(rows.total[i] == (i == TOP_GRANTED ? 48 << 20 : first[i]));
	}
	top_rows_free(&rows);
}

static void test_what_is_no_list(void **state)
{
	static const char *const odd[] = {"{}", "[]", "{\"path\":\"a\"}"};
	struct top_rows rows = {0};
	(void)state;

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		take(&rows, odd[i]);
		assert_int_equal(rows.count, 0);
	}
	take(&rows, "[7,{\"path\":9,\"sampled\":\"soon\"}]");
	names_are(&rows, "? ?");
	assert_string_equal(rows.sampled, "");
	top_rows_free(&rows);
}

/* Once, without numbers; whoever comes back is there again. */
static void test_ended(void **state)
{
	static const char a_b[] = "[{\"path\":\"a\",\"memory_mb\":1},{\"path\":\"b\"}]";
	struct top_rows rows = {0};
	(void)state;

	take(&rows, a_b);
	take(&rows, "[{\"path\":\"b\"}]");
	names_are(&rows, "b a");
	assert_int_equal(rows.live, 1);
	assert_true(rows.row[1].ended && !rows.row[0].ended);
	assert_true(rows.row[1].value[TOP_GRANTED] == UNITS_NONE);
	assert_true(rows.total[TOP_GRANTED] == UNITS_NONE);
	take(&rows, "[{\"path\":\"b\"}]");
	names_are(&rows, "b");
	take(&rows, "[]");
	take(&rows, a_b);
	names_are(&rows, "a b");
	assert_int_equal(rows.live, 2);
	top_rows_free(&rows);
}

static const char unsorted[] =
    "[{\"path\":\"d\",\"rates\":{\"cpu\":0.1,\"received_bytes\":1,\"sent_bytes\":9}},"
    "{\"path\":\"c\",\"rates\":{\"cpu\":0.3,\"received_bytes\":5,\"sent_bytes\":1}},"
    "{\"path\":\"e\",\"rates\":null},"
    "{\"path\":\"a\",\"rates\":{\"cpu\":0.1,\"received_bytes\":7}},"
    "{\"path\":\"b\"}]";

static void test_order(void **state)
{
	struct top_rows rows = {0};
	(void)state;

	take(&rows, unsorted);
	top_rows_sort(&rows, SORT_CPU, false);
	names_are(&rows, "c a d b e");
	top_rows_sort(&rows, SORT_CPU, true);
	names_are(&rows, "a d c b e");
	top_rows_sort(&rows, SORT_NETWORK, false);
	names_are(&rows, "d a c b e");
	top_rows_sort(&rows, SORT_NAME, false);
	names_are(&rows, "a b c d e");
	top_rows_sort(&rows, SORT_NAME, true);
	names_are(&rows, "e d c b a");
	top_rows_free(&rows);
}

/* Each way to sort reads the numbers that it is named for. */
static void test_sorts(void **state)
{
	static const struct {
		enum top_sort by;
		const char *more;
	} sorts[] = {
	    {SORT_AGE, "\"uptime_seconds\":2"},
	    {SORT_CPU, "\"rates\":{\"cpu\":2}"},
	    {SORT_RESIDENT, "\"memory\":{\"resident_bytes\":2}"},
	    {SORT_GRANTED, "\"memory_mb\":2"},
	    {SORT_NETWORK, "\"rates\":{\"sent_bytes\":2}"},
	    {SORT_BLOCK, "\"rates\":{\"block_read_bytes\":2}"},
	    {SORT_BLOCK, "\"rates\":{\"block_written_bytes\":2}"},
	    {SORT_CONSOLE, "\"rates\":{\"console_bytes\":2}"},
	    {SORT_DROPPED, "\"network\":[{\"dropped\":2}]"},
	};
	struct top_rows rows = {0};
	char json[128];
	(void)state;

	for (size_t i = 0; i < sizeof(sorts) / sizeof(sorts[0]); i++) {
		snprintf(json, sizeof(json), "[{\"path\":\"a\"},{\"path\":\"b\",%s}]",
			 sorts[i].more);
		take(&rows, json);
		for (enum top_sort by = SORT_NAME; by < SORTS; by++) {
			top_rows_sort(&rows, by, false);
			assert_string_equal(rows.row[0].name, by == sorts[i].by ? "b" : "a");
		}
	}
	top_rows_free(&rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_values), cmocka_unit_test(test_what_is_no_list),
	    cmocka_unit_test(test_ended),  cmocka_unit_test(test_order),
	    cmocka_unit_test(test_sorts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
