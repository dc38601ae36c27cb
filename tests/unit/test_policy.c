/* What a delegation grants: policy.c, each refusal's exact line. That it decides right is
 * tests/model's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy.h"
#include "request.h"
#include "utf8.h"

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

/* What dev grants, in most of these tests. */
static struct policy dev(void)
{
	struct policy policy = {.vms = 2, .memory_mb = 1024, .block_mb = 100};
	policy.cpus = cpus_of("0,1");
	policy_bridge_add(&policy, "lan");
	policy_bridge_add(&policy, "ext/10.0.0.2/10.0.0.5/10.0.0.1/24");
	return policy;
}

static void the_same_and_less_are_within(void **state)
{
	struct policy parent = dev(), child = parent, nothing = {0};
	(void)state;
	assert_true(policy_within(&child, &parent, "dev", &why));
	assert_true(policy_within(&nothing, &parent, "dev", &why));
	assert_true(policy_within(&nothing, &nothing, "dev", &why));
	child = (struct policy){.vms = 1, .memory_mb = 1023, .block_mb = 99};
	child.cpus = cpus_of("1");
	policy_bridge_add(&child, "ext/10.0.0.3/10.0.0.4/10.0.0.1/24");
	assert_true(policy_within(&child, &parent, "dev", &why));
}

static void more_than_the_parent_is_refused(void **state)
{
	struct policy parent = dev(), child = parent, none = {0};
	(void)state;
	child.vms = 3;
	assert_false(policy_within(&child, &parent, "dev", &why));
	assert_string_equal(why.text, "vms: asked for 3, dev grants 2");
	child = parent;
	child.memory_mb = 2048;
	assert_false(policy_within(&child, &parent, "dev", &why));
	assert_string_equal(why.text, "memory: asked for 2048 MB, dev grants 1024 MB");
	child = parent;
	child.block_mb = POLICY_NUMBER_MAX;
	assert_false(policy_within(&child, &parent, "dev", &why));
	assert_string_equal(why.text, "block: asked for 2147483647 MB, dev grants 100 MB");
	child = parent;
	child.cpus = cpus_of("4");
	assert_false(policy_within(&child, &parent, "dev", &why));
	assert_string_equal(why.text, "cpuids: asked for 4, dev grants 0-1");
	child.cpus = cpus_of("0,1023");
	assert_false(policy_within(&child, &parent, "dev", &why));
	assert_string_equal(why.text, "cpuids: asked for 0, 1023, dev grants 0-1");
	assert_false(policy_within(&child, &none, "dev", &why));
	child = (struct policy){.cpus = cpus_of("0")};
	assert_false(policy_within(&child, &none, "dev", &why));
	assert_string_equal(why.text, "cpuids: asked for 0, dev grants none");
}

static void other_bridges_than_the_parents_are_refused(void **state)
{
	static const struct {
		const char *asked, *why;
	} cases[] = {
	    {"mgmt", "bridge mgmt: asked for, dev grants ext, lan"},
	    {"ext", "bridge ext: asked for internal, "
		    "dev grants 10.0.0.2-10.0.0.5 router 10.0.0.1/24"},
	    {"lan/10.0.0.2/10.0.0.5/10.0.0.1/24",
	     "bridge lan: asked for 10.0.0.2-10.0.0.5 router 10.0.0.1/24, dev grants internal"},
	    {"ext/10.0.0.1/10.0.0.5/10.0.0.1/24",
	     "bridge ext: asked for 10.0.0.1-10.0.0.5 router 10.0.0.1/24, "
	     "dev grants 10.0.0.2-10.0.0.5 router 10.0.0.1/24"},
	    {"ext/10.0.0.2/10.0.0.6/10.0.0.1/24",
	     "bridge ext: asked for 10.0.0.2-10.0.0.6 router 10.0.0.1/24, "
	     "dev grants 10.0.0.2-10.0.0.5 router 10.0.0.1/24"},
	    {"ext/10.0.0.2/10.0.0.5/10.0.0.3/24",
	     "bridge ext: asked for 10.0.0.2-10.0.0.5 router 10.0.0.3/24, "
	     "dev grants 10.0.0.2-10.0.0.5 router 10.0.0.1/24"},
	    {"ext/10.0.0.2/10.0.0.5/10.0.0.1/16",
	     "bridge ext: asked for 10.0.0.2-10.0.0.5 router 10.0.0.1/16, "
	     "dev grants 10.0.0.2-10.0.0.5 router 10.0.0.1/24"},
	};
	struct policy parent = dev();
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct policy child = {0};
		policy_bridge_add(&child, cases[i].asked);
		assert_false(policy_within(&child, &parent, "dev", &why));
		assert_string_equal(why.text, cases[i].why);
	}
	/* A range that starts behind its end, which bridge_check would not have let in. */
	struct policy child = dev();
	memcpy(child.bridge[0].first, "\x0a\0\0\5", 4);
	memcpy(child.bridge[0].last, "\x0a\0\0\2", 4);
	assert_false(policy_within(&child, &parent, "dev", &why));
}

