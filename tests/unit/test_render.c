/* JSON and text of what a session is told: the fields, and that no byte of a guest gets out raw. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "render.h"

static char out[RENDER_ENTRY_MAX];

static void assert_entry(size_t size, const char *expected)
{
	assert_int_equal(size, strlen(expected));
	assert_memory_equal(out, expected, size);
}

static const struct msg_line *line(const char *bytes, size_t size)
{
	static struct msg_line made;

	made.time_us = 1499679819000042;
	made.size = (uint32_t)size;
	memcpy(made.bytes, bytes, size);
	return &made;
}

#define TIME_JSON  "{\"time\":\"2017-07-10T09:43:39.000042Z\","
#define TIME_PLAIN "2017-07-10 09:43:39 +00:00 "

static void test_line_json(void **state)
{
	(void)state;
	assert_entry(render_line(line("", 0), false, out), TIME_JSON "\"line\":\"\"}\n");
	assert_entry(render_line(line("hello\t\"\\", 8), false, out),
		     TIME_JSON "\"line\":\"hello\\t\\\"\\\\\"}\n");
	assert_entry(render_line(line("\x1b[2J\0\xc2\x9b\xf0\x9f\x90\xab", 11), false, out),
		     TIME_JSON "\"line\":\"\\u001B[2J\\u0000\\u009B\\uD83D\\uDC2B\"}\n");
	assert_entry(render_line(line("\xff", 1), false, out),
		     TIME_JSON "\"line_b64\":\"/w==\"}\n");
	assert_entry(render_line(line("\xff\xfe", 2), false, out),
		     TIME_JSON "\"line_b64\":\"//4=\"}\n");
	assert_entry(render_line(line("a\xc0\x80", 3), false, out),
		     TIME_JSON "\"line_b64\":\"YcCA\"}\n");
}

static void test_line_plain(void **state)
{
	(void)state;
	assert_entry(render_line(line("gr\xc3\xbc\xc3\x9f\t!", 8), true, out),
		     TIME_PLAIN "gr\xc3\xbc\xc3\x9f\t!\n");
	assert_entry(render_line(line("\x1b[2J\0\n\x7f\xc2\x9b\xff", 10), true, out),
		     TIME_PLAIN "\\x1b[2J\\x00\\x0a\\x7f\\xc2\\x9b\\xff\n");
}

/* The longest line of the byte that grows most, in both forms, fits. */
static void test_longest_lines(void **state)
{
	static char bytes[CONSOLE_LINE_MAX];
	static const char *const kinds[] = {"\x01", "\xff", "\xc2\x9b", "\xf0\x9f\x90\xab", "\""};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t len = strlen(kinds[i]), n = sizeof(bytes) / len * len;

		for (size_t at = 0; at < n; at += len)
			memcpy(bytes + at, kinds[i], len);
		for (int plain = 0; plain < 2; plain++) {
			size_t size = render_line(line(bytes, n), plain, out);

			assert_true(size > n && size <= RENDER_ENTRY_MAX);
			assert_int_equal(out[size - 1], '\n');
			assert_null(memchr(out, '\n', size - 1));
			assert_null(memchr(out, '\x01', size));
		}
	}
}

static void test_other_entries(void **state)
{
	const struct msg_ended ended[] = {{END_EXIT, 3}, {END_SIGNAL, 9}, {END_UNKNOWN, 0}};

	(void)state;
	assert_entry(render_gap(&(struct msg_gap){7}, false, out), "{\"gap\":7}\n");
	assert_entry(render_gap(&(struct msg_gap){7}, true, out), "-- 7 lines lost --\n");
	assert_entry(render_detached("attached elsewhere", false, out),
		     "{\"detached\":\"attached elsewhere\"}\n");
	assert_entry(render_detached("attached elsewhere", true, out),
		     "-- detached: attached elsewhere --\n");
	assert_entry(render_ended(&ended[0], false, out), "{\"ended\":{\"exit\":3}}\n");
	assert_entry(render_ended(&ended[1], false, out), "{\"ended\":{\"signal\":9}}\n");
	assert_entry(render_ended(&ended[2], false, out), "{\"ended\":{\"unknown\":true}}\n");
	assert_entry(render_ended(&ended[0], true, out), "-- ended: exit 3 --\n");
	assert_entry(render_ended(&ended[2], true, out), "-- ended: unknown --\n");
}

/* Takes VALUE. */
static void assert_json(json_t *value, const char *expected)
{
	char *text = json_dumps(value, JSON_COMPACT);

	assert_non_null(text);
	assert_string_equal(text, expected);
	free(text);
	json_decref(value);
}

