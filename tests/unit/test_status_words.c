/* What a monitor says of its start, hostile bytes included: status_words.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "status_words.h"

static struct status_line line;

static enum status_word parse(const char *text)
{
	status_parse(text, strlen(text), &line);
	return line.word;
}

static void what_a_monitor_says(void **state)
{
	(void)state;
	assert_int_equal(parse("target hvt\n"), STATUS_TARGET);
	assert_string_equal(line.text, "hvt");
	assert_int_equal(parse("net 0 service0\n"), STATUS_NET);
	assert_int_equal(line.index, 0);
	assert_string_equal(line.text, "service0");
	assert_int_equal(parse("net 15 A"), STATUS_NET);
	assert_int_equal(line.index, 15);
	assert_int_equal(parse("block 7 storage\n"), STATUS_BLOCK);
	assert_int_equal(line.index, 7);
	assert_int_equal(parse("ready\n"), STATUS_READY);
	assert_int_equal(parse("error image: truncated\n"), STATUS_ERROR);
	assert_string_equal(line.text, "image: truncated");
}

static void what_no_monitor_says(void **state)
{
	static const char *const bad[] = {
	    "",
	    "\n",
	    "read",
	    "ready ",
	    "ready\n\n",
	    "readys",
	    "target ",
	    "target HVT",
	    "target",
	    "target a b",
	    "net",
	    "net 0",
	    "net 0 ",
	    "net 16 a",
	    "net -1 a",
	    "net +1 a",
	    "net 00 a",
	    "net 01 a",
	    "net 100 a",
	    "net 1  a",
	    "net  1 a",
	    "net 1 a b",
	    "net 1 a-b",
	    "net 1 \xc3\xa4",
	    "net x a",
	    "block 16 a",
	    "block 0 a/b",
	    "Net 0 a",
	    " ready",
	    "net 0 a\nready",
	    "error",
	    "net 4294967296 a",
	    "target abcdefghijklmnop",
	};
	char longest[128] = "net 0 ";

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(parse(bad[i]), STATUS_BAD);
		assert_string_equal(line.text, "");
	}
	memset(longest + 6, 'a', DEVICE_SIZE - 1);
	assert_int_equal(parse(longest), STATUS_NET);
	longest[6 + DEVICE_SIZE - 1] = 'a';
	assert_int_equal(parse(longest), STATUS_BAD);
}

/* What goes on to people is printable, and cut. */
static void words_are_made_printable(void **state)
{
	static const char rude[] = "error a\x1b[2J\0b\tc\x80\n";
	char longest[2000] = "error ";

	(void)state;
	status_parse(rude, sizeof(rude) - 1, &line);
	assert_int_equal(line.word, STATUS_ERROR);
	assert_string_equal(line.text, "a?[2J?b?c?");
	memset(longest + 6, 'x', sizeof(longest) - 6);
	status_parse(longest, sizeof(longest), &line);
	assert_int_equal(line.word, STATUS_ERROR);
	assert_int_equal(strlen(line.text), DETAIL_SIZE - 1 - 6);
}

/* Whatever comes, what is understood is within its bounds. */
static void noise(void **state)
{
	static const char *const starts[] = {"net ", "block ", "target ", "error ", "ready", ""};
	char bytes[1024];
	unsigned understood = 0;

	(void)state;
	srandom(5);
	for (unsigned i = 0; i < 200000; i++) {
		size_t n = strlen(starts[i % 6]), all = n + (size_t)random() % 12;

		memcpy(bytes, starts[i % 6], n);
		for (; n < all; n++)
			bytes[n] = "0123456789abcZ \n\0-\x80"[random() % 19];
		status_parse(bytes, all, &line);
		understood += line.word != STATUS_BAD;
		assert_true(strlen(line.text) < DETAIL_SIZE);
		assert_true(line.index < DEVICES_MAX);
		if (line.word == STATUS_NET || line.word == STATUS_BLOCK)
			assert_in_range(strlen(line.text), 1, DEVICE_SIZE - 1);
	}
	assert_true(understood > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_a_monitor_says),
	    cmocka_unit_test(what_no_monitor_says),
	    cmocka_unit_test(words_are_made_printable),
	    cmocka_unit_test(noise),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