static struct vm_config vm;

static void a_vm_lies_within_its_delegation(void **state)
{
	struct policy parent = dev();
	(void)state;
	vm = (struct vm_config){.memory_mb = 1024, .cpuid = 1, .nnets = 1};
	(void)snprintf(vm.net[0].bridge, BRIDGE_NAME_SIZE, "lan");
	assert_true(policy_allows_vm(&vm, &parent, "dev", &why));

	vm.cpuid = 4;
	assert_false(policy_allows_vm(&vm, &parent, "dev", &why));
	assert_string_equal(why.text, "cpuid: asked for 4, dev grants 0-1");
	vm.cpuid = UINT32_MAX;
	assert_false(policy_allows_vm(&vm, &parent, "dev", &why));
	assert_string_equal(why.text, "cpuid: asked for 4294967295, dev grants 0-1");
	vm.cpuid = 0;
	vm.memory_mb = 1025;
	assert_false(policy_allows_vm(&vm, &parent, "dev", &why));
	assert_string_equal(why.text, "memory: asked for 1025 MB, dev grants 1024 MB");
	vm.memory_mb = 0;
	assert_false(policy_allows_vm(&vm, &parent, "dev", &why));
	assert_string_equal(why.text, "memory: asked for 0 MB, a VM has 1 to 4095 MB");
	parent.memory_mb = POLICY_NUMBER_MAX;
	vm.memory_mb = 4096;
	assert_false(policy_allows_vm(&vm, &parent, "dev", &why));
	assert_string_equal(why.text, "memory: asked for 4096 MB, a VM has 1 to 4095 MB");
	vm.memory_mb = 4095;
	assert_true(policy_allows_vm(&vm, &parent, "dev", &why));
}

static void a_vm_has_its_delegations_bridges(void **state)
{
	struct policy parent = dev(), none = {.memory_mb = 1, .cpus = parent.cpus};
	(void)state;
	vm = (struct vm_config){.memory_mb = 1, .nnets = 2};
	(void)snprintf(vm.net[0].bridge, BRIDGE_NAME_SIZE, "ext");
	(void)snprintf(vm.net[1].bridge, BRIDGE_NAME_SIZE, "mgmt");
	assert_false(policy_allows_vm(&vm, &parent, "dev", &why));
	assert_string_equal(why.text, "bridge mgmt: asked for, dev grants ext, lan");
	assert_false(policy_allows_vm(&vm, &none, "dev", &why));
	assert_string_equal(why.text, "bridge ext: asked for, dev grants none");
	(void)snprintf(vm.net[1].bridge, BRIDGE_NAME_SIZE, "e\x1b]\n\x7f");
	assert_false(policy_allows_vm(&vm, &parent, "dev", &why));
	assert_string_equal(why.text, "bridge e?]??: asked for, dev grants ext, lan");
	vm.nnets = DEVICES_MAX + 1;
	assert_false(policy_allows_vm(&vm, &parent, "dev", &why));
	assert_string_equal(why.text, "network: asked for 17 devices, a VM has at most 16");
}

