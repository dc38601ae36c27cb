/* OpenMetrics text: its form, to the byte; tests/e2e/test_gate_statistics.py has it read by others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "metrics.h"

static struct metrics metrics;
static struct msg_sample sample;
static struct text text;
static char *out; /* TEXT, ended */

static int setup(void **state)
{
	(void)state;
	sample = (struct msg_sample){.path = {.depth = 2}, .target = "hvt", .cpuid = 3};
	strcpy(sample.path.node[0].name, "dev");
	strcpy(sample.path.node[1].name, "hello");
	sample.path.node[1].label.byte[5] = 0xab;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	metrics_free(&metrics);
	text_free(&text);
	return 0;
}

static void finish(void)
{
	assert_true(metrics_finish(&metrics, &text));
	assert_true(text_append(&text, "", 1));
	out = text.bytes;
	assert_int_equal(strlen(out), text.size - 1);
}

static void has(const char *line)
{
	if (!strstr(out, line))
		fail_msg("%s is not in:\n%s", line, out);
}

static void has_not(const char *line)
{
	if (strstr(out, line))
		fail_msg("%s is in:\n%s", line, out);
}

#define HELLO "vm=\"dev/hello\",label=\"000000000000.0000000000ab\""

static void test_nothing(void **state)
{
	(void)state;
	finish();
	assert_string_equal(out, "# EOF\n");
}

static void test_build(void **state)
{
	(void)state;
	assert_true(metrics_add_build(&metrics, "1.2\"\\\n3"));
	finish();
	assert_string_equal(out, "# TYPE vmm_build info\n# HELP vmm_build The version of vmm.\n"
				 "vmm_build_info{version=\"1.2\\\"\\\\\\n3\"} 1\n# EOF\n");
}

/* One that was never looked at has what is known of it, whole and in its order. */
static void test_vm(void **state)
{
	(void)state;
	sample.memory_mb = 4095;
	assert_true(metrics_add_vm(&metrics, &sample));
	finish();
	assert_string_equal(
	    out,
	    "# TYPE vmm_vm info\n# HELP vmm_vm What a VM was built for, and the CPU that it runs "
	    "on.\nvmm_vm_info{" HELLO ",target=\"hvt\",cpuid=\"3\"} 1\n"
	    "# TYPE vmm_vm_memory_limit_bytes gauge\n"
	    "# HELP vmm_vm_memory_limit_bytes Memory that the guest has.\n"
	    "# UNIT vmm_vm_memory_limit_bytes bytes\n"
	    "vmm_vm_memory_limit_bytes{" HELLO "} 4293918720\n# EOF\n");
}

static void test_numbers(void **state)
{
	(void)state;
	sample.started_us = 1499679819000042;
	sample.now.time_us = sample.started_us + 1;
	sample.now.parts = READ_PROCESS | READ_KVM;
	sample.now.user_us = 12345678;
	sample.now.kvm_exits = UINT64_MAX;
	assert_true(metrics_add_vm(&metrics, &sample));
	finish();
	has("\nvmm_vm_start_time_seconds{" HELLO "} 1499679819.000042\n");
	has("\nvmm_vm_uptime_seconds{" HELLO "} 0.000001\n");
	has("\nvmm_vm_cpu_seconds_total{" HELLO ",mode=\"user\"} 12.345678\n");
	has("\nvmm_vm_cpu_seconds_total{" HELLO ",mode=\"system\"} 0.000000\n");
	has("\nvmm_vm_kvm_exits_total{" HELLO "} 18446744073709551615\n");
	has_not("vmm_vm_block");
}

/* A clock that was set back, times before 1970: nothing that is not so. */
static void test_times_that_are_none(void **state)
{
	struct family_reading family = {.started_us = -1, .ca_expires = INT64_MIN};

	(void)state;
	sample.started_us = 2000000;
	sample.now.time_us = 1000000;
	assert_true(metrics_add_vm(&metrics, &sample));
	assert_true(metrics_add_family(&metrics, &family));
	finish();
	has_not("uptime");
	has_not("\nvmm_start_time");
	has_not("vmm_certificate");
}

