/* Text cut and filled up by the cells that it takes on a terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <string.h>

#include "../../src/client/cells.h"

static const struct {
	const char *text;
	size_t width; /* it has */
	size_t to;
	const char *fitted;
} cases[] = {
    {"", 0, 0, ""},
    {"", 0, 3, "   "},
    {"abc", 3, 3, "abc"},
    {"abc", 3, 5, "abc  "},
    {"abcd", 4, 3, "ab~"},
    {"abcd", 4, 1, "~"},
    {"abcd", 4, 0, ""},
    {"\xc3\xa9t\xc3\xa9", 3, 3, "\xc3\xa9t\xc3\xa9"},
    /* Two cells each: half of one is a blank. */
    {"\xe4\xb8\xad\xe6\x96\x87", 4, 4, "\xe4\xb8\xad\xe6\x96\x87"},
    {"\xe4\xb8\xad\xe6\x96\x87", 4, 3, "\xe4\xb8\xad~"},
    {"\xe4\xb8\xad\xe6\x96\x87", 4, 2, "~ "},
    {"\xf0\x9f\x99\x82", 2, 3, "\xf0\x9f\x99\x82 "},
    /* An accent takes none, and stays with its letter. */
    {"e\xcc\x81x", 2, 2, "e\xcc\x81x"},
    {"e\xcc\x81xy", 3, 2, "e\xcc\x81~"},
    /* What would move the rest, and what is no character. */
    {"a\tb\033", 4, 4, "a?b?"},
    {"\xff\xe4\xb8", 3, 4, "??? "},
};

static void test_fit(void **state)
{
	char out[64];
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(cells_width(cases[i].text), cases[i].width);
		cells_fit(cases[i].text, cases[i].to, out, sizeof(out));
		assert_string_equal(out, cases[i].fitted);
	}
}

/* Accents without end: WIDTH holds, and so does SIZE. */
static void test_bytes_are_bounded(void **state)
{
	char text[1024] = "e", out[40];
	(void)state;

	for (size_t i = 1; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, "\xcc\x81", 3);
	memset(out, '#', sizeof(out));
	cells_fit(text, 8, out, 32);
	assert_in_range(strlen(out), 8, 31);
	assert_int_equal(cells_width(out), 8);
	assert_int_equal(out[32], '#');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_fit),
	    cmocka_unit_test(test_bytes_are_bounded),
	};
	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
