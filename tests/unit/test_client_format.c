/* The server's JSON as lines: word for word, and whatever is missing or wrong in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/client/format.h"
#include "../../src/client/quota.h"

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

static struct db_entry mine = {.name = "mine",
			       .label = {.byte = {0x82, 0xdb, 0x56, 0x81, 0xd2, 0x0e}}};
static const struct names with_db = {.db = {.entry = &mine, .count = 1}};

/* Pairs of JSON and how SHOW shows it. */
static void are_shown(const char *const cases[][2], size_t count,
		      void (*show)(const struct output *output, const json_t *value))
{
	for (size_t i = 0; i < count; i++) {
		struct output output = output_open();
		json_t *value = parse(cases[i][0]);
		show(&output, value);
		output_is(&output, cases[i][1]);
		json_decref(value);
	}
}
#define ARE_SHOWN(cases, show) are_shown(cases, sizeof(cases) / sizeof((cases)[0]), show)

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
    {"{\"path\":\"a\",\"label\":\"1\",\"state\":\"running\",\"command\":[\"m\"],\"pid\":1,"
     "\"taps\":[{\"name\":\"t0\",\"address\":\"10.0.0.2\"},{\"name\":\"t1\",\"address\":null},"
     "{\"name\":\"t2\",\"address\":\"10.0.1.2\"}]}",
     "info a: 'm' 1 taps t0, t1, t2 addresses 10.0.0.2, 10.0.1.2\n"},
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
    {"{\"path\":\"a\",\"label\":\"000000\",\"state\":\"ended\",\"pid\":null,\"command\":[\"m\"],"
     "\"ended\":\"2017-07-10T09:43:39.000001Z\",\"end\":{\"signal\":15},\"cause\":\"destroyed\"}",
     "info a: 'm' stopped 2017-07-10 09:43:39 +00:00 with signal 15 (destroyed)\n"},
    {"{\"path\":\"a\",\"label\":\"000000\",\"state\":\"ended\",\"pid\":null,\"command\":[\"m\"],"
     "\"ended\":\"2017-07-10T09:43:39.000001Z\",\"end\":{\"exit\":7},\"cause\":\"guest\"}",
     "info a: 'm' stopped 2017-07-10 09:43:39 +00:00 with exit 7\n"},
    {"{}", "info ?: ? ? taps no\n"},
    {"{\"path\":7,\"command\":{},\"taps\":[1],\"pid\":\"\\u001b\"}", "info ?: ? ? taps ?\n"},
    {"{\"path\":\"\\u001b[m\",\"command\":[\"\\u202e\",3],\"taps\":[{\"name\":\"\\n\"}]}",
     "info \\x1b[m: '\\u202e' '?' ? taps \\x0a\n"},
};

static void show_vm(const struct output *output, const json_t *vm)
{
	format_vm(output, &with_db, vm);
}

/* With their MACs, where they are asked for. */
static const char *const vms_asked_for[][2] = {
    {"{\"path\":\"a\",\"label\":\"1\",\"state\":\"running\",\"command\":[\"m\"],\"pid\":1,"
     "\"taps\":[{\"name\":\"t0\",\"mac\":\"be:31:48:72:2d:77\",\"address\":\"10.0.0.2\"},"
     "{\"name\":\"t1\",\"mac\":\"ee:c6:47:f3:8c:40\",\"address\":null}]}",
     "info a: 'm' 1 taps t0, t1 macs be:31:48:72:2d:77, ee:c6:47:f3:8c:40 addresses 10.0.0.2\n"},
    {"{\"path\":\"a\",\"label\":\"1\",\"state\":\"running\",\"command\":[\"m\"],\"pid\":1,"
     "\"taps\":[]}",
     "info a: 'm' 1 taps no\n"},
};

static void show_vm_macs(const struct output *output, const json_t *vm)
{
	format_vm_macs(output, &with_db, vm);
}

static void test_vms(void **state)
{
	(void)state;
	ARE_SHOWN(vms, show_vm);
	ARE_SHOWN(vms_asked_for, show_vm_macs);
}