/* A family's lines stay together, whatever comes between them. */
static void test_families_are_together(void **state)
{
	const char *first, *last;

	(void)state;
	for (int i = 0; i < 3; i++) {
		sample.path.node[1].label.byte[0] = (uint8_t)i;
		assert_true(metrics_add_vm(&metrics, &sample));
		assert_true(metrics_add_family(&metrics, &(struct family_reading){.nroles = 1}));
	}
	finish();
	assert_non_null(first = strstr(out, "vmm_vm_info{"));
	assert_non_null(last = strstr(out, ".020000000"));
	for (const char *line = first; line < last; line = strchr(line, '\n') + 1)
		assert_memory_equal(line, "vmm_vm_info{", 12);
	assert_null(strstr(strstr(out, "# TYPE vmm_vm info") + 1, "# TYPE vmm_vm info"));
}

static void test_escapes(void **state)
{
	(void)state;
	strcpy(sample.path.node[0].name, "a\"\\b\nc");
	strcpy(sample.path.node[1].name, "\xc3\xa9\xff{},=");
	assert_true(metrics_add_vm(&metrics, &sample));
	finish();
	has("vm=\"a\\\"\\\\b\\nc/\xc3\xa9\xef\xbf\xbd{},=\",");
}

static void test_host(void **state)
{
	struct family_reading family = {.host_cpus = 2, .host_idle_us = 1};

	(void)state;
	assert_true(metrics_add_family(&metrics, &family));
	finish();
	has("\nvmm_sessions 0\n");
	has_not("vmm_host");
	text_free(&text);
	family.host_known = 1;
	assert_true(metrics_add_family(&metrics, &family));
	finish();
	has("\nvmm_host_cpus 2\n");
	has("\nvmm_host_cpu_seconds_total{mode=\"idle\"} 0.000001\n");
}

/* The longest names and all taps there can be, again and again: it ends, and says so. */
static void test_bound(void **state)
{
	int n = 0;

	(void)state;
	sample.path.depth = PATH_DEPTH_MAX;
	for (size_t i = 0; i < PATH_DEPTH_MAX; i++)
		memset(sample.path.node[i].name, '"', NAME_SIZE - 1);
	sample.ntaps = sample.now.ntaps = DEVICES_MAX;
	sample.now.parts = READ_PROCESS | READ_BLOCK | READ_KVM | READ_CONSOLE | READ_NETWORK;
	while (metrics_add_vm(&metrics, &sample))
		n++;
	assert_in_range(n, 32, 1000);
	assert_true(metrics.size > TEXT_MAX && metrics.size < TEXT_MAX + (4 << 20));
	assert_false(metrics_finish(&metrics, &text));
}

/* What the format wants of names, and the table of itself. */
static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < METRICS; i++) {
		const struct metric *metric = &metrics_table[i];
		size_t name = strlen(metric->name), unit = strlen(metric->unit);

		assert_memory_equal(metric->name, "vmm_", 4);
		assert_int_equal(strspn(metric->name, "abcdefghijklmnopqrstuvwxyz_"), name);
		assert_true(unit == 0 || (metric->name[name - unit - 1] == '_' &&
					  !strcmp(metric->name + name - unit, metric->unit)));
		assert_true(strlen(metric->help) > 0 && !strpbrk(metric->help, "\\\"\n"));
		assert_int_equal(metric->label != NULL, metric->series[0].value != NULL);
		assert_null(strstr(metric->name, "_total"));
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(metric->name, metrics_table[j].name);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_nothing),
	    TEST(test_build),
	    TEST(test_vm),
	    TEST(test_numbers),
	    TEST(test_times_that_are_none),
	    TEST(test_families_are_together),
	    TEST(test_escapes),
	    TEST(test_host),
	    TEST(test_bound),
	    TEST(test_table),
	};

	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
