/* Statistics as lines: every number of the JSON is there, and what is missing is "-". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/client/statistics.h"
#include "../../src/client/units.h"

static struct db_entry mine = {.name = "mine",
			       .label = {.byte = {0x82, 0xdb, 0x56, 0x81, 0xd2, 0x0e}}};
static const struct names with_db = {.db = {.entry = &mine, .count = 1}};

static const struct {
	const char *json, *lines;
} cases[] = {
    {"{\"path\":\"x\",\"name\":\"x\",\"label\":\"82db56\",\"pid\":91368,\"cpuid\":3,"
     "\"memory_mb\":32,\"target\":\"hvt\",\"started\":\"2026-11-22T16:09:52.123456Z\","
     "\"uptime_seconds\":10921.5,\"sampled\":\"2026-11-22T19:11:53.5Z\",\"interval_seconds\":10.02,"
     "\"cpu\":{\"user_seconds\":10.14,\"system_seconds\":2.2},"
     "\"memory\":{\"resident_bytes\":12582912,\"shared_bytes\":1048576,\"peak_bytes\":13631488},"
     "\"faults\":{\"minor\":4711,\"major\":2},"
     "\"switches\":{\"voluntary\":100001,\"involuntary\":17},"
     "\"block\":{\"read_bytes\":1536,\"written_bytes\":0},"
     "\"network\":[{\"name\":\"vmm4711-0\",\"device\":\"service\",\"bridge\":\"ext\","
     "\"received_bytes\":1288490189,\"received_packets\":1000000,\"sent_bytes\":77,"
     "\"sent_packets\":1,\"dropped\":3},"
     "{\"name\":\"vmm4711-1\",\"device\":null,\"bridge\":\"lan\",\"received_bytes\":0,"
     "\"received_packets\":0,\"sent_bytes\":0,\"sent_packets\":0,\"dropped\":0}],"
     "\"console\":{\"bytes\":2048,\"lost_lines\":5},\"kvm\":{\"exits\":123456789},"
     "\"rates\":{\"cpu\":0.0049,\"minor_faults\":1.25,\"major_faults\":0,"
     "\"voluntary_switches\":12.5,\"involuntary_switches\":0.1,\"block_read_bytes\":1048576,"
     "\"block_written_bytes\":0,\"received_bytes\":2048,\"received_packets\":3.5,"
     "\"sent_bytes\":10,\"sent_packets\":0.5,\"dropped\":0.1,\"console_bytes\":7,"
     "\"kvm_exits\":500.5}}",
     "statistics mine: pid 91368, cpuid 3, memory 32 MB, hvt, up 3h02m since "
     "2026-11-22 16:09:52 +00:00\n"
     "statistics mine: read 2026-11-22 19:11:53 +00:00, the one before it 10.0 s earlier\n"
     "statistics mine: cpu 12.3 s (user 10.1 s, system 2.2 s), 0.5 % since the one before\n"
     "statistics mine: memory 12 MB resident, 1.0 MB of it shared, 13 MB at most\n"
     "statistics mine: faults 4711 minor (1.2/s), 2 major (0.0/s)\n"
     "statistics mine: switches 100001 voluntary (12.5/s), 17 involuntary (0.1/s)\n"
     "statistics mine: block 1.5 KB read (1.0 MB/s), 0 B written (0 B/s)\n"
     "statistics mine: network vmm4711-0 (device service, bridge ext) 1.2 GB received in 1000000 "
     "packets, 77 B sent in 1, 3 dropped\n"
     "statistics mine: network vmm4711-1 (device -, bridge lan) 0 B received in 0 packets, "
     "0 B sent in 0, 0 dropped\n"
     "statistics mine: network together 2.0 KB/s and 3.5 packets/s received, "
     "10 B/s and 0.5 packets/s sent, 0.1/s dropped\n"
     "statistics mine: console 2.0 KB (7 B/s), 5 lines lost\n"
     "statistics mine: kvm 123456789 exits (500.5/s)\n"},
    /* The parts are there, their rates are not yet. */
    {"{\"path\":\"a/b\",\"label\":\"1.2\",\"interval_seconds\":null,"
     "\"cpu\":{\"user_seconds\":1,\"system_seconds\":2},\"kvm\":{\"exits\":9},\"rates\":null}",
     "statistics a/b: pid -, cpuid -, memory - MB, -, up - since -\n"
     "statistics a/b: read -, the one before it - earlier\n"
     "statistics a/b: cpu 3.0 s (user 1.0 s, system 2.0 s), - since the one before\n"
     "statistics a/b: memory - resident, - of it shared, - at most\n"
     "statistics a/b: faults - minor (-), - major (-)\n"
     "statistics a/b: switches - voluntary (-), - involuntary (-)\n"
     "statistics a/b: block - read (-), - written (-)\n"
     "statistics a/b: network together - and - packets/s received, - and - packets/s sent, - "
     "dropped\n"
     "statistics a/b: console - (-), - lines lost\n"
     "statistics a/b: kvm 9 exits (-)\n"},
    /* Nothing is what it should be, and nothing drives the terminal. */
    {"{\"path\":\"\\u001b[m\",\"label\":7,\"pid\":\"x\",\"target\":\"\\u202e\",\"cpu\":3,"
     "\"started\":\"\\u0007\",\"memory_mb\":-1,\"network\":[\"x\"],\"rates\":[1]}",
     "statistics \\x1b[m: pid -, cpuid -, memory - MB, \\u202e, up - since \\x07\n"
     "statistics \\x1b[m: read -, the one before it - earlier\n"
     "statistics \\x1b[m: cpu - (user -, system -), - since the one before\n"
     "statistics \\x1b[m: memory - resident, - of it shared, - at most\n"
     "statistics \\x1b[m: faults - minor (-), - major (-)\n"
     "statistics \\x1b[m: switches - voluntary (-), - involuntary (-)\n"
     "statistics \\x1b[m: block - read (-), - written (-)\n"
     "statistics \\x1b[m: network - (device -, bridge -) - received in - packets, - sent in -, "
     "- dropped\n"
     "statistics \\x1b[m: network together - and - packets/s received, - and - packets/s sent, - "
     "dropped\n"
     "statistics \\x1b[m: console - (-), - lines lost\n"
     "statistics \\x1b[m: kvm - exits (-)\n"},
};

