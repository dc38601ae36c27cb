/* Text from elsewhere on its way to a terminal: nothing in it acts, nothing readable is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/client/output.h"

/* What output_bytes makes of LEN bytes; to be freed. */
static char *shown(const char *text, size_t len, bool ascii)
{
	char *out = NULL;
	size_t size;
	struct output output = {.to = open_memstream(&out, &size), .ascii = ascii};

	output_bytes(&output, text, len);
	fclose(output.to);
	return out;
}

#define TEXT(s) s, sizeof(s) - 1

static const struct {
	const char *in;
	size_t len;
	const char *out, *ascii;
} cases[] = {
    {TEXT(""), "", ""},
    {TEXT("plain\ttext ~"), "plain\ttext ~", "plain\ttext ~"},
    {TEXT("a\0b\nc\rd"), "a\\x00b\\x0ac\\x0dd", "a\\x00b\\x0ac\\x0dd"},
    {TEXT("\033[2J\x7f"), "\\x1b[2J\\x7f", "\\x1b[2J\\x7f"},
    {TEXT("\xc2\x9b"), "\\u009b", "\\u009b"},				    /* C1 as UTF-8 */
    {TEXT("\x9b"), "\\x9b", "\\x9b"},					    /* C1 as a byte */
    {TEXT("\xe2\x80\xae\xe2\x81\xa9"), "\\u202e\\u2069", "\\u202e\\u2069"}, /* overrides */
    {TEXT("\xf3\xa0\x81\x81"), "\\U000e0041", "\\U000e0041"},		    /* a tag */
    {TEXT("\xc3\xa9\xe4\xb8\xad"), "\xc3\xa9\xe4\xb8\xad", "\\u00e9\\u4e2d"},
    {TEXT("\xf0\x9f\x99\x82"), "\xf0\x9f\x99\x82", "\\U0001f642"},
    {TEXT("\xc0\x9b"), "\\xc0\\x9b", "\\xc0\\x9b"},		  /* overlong */
    {TEXT("\xed\xa0\x80"), "\\xed\\xa0\\x80", "\\xed\\xa0\\x80"}, /* a surrogate */
    {TEXT("\xe4\xb8"), "\\xe4\\xb8", "\\xe4\\xb8"},		  /* cut off */
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *out = shown(cases[i].in, cases[i].len, false);
		char *ascii = shown(cases[i].in, cases[i].len, true);
		assert_string_equal(out, cases[i].out);
		assert_string_equal(ascii, cases[i].ascii);
		if (strlen(cases[i].in) == cases[i].len) {
			const struct output plain = {0}, narrow = {.ascii = true};
			assert_int_equal(output_is_plain(&plain, cases[i].in),
					 strcmp(out, cases[i].in) == 0);
			assert_int_equal(output_is_plain(&narrow, cases[i].in),
					 strcmp(ascii, cases[i].in) == 0);
		}
		free(out);
		free(ascii);
	}
}

/* Every pair of bytes: what comes out has no control character, and is ASCII where asked for. */
static void test_no_byte_acts(void **state)
{
	(void)state;
	for (unsigned pair = 0; pair <= 0xffff; pair++) {
		const char in[] = {(char)(pair >> 8), (char)pair};
		char *out = shown(in, 2, true);
		for (const char *at = out; *at; at++)
			assert_true(*at == '\t' || (*at >= ' ' && *at <= '~'));
		free(out);
	}
}

static void test_quoted(void **state)
{
	char *out = NULL;
	size_t size;
	struct output output = {.to = open_memstream(&out, &size)};
	(void)state;

	output_quoted(&output, "");
	output_quoted(&output, "it's");
	output_quoted(&output, "'\033");
	fclose(output.to);
	assert_string_equal(out, "'''it'\\''s'''\\''\\x1b'");
	free(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cases),
	    cmocka_unit_test(test_no_byte_acts),
	    cmocka_unit_test(test_quoted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
