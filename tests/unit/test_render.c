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
	assert_entry(render_gap(&(struct msg_gap){7}, "lines", false, out), "{\"gap\":7}\n");
	assert_entry(render_gap(&(struct msg_gap){7}, "entries", true, out),
		     "-- 7 entries lost --\n");
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

static struct path path_of(const char *top, const char *name)
{
	struct path path = {.depth = 2};

	path.node[0].label.byte[0] = 0x82;
	path.node[1].label.byte[31] = 0xff;
	snprintf(path.node[0].name, sizeof(path.node[0].name), "%s", top);
	snprintf(path.node[1].name, sizeof(path.node[1].name), "%s", name);
	return path;
}

#define ZEROS		   "00000000000000000000000000000000000000000000000000000000000000"
#define ENTRY(event, rest) "{\"seq\":1499679819000099," ENTRY_TIME "\"event\":\"" event "\"," rest
#define ENTRY_TIME	   "\"time\":\"2017-07-10T09:43:39.000042Z\","
#define HELLO		   "\"path\":\"dev/hello\",\"label\":\"82" ZEROS "." ZEROS "ff\","

/* ENTRY in both forms; "text" is entry_text's own. */
static void assert_log_entry(const struct log_entry *entry, const char *before, const char *after)
{
	static char text[ENTRY_TEXT_SIZE], expected[RENDER_ENTRY_MAX];

	entry_text(entry, 0, text);
	snprintf(expected, sizeof(expected), "%s\"text\":\"%s\"%s}\n", before, text, after);
	assert_entry(render_entry(entry, false, out), expected);
	snprintf(expected, sizeof(expected), "2017-07-10 09:43:39 +00:00: %s\n", text);
	assert_entry(render_entry(entry, true, out), expected);
}

/* Each type has its own fields, and no others whatever is in them. */
static void test_log_entries(void **state)
{
	static const struct {
		uint32_t type;
		const char *event, *fields;
	} rows[] = {
	    {ENTRY_LOGIN, "LOGIN", ",\"peer\":\"[::1]:4711\""},
	    {ENTRY_LOGOUT, "LOGOUT", ",\"peer\":\"[::1]:4711\",\"detail\":\"why\""},
	    {ENTRY_REFUSED, "REFUSED", ",\"peer\":\"[::1]:4711\",\"detail\":\"why\""},
	    {ENTRY_DELEGATE, "DELEGATE", ",\"detail\":\"why\""},
	    {ENTRY_STARTED, "STARTED",
	     ",\"pid\":27,\"taps\":[\"tap1\",\"tap2\"],\"blocks\":[\"data\"]"},
	    {ENTRY_FAILED, "FAILED", ",\"detail\":\"why\""},
	    {ENTRY_REPLACED, "REPLACED", ",\"pid\":27,\"by\":\"dev/admin\""},
	    {ENTRY_STOPPED, "STOPPED",
	     ",\"pid\":27,\"end\":{\"signal\":9},\"cause\":\"destroyed\",\"by\":\"dev/admin\""},
	    {ENTRY_REVOKED, "REVOKED", ",\"by\":\"dev/admin\",\"number\":12"},
	    {ENTRY_BLOCK_CREATE, "BLOCK_CREATE", ",\"volume\":\"disk\",\"mb\":12"},
	    {ENTRY_BLOCK_DESTROY, "BLOCK_DESTROY", ",\"volume\":\"disk\""},
	};
	static struct log_entry entry;
	char before[512];

	(void)state;
	entry = (struct log_entry){.seq = 1499679819000099,
				   .time_us = 1499679819000042,
				   .pid = 27,
				   .end = END_SIGNAL,
				   .end_value = 9,
				   .cause = CAUSE_DESTROYED,
				   .number = 12,
				   .peer = "[::1]:4711",
				   .taps = "tap1, tap2",
				   .blocks = "data",
				   .volume = "disk",
				   .detail = "why"};
	entry.path = path_of("dev", "hello");
	entry.by = path_of("dev", "admin");
	assert_int_equal(sizeof(rows) / sizeof(rows[0]), ENTRY_TYPES - ENTRY_STARTUP - 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		entry.type = rows[i].type;
		snprintf(before, sizeof(before), ENTRY("%s", HELLO), rows[i].event);
		assert_log_entry(&entry, before, rows[i].fields);
	}
}