static void test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = NULL;
		size_t size;
		struct output output = {.to = open_memstream(&text, &size)};
		json_t *vm = json_loads(cases[i].json, 0, NULL);

		assert_non_null(vm);
		format_statistics(&output, &with_db, vm);
		fclose(output.to);
		assert_string_equal(text, cases[i].lines);
		free(text);
		json_decref(vm);
	}
}

static void test_numbers(void **state)
{
	json_t *vm = json_loads("{\"a\":{\"n\":7},\"n\":0.5,\"bad\":-2,\"network\":["
				"{\"dropped\":3},{\"dropped\":null},{\"dropped\":4},7]}",
				0, NULL);
	(void)state;

	assert_true(statistics_number(vm, "a", "n") == 7);
	assert_true(statistics_number(vm, NULL, "n") == 0.5);
	assert_true(statistics_number(vm, NULL, "bad") == UNITS_NONE);
	assert_true(statistics_number(vm, "n", "n") == UNITS_NONE);
	assert_true(statistics_number(vm, "b", "n") == UNITS_NONE);
	assert_true(statistics_taps(vm, "dropped") == 7);
	assert_true(statistics_taps(vm, "sent_bytes") == UNITS_NONE);
	json_decref(vm);
	vm = json_loads("{\"network\":[]}", 0, NULL);
	assert_true(statistics_taps(vm, "dropped") == 0);
	json_decref(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lines),
	    cmocka_unit_test(test_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