#define T "\"time\":\"2017-07-09T18:44:52.5Z\","
static const struct {
	const char *json, *line;
	enum stream_entry kind;
} entries[] = {
    {"{" T "\"line\":\"  __|  _ \\\\\"}", "console hello: 2017-07-09 18:44:52 +00:00   __|  _ \\\n",
     STREAM_LINE},
    {"{" T "\"line\":\"\"}", "console hello: 2017-07-09 18:44:52 +00:00 \n", STREAM_LINE},
    {"{" T "\"line\":\"a\\u0000\\u001b\"}",
     "console hello: 2017-07-09 18:44:52 +00:00 a\\x00\\x1b\n", STREAM_LINE},
    {"{" T "\"line_b64\":\"/w==\"}", "console hello: 2017-07-09 18:44:52 +00:00 \\xff\n",
     STREAM_LINE},
    {"{" T "\"line_b64\":\"/2E=\"}", "console hello: 2017-07-09 18:44:52 +00:00 \\xffa\n",
     STREAM_LINE},
    {"{" T "\"line_b64\":\"/2Fi\"}", "console hello: 2017-07-09 18:44:52 +00:00 \\xffab\n",
     STREAM_LINE},
    {"{" T "\"line_b64\":\"\"}", "console hello: 2017-07-09 18:44:52 +00:00 \n", STREAM_LINE},
    {"{" T "\"line_b64\":\"=\"}", "console hello: 2017-07-09 18:44:52 +00:00 =\n", STREAM_LINE},
    {"{" T "\"line_b64\":\"====\"}", NULL, STREAM_LINE},
    {"{\"line\":\"x\"}", "console hello: ? x\n", STREAM_LINE},
    {"{\"gap\":12}", "console hello: gap: 12 lines lost\n", STREAM_GAP},
    {"{\"detached\":\"attached elsewhere\"}", "console hello: detached: attached elsewhere\n",
     STREAM_DETACHED},
    {"{\"ended\":{\"exit\":7}}", "console hello: stopped with exit 7\n", STREAM_ENDED},
    {"{\"ended\":{\"signal\":9}}", "console hello: stopped with signal 9\n", STREAM_ENDED},
    {"{\"ended\":{\"unknown\":true}}", "console hello: stopped, nobody knows how\n", STREAM_ENDED},
    {"{\"ended\":\"alice was revoked\\n\"}", "console hello: ended: alice was revoked\\x0a\n",
     STREAM_ENDED},
    {"{\"detached\":{}}", "console hello: detached: ?\n", STREAM_DETACHED},
    {"{\"new\":1}", "console hello: something that this version does not know\n", STREAM_UNKNOWN},
    {"[]", "console hello: something that this version does not know\n", STREAM_UNKNOWN},
};

static void test_volumes(void **state)
{
	static const char *const volumes[][2] = {
	    {"{\"path\":\"vol\",\"label\":\"\",\"size_mb\":64,\"allocated\":0}",
	     "volume vol: 64 MB, 0 MB on disk\n"},
	    {"{\"path\":\"eve/vol\",\"label\":\"777777\",\"size_mb\":2147483647,"
	     "\"allocated\":1048577,\"vm\":\"eve/a b\"}",
	     "volume eve/vol: 2147483647 MB, 2 MB on disk, used by eve/a b\n"},
	    {"{\"path\":\"\\u001b\",\"label\":\"\",\"size_mb\":1,\"allocated\":9223372036854775807,"
	     "\"vm\":\"\\n\"}",
	     "volume \\x1b: 1 MB, 8796093022208 MB on disk, used by \\x0a\n"},
	    {"{\"size_mb\":\"x\",\"vm\":7}", "volume ?: ? MB, ? MB on disk\n"},
	};
	const struct names names = {0};
	(void)state;

	for (size_t i = 0; i < sizeof(volumes) / sizeof(volumes[0]); i++) {
		struct output output = output_open();
		json_t *volume = parse(volumes[i][0]);
		format_volume(&output, &names, volume);
		output_is(&output, volumes[i][1]);
		json_decref(volume);
	}
}

