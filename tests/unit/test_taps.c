/*
 * What VMs' network devices are planned to be, made and locked to: taps.c for real, on a host that
 * is a list (host.h). Two top delegations share the bridge "ext".
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridges.h"
#include "host.h"
#include "taps.h"

static struct options options = {.uid_base = 1000};
static struct daemon d;
static struct start_error error;
static uint8_t serial;

bool bridges_use(struct daemon *daemon, const struct bridge *wanted, struct interface *out,
		 struct start_error *why)
{
	(void)daemon;
	return interface_find(wanted->name, out) == 0 ||
	       start_refuse(why, 503, "unavailable", "no %s", wanted->name);
}

static int fresh(void **state)
{
	(void)state;
	host_clear();
	host_add("ext", INTERFACE_BRIDGE, 9000);
	host_add("lan", INTERFACE_BRIDGE, 1280);
	d = (struct daemon){.options = &options, .root = true, .bridges_fd = -1};
	tree_init(&d.tree, NULL, NULL);
	return 0;
}

static int gone(void **state)
{
	(void)state;
	while (d.vms)
		vm_free(d.vms);
	tree_free(&d.tree);
	return 0;
}

/* A VM of the top delegation TOP, whose bridge "ext" is EXT, with the network NETS and ARG. */
static struct request asks(const char *top, const char *ext, const char *nets, const char *arg)
{
	struct request r = {.depth = 1, .kind = LEAF_VM};
	struct bridge bridge;
	char copy[64], *word, *rest = copy;

	snprintf(r.level[0].node.name, NAME_SIZE, "%s", top);
	r.level[0].node.label.byte[0] = (uint8_t)top[0];
	r.leaf.label.byte[0] = ++serial;
	snprintf(r.leaf.name, NAME_SIZE, "vm%u", serial);
	assert_true(bridge_parse(ext, &bridge, &error.why));
	assert_true(policy_add_bridge(&r.level[0].policy, &bridge, &error.why));
	assert_true(bridge_parse("lan", &bridge, &error.why));
	assert_true(policy_add_bridge(&r.level[0].policy, &bridge, &error.why));
	snprintf(copy, sizeof(copy), "%s", nets);
	while ((word = strsep(&rest, " ")) != NULL) {
		struct net_spec *net = &r.vm.net[r.vm.nnets++];
		char *colon = strchr(word, ':');

		if (colon)
			snprintf(net->device, sizeof(net->device), "%.*s", (int)(colon - word),
				 word);
		snprintf(net->bridge, sizeof(net->bridge), "%.15s", colon ? colon + 1 : word);
	}
	assert_int_equal(strings_add(&r.vm.argv, arg), 0);
	return r;
}

static struct vm *plan(const struct request *r, struct vm *old)
{
	struct vm *vm;

	assert_true(taps_check(&d, r, old, &error));
	vm = vm_new(&d, r);
	vm->record.uid = options.uid_base + UIDS_FOR_ROLES + serial;
	vm->replaced = old;
	taps_plan(vm, old);
	return vm;
}

static const char *address_of(const struct vm *vm, unsigned k)
{
	static char text[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, vm->record.tap[k].address, text, sizeof(text));
	return text;
}

#define ALICE "ext/10.0.0.2/10.0.0.4/10.0.0.1/24"
#define BOB   "ext/10.0.0.3/10.0.0.9/10.0.0.1/24"

static void names_bridges_and_addresses(void **state)
{
	struct request r = asks("alice", ALICE, "lan service:ext", "{address:ext}");
	struct vm *vm = plan(&r, NULL);
	uint8_t mac[MAC_SIZE];
	char name[BRIDGE_NAME_SIZE];

	(void)state;
	assert_int_equal(vm->record.ntaps, 2);
	snprintf(name, sizeof(name), "vmm%u-0", serial);
	assert_string_equal(vm->record.tap[0].name, name);
	assert_string_equal(vm->record.tap[0].bridge, "lan");
	assert_string_equal(vm->record.tap[0].device, "");
	assert_string_equal(address_of(vm, 0), "0.0.0.0");
	assert_string_equal(vm->record.tap[1].device, "service");
	assert_string_equal(address_of(vm, 1), "10.0.0.2");
	mac_make(&vm->path, "service", mac);
	assert_memory_equal(vm->record.tap[1].mac, mac, MAC_SIZE);
}

/* Of one bridge's name the addresses are one another's, whoever grants them. */
static void two_tenants_on_one_bridge(void **state)
{
	struct request a = asks("alice", ALICE, "ext", "{address}");
	struct request b = asks("bob", BOB, "ext", "{address}");
	struct vm *vm[4];

	(void)state;
	vm[0] = plan(&a, NULL);
	assert_string_equal(address_of(vm[0], 0), "10.0.0.2");
	a = asks("alice", ALICE, "ext", "{address}");
	vm[1] = plan(&a, NULL);
	assert_string_equal(address_of(vm[1], 0), "10.0.0.3");
	vm[2] = plan(&b, NULL);
	assert_string_equal(address_of(vm[2], 0), "10.0.0.4");
	a = asks("alice", ALICE, "ext", "{address}");
	assert_false(taps_check(&d, &a, NULL, &error));
	assert_int_equal(error.status, 409);
	assert_string_equal(error.why.text,
			    "bridge ext: no address of 10.0.0.2/10.0.0.4/10.0.0.1/24 is free");
	/* One that ended gives it back. */
	vm[1]->record.state = VM_ENDED;
	vm[3] = plan(&a, NULL);
	assert_string_equal(address_of(vm[3], 0), "10.0.0.3");
}

