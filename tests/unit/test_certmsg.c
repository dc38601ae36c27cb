/* The framing of a Certificate message: how many certificates, where each is, lengths that lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "certmsg.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static void framing_is_exact(void **state)
{
	static const struct {
		const char *hex;
		int entries;
	} cases[] = {
	    {"00000000", 0},
	    {"00000006000001aa0000", 1},
	    {"0000000c000001aa0000000001bb0000", 2},
	    {"00000008000001aa0002ffff", 1},
	    /* Truncated, at every field. */
	    {"00", -1},
	    {"000000", -1},
	    {"00000006000001aa00", -1},
	    {"00000005000001aa00", -1},
	    {"00000004000001aa", -1},
	    {"000000020000", -1},
	    {"00000006000002aa0000", -1},
	    {"00000006000001aa0001", -1},
	    /* Trailing, on both levels. */
	    {"0000000000", -1},
	    {"00000006000001aa000000", -1},
	    {"00000007000001aa000000", -1},
	    /* A context, an empty certificate, lengths beyond the end. */
	    {"0155000000", -1},
	    {"000000050000000000", -1},
	    {"00ffffff000001aa0000", -1},
	    {"00000006ffffffaa0000", -1},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct certmsg_entry entry[4];
		uint8_t bytes[64];
		size_t size = 0;
		for (const char *at = cases[i].hex; *at; at += 2) {
			char digits[3] = {at[0], at[1], '\0'};
			bytes[size++] = (uint8_t)strtoul(digits, NULL, 16);
		}
		uint8_t *exact = malloc(size); /* so that ASan sees a byte too far */
		assert_non_null(exact);
		memcpy(exact, bytes, size);
		assert_int_equal(certmsg_entries(exact, size, entry, 4), cases[i].entries);
		if (cases[i].entries > 0) {
			assert_ptr_equal(entry[0].der, exact + 7);
			assert_int_equal(entry[0].size, 1);
		}
		free(exact);
	}
	assert_int_equal(certmsg_entries((const uint8_t *)"", 0, NULL, 0), -1);
}

/* All are counted, MAX are stored: a message of 33,000 small ones must cost little. */
static void more_than_asked_for_are_counted(void **state)
{
	enum { N = 33000 };
	uint8_t *message = calloc(1, 4 + 6 * N);
	struct certmsg_entry entry[17];
	(void)state;
	assert_non_null(message);
	message[1] = (6 * N) >> 16;
	message[2] = (6 * N) >> 8 & 0xff;
	message[3] = (6 * N) & 0xff;
	for (size_t i = 0; i < N; i++)
		message[4 + 6 * i + 2] = 1;
	entry[16].der = NULL;
	assert_int_equal(certmsg_entries(message, 4 + 6 * N, entry, 16), N);
	assert_ptr_equal(entry[15].der, message + 4 + 6 * 15 + 3);
	assert_null(entry[16].der);
	free(message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(framing_is_exact),
	    cmocka_unit_test(more_than_asked_for_are_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