static void test_console(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		struct output output = output_open();
		json_t *entry = parse(entries[i].json);
		assert_int_equal(stream_entry(entry), entries[i].kind);
		format_console(&output, "hello", entry);
		if (entries[i].line) {
			output_is(&output, entries[i].line);
		} else {
			fclose(output.to);
			free(text);
		}
		json_decref(entry);
	}
}

static const char *const events[][2] = {
    {"{" T "\"path\":\"a/b\",\"label\":\"0237f3.43a0ff\",\"text\":\"a/b LOGIN 192.0.2.1:43142\"}",
     "log: 2017-07-09 18:44:52 +00:00: a/b LOGIN 192.0.2.1:43142\n"},
    {"{" T "\"path\":\"\",\"label\":\"\",\"text\":\"vmmd STARTUP\"}",
     "log: 2017-07-09 18:44:52 +00:00: vmmd STARTUP\n"},
    /* The db's name for 82db5681d20e..., within a path; not where the text has another name. */
    {"{" T "\"path\":\"x\",\"label\":\"82db56\",\"text\":\"x STARTED 1 (tap no, block no)\"}",
     "log: 2017-07-09 18:44:52 +00:00: mine STARTED 1 (tap no, block no)\n"},
    {"{" T "\"path\":\"x\",\"label\":\"82db56\",\"text\":\"xy LOGIN ::1\"}",
     "log: 2017-07-09 18:44:52 +00:00: xy LOGIN ::1\n"},
    {"{\"text\":\"a\\nb\\u001b\"}", "log: ?: a\\x0ab\\x1b\n"},
    {"{\"gap\":7}", "log: gap: 7 entries lost\n"},
    {"{\"ended\":\"the session expired\"}", "log: ended: the session expired\n"},
    {"{\"detached\":\"log restarted\"}", "log: detached: log restarted\n"},
    {"{}", "log: something that this version does not know\n"},
};

static void show_event(const struct output *output, const json_t *entry)
{
	format_log(output, &with_db, entry);
}

static void test_log(void **state)
{
	(void)state;
	ARE_SHOWN(events, show_event);
}

static const char *const revoked[][2] = {
    {"{\"kind\":\"vm\",\"path\":\"alice/hello\",\"label\":\"1.2\"}", "ended VM alice/hello\n"},
    {"{\"kind\":\"session\",\"path\":\"eve/admin\",\"label\":\"1.2\",\"peer\":\"[::1]:7\"}",
     "ended session eve/admin [::1]:7\n"},
    {"{\"kind\":\"vm\",\"path\":\"x\",\"label\":\"82db56\"}", "ended VM mine\n"},
    {"{\"kind\":\"\\u001b\"}", "ended \\x1b ?\n"},
};

static void show_revoked(const struct output *output, const json_t *ended)
{
	format_revoked(output, &with_db, ended);
}

static void test_revoked(void **state)
{
	(void)state;
	ARE_SHOWN(revoked, show_revoked);
}