static void quota_counts_what_runs(void **state)
{
	struct policy granted = dev();
	struct usage used = {.vms = 1, .memory_mb = 512, .block_mb = 90};
	struct usage wanted = {.vms = 1, .memory_mb = 512, .block_mb = 10};
	(void)state;
	assert_true(quota_admits(&granted, &used, &wanted, "dev", &why));
	used.vms = 2;
	assert_false(quota_admits(&granted, &used, &wanted, "dev", &why));
	assert_string_equal(why.text, "dev has no room for another VM: it grants 2");
	wanted.vms = 5;
	assert_false(quota_admits(&granted, &used, &wanted, "dev", &why));
	assert_string_equal(why.text, "dev has no room for 5 VMs: it grants 2");
	wanted.vms = used.vms = 1;
	used.memory_mb = 513;
	assert_false(quota_admits(&granted, &used, &wanted, "alice", &why));
	assert_string_equal(why.text, "alice has no room for 512 MB: it grants 1024 MB");
	used.memory_mb = 512;
	wanted.block_mb = 11;
	assert_false(quota_admits(&granted, &used, &wanted, "dev", &why));
	assert_string_equal(why.text,
			    "dev has no room for 11 MB of block storage: it grants 100 MB");
}

static void quota_does_not_wrap(void **state)
{
	struct policy granted = {.vms = POLICY_NUMBER_MAX, .memory_mb = POLICY_NUMBER_MAX};
	struct usage used = {.vms = UINT32_MAX, .memory_mb = UINT64_MAX};
	struct usage wanted = {.vms = 1};
	(void)state;
	assert_false(quota_admits(&granted, &used, &wanted, "dev", &why));
	wanted = (struct usage){.memory_mb = 1};
	assert_false(quota_admits(&granted, &used, &wanted, "dev", &why));
	wanted = (struct usage){.memory_mb = UINT64_MAX};
	used = (struct usage){.memory_mb = 2};
	assert_false(quota_admits(&granted, &used, &wanted, "dev", &why));
	used = (struct usage){.vms = POLICY_NUMBER_MAX - 1, .memory_mb = POLICY_NUMBER_MAX - 1};
	wanted = (struct usage){.vms = 1, .memory_mb = 1};
	assert_true(quota_admits(&granted, &used, &wanted, "dev", &why));
	wanted.memory_mb = 2;
	assert_false(quota_admits(&granted, &used, &wanted, "dev", &why));
}

static void quota_refuses_only_what_is_asked_for(void **state)
{
	/* A newer certificate grants less than what runs already. */
	struct policy granted = {.vms = 1, .memory_mb = 10, .block_mb = 10};
	struct usage used = {.vms = 2, .memory_mb = 20, .block_mb = 5};
	struct usage wanted = {.block_mb = 5};
	(void)state;
	assert_true(quota_admits(&granted, &used, &wanted, "dev", &why));
	wanted = (struct usage){0};
	assert_true(quota_admits(&granted, &used, &wanted, "dev", &why));
}

static void refusals_are_one_clean_line(void **state)
{
	char long_text[2 * REFUSAL_SIZE];
	(void)state;
	assert_false(refusal_say(&why, "a\nb\tc\x7f d\xc2\x85 e\xc3\xa9 f\xff"));
	assert_string_equal(why.text, "a?b?c? d?? e\xc3\xa9 f?");
	/* Cut in the middle of a character. */
	for (size_t i = 0; i < sizeof(long_text); i++)
		long_text[i] = i % 2 == 0 ? '\xc3' : '\xa9';
	long_text[sizeof(long_text) - 1] = '\0';
	(void)refusal_say(&why, "%s", long_text);
	assert_int_equal(strlen(why.text), REFUSAL_SIZE - 1);
	assert_true(utf8_valid(why.text, strlen(why.text)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_same_and_less_are_within),
	    cmocka_unit_test(more_than_the_parent_is_refused),
	    cmocka_unit_test(other_bridges_than_the_parents_are_refused),
	    cmocka_unit_test(a_vm_lies_within_its_delegation),
	    cmocka_unit_test(a_vm_has_its_delegations_bridges),
	    cmocka_unit_test(quota_counts_what_runs),
	    cmocka_unit_test(quota_does_not_wrap),
	    cmocka_unit_test(quota_refuses_only_what_is_asked_for),
	    cmocka_unit_test(refusals_are_one_clean_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