/* What is not there is null or empty, not absent. */
static void test_log_entries_without(void **state)
{
	static struct log_entry entry;

	(void)state;
	entry = (struct log_entry){
	    .seq = 1499679819000099, .time_us = 1499679819000042, .type = ENTRY_STARTUP};
	assert_log_entry(&entry, ENTRY("STARTUP", "\"path\":\"\",\"label\":\"\","), "");
	entry.path = path_of("dev", "hello");
	entry.type = ENTRY_LOGOUT;
	assert_log_entry(&entry, ENTRY("LOGOUT", HELLO), ",\"peer\":\"\",\"detail\":null");
	entry.type = ENTRY_STARTED;
	assert_log_entry(&entry, ENTRY("STARTED", HELLO), ",\"pid\":0,\"taps\":[],\"blocks\":[]");
	entry.type = ENTRY_STOPPED;
	entry.end = END_UNKNOWN;
	entry.cause = CAUSE_UNKNOWN;
	assert_log_entry(&entry, ENTRY("STOPPED", HELLO),
			 ",\"pid\":0,\"end\":{\"unknown\":true},\"cause\":\"unknown\",\"by\":null");
}

/* UNIT as often as TEXT has room for it. */
static void fill(char *text, size_t size, const char *unit)
{
	size_t len = strlen(unit), n = (size - 1) / len * len;

	for (size_t at = 0; at < n; at += len)
		memcpy(text + at, unit, len);
	text[n] = '\0';
}

/* Every string of ENTRY as long as it can be. */
static void fill_entry(struct log_entry *entry, const char *unit)
{
	*entry = (struct log_entry){.path.depth = PATH_DEPTH_MAX};
	fill(entry->taps, sizeof(entry->taps), unit);
	fill(entry->blocks, sizeof(entry->blocks), unit);
	fill(entry->detail, sizeof(entry->detail), unit);
	fill(entry->peer, sizeof(entry->peer), unit);
	for (size_t i = 0; i < PATH_DEPTH_MAX; i++)
		fill(entry->path.node[i].name, NAME_SIZE, "\xc3\xbc");
	entry->by = entry->path;
}

/* The longest entry there can be, of the byte that grows most, fits. */
static void test_longest_log_entry(void **state)
{
	static const char *const kinds[] = {"\"", "\x01", "\xc2\x9b", "\xc3\xbc"};
	static struct log_entry entry;

	(void)state;
	for (size_t k = 0; k < 2 * sizeof(kinds) / sizeof(kinds[0]); k++) {
		fill_entry(&entry, kinds[k / 2]);
		for (entry.type = ENTRY_STARTUP; entry.type < ENTRY_TYPES; entry.type++) {
			size_t size = render_entry(&entry, k % 2, out);

			assert_in_range(size, 1, RENDER_ENTRY_MAX);
			assert_int_equal(out[size - 1], '\n');
		}
	}
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
	json_t *value;

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
	vm.cause = CAUSE_SECCOMP;
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
	    "\"ended\":\"2017-07-10T09:43:40.000000Z\",\"end\":{\"signal\":9},\"cause\":"
	    "\"seccomp\","
	    "\"image\":{\"sha256\":"
	    "\"ab00000000000000000000000000000000000000000000000000000000000000\","
	    "\"size\":3054000,\"target\":\"hvt\"},\"argv\":[\"\",\"--x=\\\"1\\\"\"],"
	    "\"command\":[],\"taps\":[{\"name\":\"tap27\",\"bridge\":\"ext\",\"device\":\"\","
	    "\"mac\":\"02:0b:00:00:00:ff\",\"address\":\"10.0.0.2\"}],"
	    "\"volumes\":[{\"name\":\"data\",\"device\":\"storage\"}]}");
	vm.replaced = 4711;
	value = render_vm(&vm);
	assert_int_equal(json_integer_value(json_object_get(value, "replaced")), 4711);
	json_decref(value);
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

