/* The server's JSON as lines: word for word, and whatever is missing or wrong in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/client/format.h"

static char *text;
static size_t text_size;

static struct output output_open(void)
{
	return (struct output){.to = open_memstream(&text, &text_size)};
}

static void output_is(struct output *output, const char *expected)
{
	fclose(output->to);
	assert_string_equal(text, expected);
	free(text);
}

static json_t *parse(const char *json)
{
	json_t *value = json_loads(json, JSON_ALLOW_NUL, NULL);
	assert_non_null(value);
	return value;
}

static void test_times(void **state)
{
	static const char *const times[][2] = {
	    {"2017-07-10T09:43:39.123456Z", "2017-07-10 09:43:39 +00:00"},
	    {"2017-07-10T09:43:39Z", "2017-07-10 09:43:39 +00:00"},
	    {"2017-07-10T09:43:39.123456+02:00", "2017-07-10T09:43:39.123456+02:00"},
	    {"2017-07-10", "2017-07-10"},
	    {"", ""},
	    {"2017-07-10T09:43:39.1Z\033", "2017-07-10T09:43:39.1Z\\x1b"},
	};
	(void)state;

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct output output = output_open();
		format_time(&output, times[i][0]);
		output_is(&output, times[i][1]);
	}
}

/* The article's, and how VMs are that are not just running. */
static const char *const vms[][2] = {
    {"{\"path\":\"sn.nqsb.io\",\"label\":\"0237f3\",\"state\":\"running\",\"pid\":91540,"
     "\"command\":[\"cpuset\",\"-l\",\"7\",\"/tmp/vmm/ukvm-bin.net\",\"--net=tap27\",\"--\","
     "\"/tmp/81363f.0237f3.img\"],\"taps\":[{\"name\":\"tap27\"}]}",
     "info sn.nqsb.io: 'cpuset' '-l' '7' '/tmp/vmm/ukvm-bin.net' '--net=tap27' '--' "
     "'/tmp/81363f.0237f3.img' 91540 taps tap27\n"},
    {"{\"path\":\"a\",\"label\":\"000000\",\"state\":\"running\",\"pid\":1,\"command\":[\"m\"],"
     "\"taps\":[{\"name\":\"tap0\"},{\"name\":\"tap1\"}]}",
     "info a: 'm' 1 taps tap0, tap1\n"},
    {"{\"path\":\"a\",\"label\":\"000000\",\"state\":\"stopping\",\"pid\":1,\"command\":[\"m\"],"
     "\"taps\":[]}",
     "info a: 'm' 1 taps no (stopping)\n"},
    {"{\"path\":\"a\",\"label\":\"000000\",\"state\":\"starting\",\"pid\":null,"
     "\"command\":[\"m\"],\"taps\":[]}",
     "info a: 'm' ? taps no (starting)\n"},
    {"{\"path\":\"a\",\"label\":\"000000\",\"state\":\"ended\",\"pid\":null,\"command\":[\"m\"],"
     "\"ended\":\"2017-07-10T09:43:39.000001Z\",\"end\":{\"exit\":0}}",
     "info a: 'm' stopped 2017-07-10 09:43:39 +00:00 with exit 0\n"},
    {"{\"path\":\"a\",\"label\":\"000000\",\"state\":\"ended\",\"pid\":1,\"command\":[\"m\"],"
     "\"ended\":\"2017-07-10T09:43:39.000001Z\",\"end\":{\"unknown\":true}}",
     "info a: 'm' 1 stopped 2017-07-10 09:43:39 +00:00, nobody knows how\n"},
    {"{}", "info ?: ? ? taps no\n"},
    {"{\"path\":7,\"command\":{},\"taps\":[1],\"pid\":\"\\u001b\"}", "info ?: ? ? taps ?\n"},
    {"{\"path\":\"\\u001b[m\",\"command\":[\"\\u202e\",3],\"taps\":[{\"name\":\"\\n\"}]}",
     "info \\x1b[m: '\\u202e' '?' ? taps \\x0a\n"},
};

static void test_vms(void **state)
{
	const struct names names = {0};
	(void)state;

	for (size_t i = 0; i < sizeof(vms) / sizeof(vms[0]); i++) {
		struct output output = output_open();
		json_t *vm = parse(vms[i][0]);
		format_vm(&output, &names, vm);
		output_is(&output, vms[i][1]);
		json_decref(vm);
	}
}

#define T "\"time\":\"2017-07-09T18:44:52.5Z\","
static const struct {
	const char *json, *line;
	enum console_entry kind;
} entries[] = {
    {"{" T "\"line\":\"  __|  _ \\\\\"}", "console hello: 2017-07-09 18:44:52 +00:00   __|  _ \\\n",
     CONSOLE_LINE},
    {"{" T "\"line\":\"\"}", "console hello: 2017-07-09 18:44:52 +00:00 \n", CONSOLE_LINE},
    {"{" T "\"line\":\"a\\u0000\\u001b\"}",
     "console hello: 2017-07-09 18:44:52 +00:00 a\\x00\\x1b\n", CONSOLE_LINE},
    {"{" T "\"line_b64\":\"/w==\"}", "console hello: 2017-07-09 18:44:52 +00:00 \\xff\n",
     CONSOLE_LINE},
    {"{" T "\"line_b64\":\"/2E=\"}", "console hello: 2017-07-09 18:44:52 +00:00 \\xffa\n",
     CONSOLE_LINE},
    {"{" T "\"line_b64\":\"/2Fi\"}", "console hello: 2017-07-09 18:44:52 +00:00 \\xffab\n",
     CONSOLE_LINE},
    {"{" T "\"line_b64\":\"\"}", "console hello: 2017-07-09 18:44:52 +00:00 \n", CONSOLE_LINE},
    {"{" T "\"line_b64\":\"=\"}", "console hello: 2017-07-09 18:44:52 +00:00 =\n", CONSOLE_LINE},
    {"{" T "\"line_b64\":\"====\"}", NULL, CONSOLE_LINE},
    {"{\"line\":\"x\"}", "console hello: ? x\n", CONSOLE_LINE},
    {"{\"gap\":12}", "console hello: gap: 12 lines lost\n", CONSOLE_GAP},
    {"{\"detached\":\"attached elsewhere\"}", "console hello: detached: attached elsewhere\n",
     CONSOLE_DETACHED},
    {"{\"ended\":{\"exit\":7}}", "console hello: stopped with exit 7\n", CONSOLE_ENDED},
    {"{\"ended\":{\"signal\":9}}", "console hello: stopped with signal 9\n", CONSOLE_ENDED},
    {"{\"ended\":{\"unknown\":true}}", "console hello: stopped, nobody knows how\n", CONSOLE_ENDED},
    {"{\"new\":1}", "console hello: something that this version does not know\n", CONSOLE_UNKNOWN},
    {"[]", "console hello: something that this version does not know\n", CONSOLE_UNKNOWN},
};

static void test_console(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		struct output output = output_open();
		json_t *entry = parse(entries[i].json);
		assert_int_equal(format_console(&output, "hello", entry), entries[i].kind);
		if (entries[i].line) {
			output_is(&output, entries[i].line);
		} else {
			fclose(output.to);
			free(text);
		}
		json_decref(entry);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_times),
	    cmocka_unit_test(test_vms),
	    cmocka_unit_test(test_console),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
