/* Sets of cpus, and bridges: how they are written, and which ones make sense. policy.c, bridge.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy.h"

static struct refusal why;

static struct cpuset cpus_of(const char *list)
{
	struct cpuset set = {{0}};
	for (const char *at = list; *at;) {
		char *end;
		cpuset_add(&set, (unsigned)strtoul(at, &end, 10));
		at = *end ? end + 1 : end;
	}
	return set;
}

static struct bridge bridge_of(const char *text)
{
	struct bridge bridge;
	assert_true(bridge_parse(text, &bridge, &why));
	return bridge;
}

static void policy_bridge_add(struct policy *policy, const char *text)
{
	struct bridge bridge = bridge_of(text);
	assert_true(policy_add_bridge(policy, &bridge, &why));
}

static void cpusets_are_written(void **state)
{
	static const struct {
		const char *list, *text;
	} cases[] = {
	    {"", "none"},
	    {"0", "0"},
	    {"1,0", "0-1"},
	    {"0,1,2,3,7", "0-3, 7"},
	    {"5,5,5", "5"},
	    {"1023", "1023"},
	    {"1022,1023,8", "8, 1022-1023"},
	    {"7,8", "7-8"},
	};
	char text[64];
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cpuset set = cpus_of(cases[i].list);
		cpuset_format(&set, text, sizeof(text));
		assert_string_equal(text, cases[i].text);
	}
}

static void cpusets_are_bounded(void **state)
{
	struct cpuset set = {{0}}, even = {{0}};
	(void)state;
	cpuset_add(&set, CPUS_MAX);
	cpuset_add(&set, UINT32_MAX);
	assert_false(cpuset_has(&set, CPUS_MAX));
	assert_false(cpuset_has(&set, UINT32_MAX));
	char text[64];
	cpuset_format(&set, text, sizeof(text));
	assert_string_equal(text, "none");

	for (unsigned cpu = 0; cpu < CPUS_MAX; cpu += 2)
		cpuset_add(&even, cpu);
	cpuset_format(&even, text, 20);
	assert_string_equal(text, "0, 2, 4, 6, 8, ...");
	for (size_t size = 0; size < sizeof(text); size++) {
		memset(text, '#', sizeof(text));
		cpuset_format(&even, text, size);
		for (size_t i = size; i < sizeof(text); i++)
			assert_int_equal(text[i], '#');
		if (size > 0)
			assert_non_null(memchr(text, '\0', size));
	}
}

static void bridges_are_parsed_and_written(void **state)
{
	static const char *const texts[] = {"lan", "ext/10.0.0.2/10.0.0.5/10.0.0.1/24", "br-0.1_x",
					    "abcdefghijklmno"};
	struct bridge bridge;
	char text[96];
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		bridge = bridge_of(texts[i]);
		bridge_format(&bridge, text, sizeof(text));
		assert_string_equal(text, texts[i]);
	}
	bridge = bridge_of("ext/10.0.0.2/10.0.0.5/10.0.0.1/24");
	assert_int_equal(bridge.external, 1);
	assert_memory_equal(bridge.first, "\x0a\0\0\2", 4);
	assert_memory_equal(bridge.last, "\x0a\0\0\5", 4);
	assert_memory_equal(bridge.router, "\x0a\0\0\1", 4);
	assert_int_equal(bridge.prefix, 24);
	/* One address, at both ends of what prefixes allow. */
	(void)bridge_of("e/1.2.3.4/1.2.3.4/1.2.3.4/32");
	(void)bridge_of("e/0.0.0.0/127.255.255.255/1.2.3.4/1");
}