static void who_asks_for_none_has_none(void **state)
{
	struct request r = asks("alice", ALICE, "ext", "{router} {netmask} {mac}");
	struct vm *vm = plan(&r, NULL);

	(void)state;
	assert_string_equal(address_of(vm, 0), "0.0.0.0");
}

static void a_replacing_one_keeps_the_address(void **state)
{
	struct request first = asks("alice", ALICE, "ext", "{address}");
	struct request second = asks("alice", ALICE, "ext", "{address}");
	struct vm *low, *old, *new;

	(void)state;
	low = plan(&first, NULL);
	old = plan(&second, NULL);
	assert_string_equal(address_of(old, 0), "10.0.0.3");
	low->record.state = VM_ENDED;
	new = plan(&second, old);
	assert_string_equal(address_of(new, 0), "10.0.0.3");
	vm_free(new);
	/* Unless its delegation does not grant it any more. */
	second.level[0].policy.bridge[0].last[3] = 2;
	new = plan(&second, old);
	assert_string_equal(address_of(new, 0), "10.0.0.2");
}

/* The last one goes to its successor where nobody else has a chance. */
static void a_replacing_one_takes_no_second_address(void **state)
{
	struct request r = asks("alice", "ext/10.0.0.2/10.0.0.2/10.0.0.1/24", "ext", "{address}");
	struct vm *old = plan(&r, NULL), *new;

	(void)state;
	assert_false(taps_check(&d, &r, NULL, &error));
	new = plan(&r, old);
	assert_string_equal(address_of(new, 0), "10.0.0.2");
}

static void the_newest_policy_counts(void **state)
{
	struct request r = asks("alice", ALICE, "ext", "{address}"), newer;
	struct vm *vm;

	(void)state;
	newer = asks("alice", "ext/10.0.0.7/10.0.0.7/10.0.0.1/24", "ext", "");
	newer.level[0].not_before = 1;
	assert_int_equal(tree_note(&d.tree, &newer, true), 0);
	vm = plan(&r, NULL);
	assert_string_equal(address_of(vm, 0), "10.0.0.7");
}

static void refusals(void **state)
{
	struct request r = asks("alice", ALICE, "lan", "{address}");

	(void)state;
	assert_false(taps_check(&d, &r, NULL, &error));
	assert_int_equal(error.status, 422);
	r = asks("alice", ALICE, "ext", "x");
	memset(host_find("ext"), 0, sizeof(host[0]));
	assert_false(taps_check(&d, &r, NULL, &error));
	assert_string_equal(error.why.text, "no ext");
	refusal_say(&d.no_taps, "no network devices: why");
	assert_false(taps_check(&d, &r, NULL, &error));
	assert_int_equal(error.status, 503);
	assert_string_equal(error.why.text, "no network devices: why");
	/* Who has none is not concerned. */
	r.vm.nnets = 0;
	assert_true(taps_check(&d, &r, NULL, &error));
}

static void locked_to_the_one_address(void **state)
{
	struct request r = asks("alice", ALICE, "ext lan ext", "{router:lan}");
	struct vm *vm;
	int fds[3];
	uint32_t mtu;
	struct host_interface *tap;

	(void)state;
	r.vm.argv.count = r.vm.argv.size = 0;
	strings_add(&r.vm.argv, "nothing");
	vm = plan(&r, NULL);
	memcpy(vm->record.tap[0].address, "\x0a\0\0\x03", 4);
	assert_int_equal(taps_make(vm, fds), 0);
	for (unsigned k = 0; k < 3; k++) {
		snprintf(vm->record.tap[k].device, DEVICE_SIZE, "net%u", k);
		assert_int_equal(taps_lock(vm, k, &mtu), 0);
		assert_int_equal(mtu, k == 1 ? 1280 : 9000);
		close(fds[k]);
		tap = host_find(vm->record.tap[k].name);
		assert_true(tap->has_rules && !tap->is.up);
		assert_memory_equal(tap->rules.mac, vm->record.tap[k].mac, MAC_SIZE);
		assert_int_equal(tap->rules.ranged, k != 1);
	}
	tap = host_find(vm->record.tap[0].name);
	assert_memory_equal(tap->rules.first, "\x0a\0\0\x03", 4);
	assert_memory_equal(tap->rules.last, "\x0a\0\0\x03", 4);
	tap = host_find(vm->record.tap[2].name);
	assert_memory_equal(tap->rules.first, "\x0a\0\0\x02", 4);
	assert_memory_equal(tap->rules.last, "\x0a\0\0\x04", 4);
	assert_int_equal(taps_up(vm), 0);
	assert_true(tap->is.up);
	taps_remove(&vm->record, &d);
	assert_null(host_find(vm->record.tap[0].name));
	assert_non_null(host_find("ext"));
}