static const char *const quotas[][2] = {
    {"[{\"relation\":\"above\",\"name\":\"alice\",\"path\":\"alice\",\"label\":\"1\","
     "\"granted\":{\"vms\":4,\"memory_mb\":2048,\"block_mb\":10,"
     "\"cpuids\":[0,1,2,5,7,8],\"bridges\":[\"ext\",\"la\\u001bn\"]}},"
     "{\"relation\":\"own\",\"name\":\"dan\",\"path\":\"alice/dan\",\"label\":\"1.2\","
     "\"granted\":{\"vms\":2,\"memory_mb\":1024,\"block_mb\":0,"
     "\"cpuids\":[0],\"bridges\":[\"ext\"]},"
     "\"used\":{\"vms\":3,\"memory_mb\":96,\"block_mb\":0},"
     "\"free\":{\"vms\":0,\"memory_mb\":928,\"block_mb\":0}},"
     "{\"relation\":\"below\",\"name\":\"\xc3\xa9v\xc3\xa9\",\"path\":\"\xc3\xa9v\xc3\xa9\","
     "\"label\":\"82db57\","
     "\"granted\":{\"vms\":1,\"memory_mb\":64,\"block_mb\":0,\"cpuids\":[],\"bridges\":[]},"
     "\"used\":{\"vms\":0,\"memory_mb\":0,\"block_mb\":0},"
     "\"free\":{\"vms\":1,\"memory_mb\":64,\"block_mb\":0}}]",
     "quota dan:            3 of 2 VMs, 0 free  96 of 1024 MB memory, 928 free  "
     "0 of 0 MB block, 0 free  CPU 0  bridge ext\n"
     "quota \xc3\xa9v\xc3\xa9:            0 of 1 VMs, 1 free  0 of 64 MB memory, 64 free      "
     "0 of 0 MB block, 0 free  no CPU\n"
     "quota alice (above):  4 VMs               2048 MB memory                  "
     "10 MB block              CPUs 0-2, 5, 7-8  bridges ext, la\\x1bn\n"},
    {"[{\"relation\":\"own\",\"name\":\"\",\"path\":\"\",\"label\":\"\","
     "\"granted\":{\"vms\":null,\"memory_mb\":100,\"block_mb\":5,"
     "\"cpuids\":[0,1],\"bridges\":[]},\"used\":{},\"free\":{}}]",
     "quota this host:  ? of any VMs, ? free  ? of 100 MB memory, ? free  ? of 5 MB block, ? free  "
     "CPUs 0-1\n"},
    {"[{\"relation\":\"below\",\"path\":\"x\",\"label\":\"82db56\",\"granted\":7}]",
     "quota mine:  ? VMs  ? MB memory  ? MB block  no CPU\n"},
    {"[]", ""},
    {"{}", ""},
};

static void show_quota(const struct output *output, const json_t *levels)
{
	assert_true(format_quota(output, &with_db, levels));
}

static void test_quotas(void **state)
{
	(void)state;
	ARE_SHOWN(quotas, show_quota);
}

/* Own, below, above; by path, what is below a name before the next one. */
static void test_order_of_quotas(void **state)
{
	static const char *const levels[][2] = {
	    {"above", "top/sub"}, {"below", "b"},   {"below", "a/x/y"}, {"below", "a.b"},
	    {"below", "a"},	  {"above", "top"}, {"below", "a/x"},	{"own", "top/sub/own"},
	};
	static const char *const order[] = {"top/sub/own", "a", "a/x", "a/x/y",
					    "a.b",	   "b", "top", "top/sub"};
	json_t *list = json_array();
	struct output output = output_open();
	char *rest = NULL;
	(void)state;

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "relation",
						      levels[i][0], "path", levels[i][1], "name",
						      levels[i][1], "label", "1"));
	assert_true(format_quota(&output, &with_db, list));
	fclose(output.to);
	strtok_r(text, " ", &rest);
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		const char *name = strtok_r(NULL, " :", &rest);
		assert_string_equal(name, order[i]);
		strtok_r(NULL, "\n", &rest);
		strtok_r(NULL, " ", &rest);
	}
	free(text);
	json_decref(list);
}

static void test_colours(void **state)
{
	const struct names names = {0};
	struct output output = output_open();
	json_t *vm = parse("{\"path\":\"\\u001b\",\"label\":\"1\",\"command\":[\"m\"],\"pid\":1}");
	json_t *level = parse("[{\"relation\":\"own\",\"name\":\"a\",\"granted\":{}}]");
	(void)state;

	output.colour = true;
	format_vm(&output, &names, vm);
	format_quota(&output, &names, level);
	output_is(&output, "info \033[36m\\x1b\033[m: 'm' 1 taps no\n"
			   "quota \033[36ma\033[m:  ? VMs  ? MB memory  ? MB block  no CPU\n");
	json_decref(vm);
	json_decref(level);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_times),   cmocka_unit_test(test_vms),
	    cmocka_unit_test(test_volumes), cmocka_unit_test(test_console),
	    cmocka_unit_test(test_log),	    cmocka_unit_test(test_revoked),
	    cmocka_unit_test(test_quotas),  cmocka_unit_test(test_order_of_quotas),
	    cmocka_unit_test(test_colours),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