static void bridges_without_sense_are_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
	    {"", "bridge name: "},
	    {"abcdefghijklmnop", "bridge name: "},
	    {"abcdefghijklmnop/10.0.0.2/10.0.0.5/10.0.0.1/24", "bridge name: "},
	    {"-x", "bridge name: "},
	    {".", "bridge name: "},
	    {"a b", "bridge name: "},
	    {"tap%d", "bridge name: "},
	    {"a:b", "bridge name: "},
	    {"a,b", "bridge name: "},
	    {"\xc3\xa9", "bridge name: "},
	    {"e/", "bridge 'e/': a bridge is NAME or NAME/FIRST/LAST/ROUTER/BITS"},
	    {"e/10.0.0.2/10.0.0.5/10.0.0.1", "bridge 'e/10"},
	    {"e/10.0.0.2/10.0.0.5/10.0.0.1/24/", "bridge 'e/10"},
	    {"e/10.0.0.2/10.0.0.5/10.0.0.1/24/x", "bridge 'e/10"},
	    {"e/10.0.0.2/10.0.0.5/10.0.0.1/0", "bridge e: netmask '0' is not 1 to 32"},
	    {"e/10.0.0.2/10.0.0.5/10.0.0.1/33", "bridge e: netmask '33' is not 1 to 32"},
	    {"e/10.0.0.2/10.0.0.5/10.0.0.1/024", "bridge e: netmask '024' is not 1 to 32"},
	    {"e/10.0.0.2/10.0.0.5/10.0.0.1/+4", "bridge e: netmask '+4' is not 1 to 32"},
	    {"e/10.0.0.2/10.0.0.5/10.0.0.1/", "bridge e: netmask '' is not 1 to 32"},
	    {"e/10.0.0/10.0.0.5/10.0.0.1/24", "bridge e: '10.0.0' is not an IPv4 address"},
	    {"e/10.0.0.2/10.0.0.256/10.0.0.1/24", "bridge e: '10.0.0.256' is not an IPv4 address"},
	    {"e/10.0.0.2/10.0.0.5/::1/24", "bridge e: '::1' is not an IPv4 address"},
	    {"e/10.0.0.6/10.0.0.5/10.0.0.1/24", "bridge e: its first address is above its last"},
	    {"e/10.0.0.2/10.0.1.5/10.0.0.1/24",
	     "bridge e: its addresses are not all in its router's network"},
	    {"e/9.0.0.2/10.0.0.5/10.0.0.1/24",
	     "bridge e: its addresses are not all in its router's network"},
	    {"e/10.0.0.2/10.0.0.5/11.0.0.1/24",
	     "bridge e: its addresses are not all in its router's network"},
	};
	struct bridge bridge;
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_false(bridge_parse(cases[i].text, &bridge, &why));
		assert_memory_equal(why.text, cases[i].why, strlen(cases[i].why));
	}
	char longest[400];
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_false(bridge_parse(longest, &bridge, &why));
}

static void bridges_from_elsewhere_are_checked(void **state)
{
	struct bridge bridge = bridge_of("lan");
	(void)state;
	assert_true(bridge_check(&bridge, &why));
	bridge.prefix = 24;
	assert_false(bridge_check(&bridge, &why));
	assert_string_equal(why.text, "bridge lan: internal, but with addresses");
	bridge = bridge_of("lan");
	bridge.external = 2;
	assert_false(bridge_check(&bridge, &why));
	memset(bridge.name, 'x', sizeof(bridge.name));
	assert_false(bridge_check(&bridge, &why));
	bridge = bridge_of("e/10.0.0.2/10.0.0.5/10.0.0.1/24");
	bridge.prefix = 0;
	assert_false(bridge_check(&bridge, &why));
	assert_string_equal(why.text, "bridge e: netmask 0 is not 1 to 32");
	bridge.prefix = UINT32_MAX;
	assert_false(bridge_check(&bridge, &why));
}

static void bridges_are_sorted_and_bounded(void **state)
{
	static struct policy policy;
	struct bridge bridge = bridge_of("b31");
	char name[BRIDGE_NAME_SIZE];
	(void)state;
	policy = (struct policy){0};
	for (int i = BRIDGES_MAX - 1; i >= 0; i--) {
		(void)snprintf(name, sizeof(name), "b%02d", (i * 7) % BRIDGES_MAX);
		policy_bridge_add(&policy, name);
	}
	for (uint32_t i = 0; i < BRIDGES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "b%02u", (unsigned)i);
		assert_string_equal(policy.bridge[i].name, name);
		assert_ptr_equal(policy_bridge(&policy, name), &policy.bridge[i]);
	}
	assert_false(policy_add_bridge(&policy, &bridge, &why));
	assert_string_equal(why.text, "bridge b31: named twice");
	bridge = bridge_of("b32");
	assert_false(policy_add_bridge(&policy, &bridge, &why));
	assert_string_equal(why.text, "bridges: more than 32");
	assert_int_equal(policy.nbridges, BRIDGES_MAX);
	assert_null(policy_bridge(&policy, "b32"));
	assert_null(policy_bridge(&policy, ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cpusets_are_written),
	    cmocka_unit_test(cpusets_are_bounded),
	    cmocka_unit_test(bridges_are_parsed_and_written),
	    cmocka_unit_test(bridges_without_sense_are_refused),
	    cmocka_unit_test(bridges_from_elsewhere_are_checked),
	    cmocka_unit_test(bridges_are_sorted_and_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
