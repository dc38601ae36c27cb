/* What a line of vmm_ca list says, second by second. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "listed.h"

#define NOW 1500000000
#define DAY 86400

static void says(int64_t until, bool revoked, enum listed_state state, const char *expected)
{
	const struct listed listed = {.until = until, .revoked = revoked};
	char words[64];

	assert_int_equal(listed_state(&listed, NOW, 30), state);
	listed_words(&listed, NOW, 30, words, sizeof(words));
	assert_string_equal(words, expected);
}

static void test_until_when(void **state)
{
	(void)state;
	says(NOW + 30 * DAY + 1, false, LISTED_VALID, "valid");
	says(NOW + 30 * DAY, false, LISTED_EXPIRING, "expires in 30 days");
	says(NOW + 2 * DAY - 1, false, LISTED_EXPIRING, "expires in 1 day");
	says(NOW + DAY - 1, false, LISTED_EXPIRING, "expires within a day");
	says(NOW, false, LISTED_EXPIRING, "expires within a day");
	says(NOW - 1, false, LISTED_EXPIRED, "expired");
	says(INT64_MIN, false, LISTED_EXPIRED, "expired");
	says(UNTIL_UNKNOWN, false, LISTED_UNKNOWN, "its certificate is not here");
}

static void test_revoked_before_all(void **state)
{
	(void)state;
	says(NOW + 300 * DAY, true, LISTED_REVOKED, "revoked");
	says(NOW - 1, true, LISTED_REVOKED, "revoked");
	says(UNTIL_UNKNOWN, true, LISTED_REVOKED, "revoked");
}

static void test_order(void **state)
{
	struct listed all[] = {
	    {.name = "unknown", .until = UNTIL_UNKNOWN},
	    {.name = "late", .until = NOW + 2},
	    {.name = "b", .until = NOW},
	    {.name = "a", .until = NOW},
	};
	(void)state;

	qsort(all, 4, sizeof(all[0]), listed_compare);
	assert_string_equal(all[0].name, "a");
	assert_string_equal(all[1].name, "b");
	assert_string_equal(all[2].name, "late");
	assert_string_equal(all[3].name, "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_until_when),
	    cmocka_unit_test(test_revoked_before_all),
	    cmocka_unit_test(test_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