static void test_vm(void **state)
{
	static struct msg_reply_vm vm;

	(void)state;
	snprintf(vm.path, sizeof(vm.path), "dev/hello");
	snprintf(vm.label, sizeof(vm.label), "43a0ff.82db56");
	vm.state = VM_ENDED;
	vm.cpuid = 3;
	vm.memory_mb = 32;
	vm.started_us = 1499679819000042;
	vm.ended_us = 1499679820000000;
	vm.end = END_SIGNAL;
	vm.end_value = 9;
	vm.digest_known = 1;
	vm.sha256[0] = 0xab;
	vm.image_size = 3054000;
	snprintf(vm.target, sizeof(vm.target), "hvt");
	strings_add(&vm.argv, "");
	strings_add(&vm.argv, "--x=\"1\"");
	vm.ntaps = 1;
	snprintf(vm.tap[0].name, sizeof(vm.tap[0].name), "tap27");
	snprintf(vm.tap[0].bridge, sizeof(vm.tap[0].bridge), "ext");
	memcpy(vm.tap[0].mac, "\x02\x0b\0\0\0\xff", 6);
	memcpy(vm.tap[0].address, "\x0a\0\0\x02", 4);
	vm.nvolumes = 1;
	snprintf(vm.volume[0].volume, sizeof(vm.volume[0].volume), "data");
	snprintf(vm.volume[0].device, sizeof(vm.volume[0].device), "storage");
	assert_json(
	    render_vm(&vm),
	    "{\"path\":\"dev/hello\",\"name\":\"hello\",\"label\":\"43a0ff.82db56\","
	    "\"state\":\"ended\",\"pid\":null,\"cpuid\":3,\"memory_mb\":32,"
	    "\"started\":\"2017-07-10T09:43:39.000042Z\","
	    "\"ended\":\"2017-07-10T09:43:40.000000Z\",\"end\":{\"signal\":9},"
	    "\"image\":{\"sha256\":"
	    "\"ab00000000000000000000000000000000000000000000000000000000000000\","
	    "\"size\":3054000,\"target\":\"hvt\"},\"argv\":[\"\",\"--x=\\\"1\\\"\"],"
	    "\"command\":[],\"taps\":[{\"name\":\"tap27\",\"bridge\":\"ext\",\"device\":\"\","
	    "\"mac\":\"02:0b:00:00:00:ff\",\"address\":\"10.0.0.2\"}],"
	    "\"volumes\":[{\"name\":\"data\",\"device\":\"storage\"}]}");
}

static void test_whoami(void **state)
{
	static struct msg_reply_whoami whoami;
	static struct msg_reply_level level;
	json_t *value;

	(void)state;
	snprintf(whoami.leaf.name, sizeof(whoami.leaf.name), "admin");
	snprintf(whoami.label, sizeof(whoami.label), "82db56");
	whoami.permissions = PERMIT_ALL | PERMIT_FORCE_CREATE | 1 << 20;
	whoami.expires = 1499679819;
	value = render_whoami(&whoami);
	snprintf(level.path, sizeof(level.path), "dev");
	snprintf(level.label, sizeof(level.label), "820000");
	level.granted.vms = 2;
	level.granted.memory_mb = 1024;
	cpuset_add(&level.granted.cpus, 0);
	cpuset_add(&level.granted.cpus, 1023);
	level.used_vms = 1;
	level.used_memory_mb = 2000;
	assert_true(render_level(value, &level));
	level.relation = LEVEL_OWN;
	assert_true(render_level(value, &level));
#define LEVEL(relation)                                                            \
	"{\"name\":\"dev\",\"path\":\"dev\",\"label\":\"820000\","                 \
	"\"relation\":\"" relation "\",\"granted\":{\"vms\":2,\"memory_mb\":1024," \
	"\"block_mb\":0,\"cpuids\":[0,1023],\"bridges\":[]}"
	assert_json(value, "{\"name\":\"admin\",\"label\":\"82db56\",\"kind\":\"command\","
			   "\"permissions\":[\"all\",\"force-create\"],"
			   "\"expires\":\"2017-07-10T09:43:39.000000Z\",\"delegations\":[" LEVEL(
			       "above") "}," LEVEL("own") ",\"used\":{\"vms\":1,\"memory_mb\":2000,"
							  "\"block_mb\":0},"
							  "\"free\":{\"vms\":1,\"memory_mb\":0,"
							  "\"block_mb\":0}}]}");
}

static void test_problem(void **state)
{
	(void)state;
	assert_json(render_problem(409, "quota", "dev has no room for another VM"),
		    "{\"type\":\"urn:vmm:quota\",\"title\":\"Conflict\",\"status\":409,"
		    "\"detail\":\"dev has no room for another VM\"}");
	/* A monitor's words may be cut in the middle of a character. */
	assert_json(render_problem(422, "image", "no \xff\xc3"),
		    "{\"type\":\"urn:vmm:image\",\"title\":\"The image cannot run\",\"status\":422,"
		    "\"detail\":\"no \xef\xbf\xbd\xef\xbf\xbd\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_line_json),
	    cmocka_unit_test(test_line_plain),
	    cmocka_unit_test(test_longest_lines),
	    cmocka_unit_test(test_other_entries),
	    cmocka_unit_test(test_vm),
	    cmocka_unit_test(test_whoami),
	    cmocka_unit_test(test_problem),
	};

	return cmocka_run_group_tests_name("render", tests, NULL, NULL);
}