/* What a session that the root CA signed sees: the host, then what is known below. */
static void test_whoami_of_the_root(void **state)
{
	static struct msg_reply_whoami whoami;
	static struct msg_reply_level level;
	json_t *value;

	(void)state;
	snprintf(whoami.leaf.name, sizeof(whoami.leaf.name), "admin");
	value = render_whoami(&whoami);
	level.relation = LEVEL_OWN;
	level.granted.vms = POLICY_NUMBER_MAX;
	level.granted.memory_mb = 1024;
	level.used_vms = 3;
	assert_true(render_level(value, &level));
	level.relation = LEVEL_BELOW;
	snprintf(level.path, sizeof(level.path), "alice/dan");
	snprintf(level.label, sizeof(level.label), "82db56.43a0ff");
	assert_true(render_level(value, &level));
	assert_json(json_incref(json_object_get(value, "delegations")),
		    "[{\"name\":\"this host\",\"path\":\"\",\"label\":\"\",\"relation\":\"own\","
		    "\"granted\":{\"vms\":null,\"memory_mb\":1024,\"block_mb\":null,\"cpuids\":[],"
		    "\"bridges\":[]},\"used\":{\"vms\":3,\"memory_mb\":0,\"block_mb\":0},"
		    "\"free\":{\"vms\":null,\"memory_mb\":1024,\"block_mb\":null}},"
		    "{\"name\":\"dan\",\"path\":\"alice/dan\",\"label\":\"82db56.43a0ff\","
		    "\"relation\":\"below\",\"granted\":{\"vms\":2147483647,\"memory_mb\":1024,"
		    "\"block_mb\":0,\"cpuids\":[],\"bridges\":[]},"
		    "\"used\":{\"vms\":3,\"memory_mb\":0,\"block_mb\":0},"
		    "\"free\":{\"vms\":2147483644,\"memory_mb\":1024,\"block_mb\":0}}]");
	json_decref(value);
}

static void test_revoked(void **state)
{
	static struct msg_reply_ended ended = {
	    .kind = ENDED_VM, .path = "dan/hello", .label = "82db56.43a0ff", .peer = "[::1]:4711"};

	(void)state;
	assert_json(render_revoked(&ended), "{\"kind\":\"vm\",\"path\":\"dan/hello\","
					    "\"label\":\"82db56.43a0ff\"}");
	ended.kind = ENDED_SESSION;
	assert_json(render_revoked(&ended), "{\"kind\":\"session\",\"path\":\"dan/hello\","
					    "\"label\":\"82db56.43a0ff\",\"peer\":\"[::1]:4711\"}");
}

static void test_volume(void **state)
{
	struct msg_reply_volume volume = {
	    .path = "dan/d\xc3\xa9p\xc3\xb4t", .label = "82db56", .size_mb = 64, .allocated = 4097};

	(void)state;
	assert_json(render_volume(&volume),
		    "{\"path\":\"dan/d\xc3\xa9p\xc3\xb4t\",\"name\":\"d\xc3\xa9p\xc3\xb4t\","
		    "\"label\":\"82db56\",\"size_mb\":64,\"allocated\":4097}");
	strcpy(volume.path, "vol");
	strcpy(volume.label, "");
	strcpy(volume.holder, "dan/hello");
	volume.size_mb = POLICY_NUMBER_MAX;
	volume.allocated = UINT64_C(1) << 50;
	assert_json(render_volume(&volume),
		    "{\"path\":\"vol\",\"name\":\"vol\",\"label\":\"\",\"size_mb\":2147483647,"
		    "\"allocated\":1125899906842624,\"vm\":\"dan/hello\"}");
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
	    cmocka_unit_test(test_log_entries),
	    cmocka_unit_test(test_log_entries_without),
	    cmocka_unit_test(test_longest_log_entry),
	    cmocka_unit_test(test_vm),
	    cmocka_unit_test(test_whoami),
	    cmocka_unit_test(test_whoami_of_the_root),
	    cmocka_unit_test(test_revoked),
	    cmocka_unit_test(test_volume),
	    cmocka_unit_test(test_problem),
	};

	return cmocka_run_group_tests_name("render", tests, NULL, NULL);
}