/* A VM whose taps "ext" and "lan" are there, locked. */
static struct vm *locked(const char *top)
{
	struct request r = asks(top, ALICE, "ext lan", "x");
	struct vm *vm = plan(&r, NULL);
	uint32_t mtu;
	int fds[2];

	assert_int_equal(taps_make(vm, fds), 0);
	for (unsigned k = 0; k < 2; k++) {
		close(fds[k]);
		snprintf(vm->record.tap[k].device, DEVICE_SIZE, "net%u", k);
		assert_int_equal(taps_lock(vm, k, &mtu), 0);
	}
	vm->record.state = VM_RUNNING;
	return vm;
}

static struct host_interface *tap_of(const struct vm *vm, unsigned k)
{
	return host_find(vm->record.tap[k].name);
}

/* Whoever empties the host's rule set takes none of theirs away, nor what they counted; an ended
 * one has none. */
static void lost_rules_come_back(void **state)
{
	struct vm *vm = locked("alice"), *ended = locked("bob"), *early;
	struct request r = asks("carol", ALICE, "ext", "x");
	struct tap_rules before = tap_of(vm, 0)->rules;

	(void)state;
	early = plan(&r, NULL);
	ended->record.state = VM_ENDED;
	assert_false(taps_lost(&d, vm->record.tap[0].name));
	for (unsigned k = 0; k < 2; k++)
		memset(&tap_of(vm, k)->rules, 0, sizeof(before));
	tap_of(vm, 0)->has_rules = tap_of(vm, 1)->has_rules = tap_of(ended, 0)->has_rules = false;
	assert_true(taps_lost(&d, vm->record.tap[0].name));
	assert_false(taps_lost(&d, ended->record.tap[0].name));
	assert_false(taps_lost(&d, early->record.tap[0].name));
	assert_false(taps_lost(&d, "theirs"));
	vm->dropped[0] = before.dropped = 7;
	taps_relock(&d);
	assert_true(tap_of(vm, 0)->has_rules && tap_of(vm, 1)->has_rules);
	assert_memory_equal(&tap_of(vm, 0)->rules, &before, sizeof(before));
	assert_false(tap_of(ended, 0)->has_rules);
	assert_false(taps_lost(&d, vm->record.tap[0].name));
}

/* Its bridge is granted no more: it runs on with what it was started with. */
static void rules_of_what_is_granted_no_more(void **state)
{
	struct vm *vm = locked("alice");
	struct tap_rules before = tap_of(vm, 0)->rules;
	struct request newer = asks("alice", ALICE, "lan", "");

	(void)state;
	newer.level[0].policy.nbridges = 0;
	newer.level[0].not_before = 1;
	assert_int_equal(tree_note(&d.tree, &newer, true), 0);
	tap_of(vm, 0)->has_rules = false;
	taps_relock(&d);
	assert_true(tap_of(vm, 0)->has_rules);
	assert_memory_equal(&tap_of(vm, 0)->rules, &before, sizeof(before));
}

/* No guest sends without rules: what cannot be locked goes. */
static void what_cannot_be_locked_again_goes(void **state)
{
	struct vm *vm = locked("alice");

	(void)state;
	tap_of(vm, 0)->has_rules = tap_of(vm, 1)->has_rules = false;
	host_error = -ENOMEM;
	taps_relock(&d);
	assert_null(tap_of(vm, 0));
	assert_true(tap_of(vm, 1)->has_rules);
}

/* One that cannot be made: none is held. */
static void all_or_none(void **state)
{
	struct request r = asks("alice", ALICE, "ext lan", "x");
	struct vm *vm = plan(&r, NULL);
	int fds[2] = {-1, -1};

	(void)state;
	host_add(vm->record.tap[1].name, INTERFACE_OTHER, 1500);
	assert_true(taps_named(vm->record.uid - options.uid_base - UIDS_FOR_ROLES));
	assert_false(taps_named(777));
	assert_int_equal(taps_make(vm, fds), -EBUSY);
	assert_int_equal(fds[0], -1);
	/* It is not a tap: it stays. */
	taps_remove(&vm->record, &d);
	assert_non_null(host_find(vm->record.tap[1].name));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, gone)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(names_bridges_and_addresses),
	    TEST(two_tenants_on_one_bridge),
	    TEST(who_asks_for_none_has_none),
	    TEST(a_replacing_one_keeps_the_address),
	    TEST(a_replacing_one_takes_no_second_address),
	    TEST(the_newest_policy_counts),
	    TEST(refusals),
	    TEST(locked_to_the_one_address),
	    TEST(lost_rules_come_back),
	    TEST(rules_of_what_is_granted_no_more),
	    TEST(what_cannot_be_locked_again_goes),
	    TEST(all_or_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
