/* What is typed: command lines, HOST:PORT, words, paths for a URL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/client/options.h"
#include "../../src/client/percent.h"
#include "../../src/client/words.h"

static const struct {
	const char *text, *host, *port;
	bool address;
	const char *again; /* NULL: as it was written */
} endpoints[] = {
    {"localhost:1025", "localhost", "1025", false, NULL},
    {"vmm.example.org:65535", "vmm.example.org", "65535", false, NULL},
    {"192.0.2.1:1", "192.0.2.1", "1", true, NULL},
    {"[::1]:1025", "::1", "1025", true, NULL},
    {"[2001:db8::7]:0443", "2001:db8::7", "443", true, "[2001:db8::7]:443"},
    {"[fe80::1%eth0]:1025", "fe80::1%eth0", "1025", true, "[fe80::1]:1025"},
};

static void test_endpoints(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(endpoints) / sizeof(endpoints[0]); i++) {
		struct endpoint endpoint;
		struct refusal why;
		char text[ENDPOINT_TEXT_SIZE];

		assert_true(endpoint_parse(endpoints[i].text, &endpoint, &why));
		assert_string_equal(endpoint.host, endpoints[i].host);
		assert_string_equal(endpoint.port, endpoints[i].port);
		assert_int_equal(endpoint.address, endpoints[i].address);
		endpoint_format(&endpoint, text);
		assert_string_equal(text,
				    endpoints[i].again ? endpoints[i].again : endpoints[i].text);
	}
}

/* The text, what the line has to name. */
static const char *const no_endpoints[][2] = {
    {"", "no port"},
    {"localhost", "no port"},
    {"localhost:", "'' is no port"},
    {"localhost:0", "'0' is no port"},
    {"localhost:65536", "'65536' is no port"},
    {"localhost:000001", "'000001' is no port"},
    {"localhost:+1", "'+1' is no port"},
    {"localhost:1 ", "'1 ' is no port"},
    {":1025", "'' is no host"},
    {"a b:1025", "'a b' is no host"},
    {"a/b:1025", "'a/b' is no host"},
    {"caf\xc3\xa9:1025", "is no host"},
    {"::1:1025", "brackets"},
    {"[]:1025", "'' is no host"},
    {"[localhost]:1025", "'localhost' is no host"},
    {"[::1:1025", "brackets"},
};

static void test_no_endpoints(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(no_endpoints) / sizeof(no_endpoints[0]); i++) {
		struct endpoint endpoint;
		struct refusal why;
		assert_false(endpoint_parse(no_endpoints[i][0], &endpoint, &why));
		assert_non_null(strstr(why.text, no_endpoints[i][1]));
	}
}

static void test_long_host(void **state)
{
	char text[HOST_SIZE + 8];
	struct endpoint endpoint;
	struct refusal why;
	(void)state;

	memset(text, 'a', HOST_SIZE - 1);
	memcpy(text + HOST_SIZE - 1, ":1025", 6);
	assert_true(endpoint_parse(text, &endpoint, &why));
	memset(text, 'a', HOST_SIZE);
	memcpy(text + HOST_SIZE, ":1025", 6);
	assert_false(endpoint_parse(text, &endpoint, &why));
}

static bool parse(struct options *options, struct refusal *why, const char *line)
{
	static char copy[256];
	static char *argv[16];
	int argc = 0;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	return options_parse(argc, argv, options, why);
}

static void test_options(void **state)
{
	struct options options;
	struct refusal why;
	(void)state;

	assert_true(parse(&options, &why, "x ca b k h:1 --db dev.db -c info -c quit"));
	assert_string_equal(options.db, "dev.db");
	assert_int_equal(options.ncommands, 2);
	assert_string_equal(options.command[0], "info");
	assert_string_equal(options.command[1], "quit");
	assert_string_equal(options.key, "k");
	assert_false(options.json || options.force);
	options_free(&options);

	assert_true(parse(&options, &why, "x --json --force -cinfo ca b k [::1]:1"));
	assert_true(options.json && options.force && options.ncommands == 1);
	options_free(&options);

	assert_true(parse(&options, &why, "x --help whatever"));
	assert_true(options.help);
	options_free(&options);
}

static void test_no_options(void **state)
{
	static const char *const lines[][2] = {
	    {"x ca b k", "3 arguments"},
	    {"x ca b k h:1 more", "5 arguments"},
	    {"x --nonsense ca b k h:1", "--nonsense: no such option"},
	    {"x -q ca b k h:1", "-q: no such option"},
	    {"x --json=1 ca b k h:1", "takes no argument"},
	    {"x ca b k h:1 -c", "-c: wants an argument"},
	    {"x ca b k h:1 --db", "--db: wants an argument"},
	    {"x --image f ca b k h:1", "not in this version"},
	    {"x ca b k h", "no port"},
	};
	(void)state;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct options options;
		struct refusal why;
		assert_false(parse(&options, &why, lines[i][0]));
		assert_non_null(strstr(why.text, lines[i][1]));
		options_free(&options);
	}
}

static void test_words(void **state)
{
	char line[] = "  attach\t'a b'c \"it's\" '' ";
	char open[] = "attach 'a b";
	char many[] = "1 2 3 4 5 6 7 8 9";
	char blank[] = " \t ";
	struct words words;
	struct refusal why;
	(void)state;

	assert_true(words_split(line, &words, &why));
	assert_int_equal(words.count, 4);
	assert_string_equal(words.word[0], "attach");
	assert_string_equal(words.word[1], "a bc");
	assert_string_equal(words.word[2], "it's");
	assert_string_equal(words.word[3], "");
	assert_true(words_split(blank, &words, &why));
	assert_int_equal(words.count, 0);
	assert_false(words_split(open, &words, &why));
	assert_string_equal(why.text, "a quote does not end");
	assert_false(words_split(many, &words, &why));
	assert_string_equal(why.text, "more than 8 words");
}

static void test_percent(void **state)
{
	static const char *const paths[][2] = {
	    {"", ""},
	    {"/", ""},
	    {"hello", "/hello"},
	    {"/dev/hello", "/dev/hello"},
	    {"tls.nqsb.io", "/tls.nqsb.io"},
	    {"a b?#%", "/a%20b%3F%23%25"},
	    {"\xc3\xa9&=+", "/%C3%A9%26%3D%2B"},
	};
	char out[PERCENT_PATH_SIZE], longest[NAMES_PATH_SIZE];
	(void)state;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		percent_path(paths[i][0], out, sizeof(out));
		assert_string_equal(out, paths[i][1]);
	}
	percent_value("2017-07-10T09:43:39Z&/a b", out, sizeof(out));
	assert_string_equal(out, "2017-07-10T09%3A43%3A39Z%26%2Fa%20b");
	percent_value("ab:d", out, 7);
	assert_string_equal(out, "ab%3A");
	memset(longest, ' ', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	percent_path(longest, out, sizeof(out));
	assert_int_equal(strlen(out), 1 + 3 * (sizeof(longest) - 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_endpoints),  cmocka_unit_test(test_no_endpoints),
	    cmocka_unit_test(test_long_host),  cmocka_unit_test(test_options),
	    cmocka_unit_test(test_no_options), cmocka_unit_test(test_words),
	    cmocka_unit_test(test_percent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
