/*
 * A start's status channel: status.c and command.c for real, the monitor played by the test, on a
 * host that is a list (host.h).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridges.h"
#include "command.h"
#include "host.h"
#include "lifecycle.h"
#include "status.h"
#include "taps.h"

static struct options options;
static struct daemon d;
static struct vm *vm;
static int monitor, taps[DEVICES_MAX];
static unsigned readies;
static char failed[DETAIL_SIZE];

bool bridges_use(struct daemon *daemon, const struct bridge *wanted, struct interface *out,
		 struct start_error *why)
{
	(void)daemon;
	(void)why;
	return interface_find(wanted->name, out) == 0;
}

void vm_ready(struct vm *which)
{
	readies++;
	status_close(which);
}

void vm_fail_start(struct vm *which, const char *why)
{
	snprintf(failed, sizeof(failed), "%s", why);
	status_close(which);
}

/* Starts a VM with NETS ("a:ext ext") and BLOCKS likewise, and ARG three times. */
static void start(const char *nets, const char *blocks, const char *arg)
{
	struct request r = {.depth = 1, .kind = LEAF_VM};
	struct bridge bridge;
	struct refusal why;
	char copy[128], *word, *rest;

	r.leaf.label.byte[0] = 7;
	bridge_parse("ext/10.0.0.2/10.0.0.4/10.0.0.1/24", &bridge, &why);
	policy_add_bridge(&r.level[0].policy, &bridge, &why);
	snprintf(copy, sizeof(copy), "%s", nets);
	for (rest = copy; *copy && (word = strsep(&rest, " ")) != NULL; r.vm.nnets++) {
		sscanf(word, "%[^:]", r.vm.net[r.vm.nnets].device);
		if (strcmp(word, "-") == 0)
			r.vm.net[r.vm.nnets].device[0] = 0;
		memcpy(r.vm.net[r.vm.nnets].bridge, "ext", sizeof("ext"));
	}
	snprintf(copy, sizeof(copy), "%s", blocks);
	for (rest = copy; *copy && (word = strsep(&rest, " ")) != NULL; r.vm.nblocks++) {
		if (strcmp(word, "-") != 0)
			snprintf(r.vm.block[r.vm.nblocks].device, DEVICE_SIZE, "%s", word);
		memcpy(r.vm.block[r.vm.nblocks].volume, "data", sizeof("data"));
	}
	for (int i = 0; i < 3; i++)
		strings_add(&r.vm.argv, i == 1 ? arg : "same");
	vm = vm_new(&d, &r);
	vm->record.uid = options.uid_base + UIDS_FOR_ROLES;
	taps_plan(vm, NULL);
	assert_int_equal(taps_make(vm, taps), 0);
	assert_true(command_make(vm, &why));
	assert_int_equal(status_open(vm, &monitor), 0);
	assert_int_equal(status_watch(vm), 0);
}

static int fresh(void **state)
{
	(void)state;
	host_clear();
	host_add("ext", INTERFACE_BRIDGE, 1400);
	d = (struct daemon){.options = &options, .root = true, .bridges_fd = -1};
	d.base = event_base_new();
	tree_init(&d.tree, NULL, NULL);
	readies = 0;
	failed[0] = 0;
	return 0;
}

static int gone(void **state)
{
	(void)state;
	for (unsigned k = 0; k < vm->record.ntaps; k++)
		close(taps[k]);
	if (monitor >= 0)
		close(monitor);
	vm_free(vm);
	tree_free(&d.tree);
	event_base_free(d.base);
	return 0;
}

static void turn(void)
{
	event_base_loop(d.base, EVLOOP_NONBLOCK);
}

static void say(const char *line)
{
	assert_int_equal(send(monitor, line, strlen(line), MSG_NOSIGNAL), strlen(line));
	turn();
}

/* The next datagram of the answer; "" where there is none. */
static const char *hear(void)
{
	static char line[ARGV_SIZE + 64];
	ssize_t n = recv(monitor, line, sizeof(line) - 1, MSG_DONTWAIT);

	line[n > 0 ? n : 0] = 0;
	return line;
}

static const char *word_of(const struct strings *list, unsigned n)
{
	const char *word = strings_next(list, NULL);

	while (n-- > 0 && word)
		word = strings_next(list, word);
	return word ? word : "";
}

static bool commanded(const char *option)
{
	for (const char *w = NULL; (w = strings_next(&vm->record.command, w)) != NULL;)
		if (strcmp(w, option) == 0)
			return true;
	return false;
}

static void no_devices(void **state)
{
	(void)state;
	start("", "", "x");
	say("target hvt\n");
	assert_string_equal(vm->record.target, "hvt");
	say("ready\n");
	assert_int_equal(readies, 1);
}

static void names_are_answered(void **state)
{
	char mac[MAC_TEXT_SIZE], expected[64];

	(void)state;
	start("- management", "- storage", "x");
	assert_true(commanded("--net=@8"));
	assert_true(commanded("--net:management=@9"));
	assert_true(commanded("--block=@10"));
	assert_true(commanded("--block:storage=@11"));
	say("net 0 service\n");
	assert_string_equal(hear(), "");
	say("net 1 management\n");
	for (unsigned k = 0; k < 2; k++) {
		mac_format(vm->record.tap[k].mac, mac);
		snprintf(expected, sizeof(expected), "net %u %s 1400", k, mac);
		assert_string_equal(hear(), expected);
		assert_true(host_find(vm->record.tap[k].name)->is.up);
		assert_true(host_find(vm->record.tap[k].name)->has_rules);
	}
	assert_string_equal(hear(), "end");
	assert_string_equal(hear(), "");
	assert_true(commanded("--net:service=@8"));
	say("block 1 storage\n");
	say("block 0 data0\n");
	say("ready\n");
	assert_int_equal(readies, 1);
	assert_true(commanded("--block:data0=@10"));
}

/* The one argument that changes with the name of its device. */
static void a_mac_is_filled_in(void **state)
{
	char mac[MAC_TEXT_SIZE], expected[64];

	(void)state;
	start("-", "", "--mac={mac}");
	assert_true(commanded("--mac=00:00:00:00:00:00"));
	say("net 0 service\n");
	mac_format(vm->record.tap[0].mac, mac);
	hear();
	snprintf(expected, sizeof(expected), "arg 1 --mac=%s", mac);
	assert_string_equal(hear(), expected);
	assert_string_equal(hear(), "end");
	assert_true(commanded(expected + strlen("arg 1 ")));
	assert_string_equal(word_of(&vm->record.request.vm.argv, 1), "--mac={mac}");
}

static void a_known_name_s_mac_is_not_told_twice(void **state)
{
	(void)state;
	start("service", "", "--mac={mac}");
	assert_false(commanded("--mac=00:00:00:00:00:00"));
	say("net 0 service\n");
	hear();
	assert_string_equal(hear(), "end");
}

/* As many short arguments as fit, each changed. */
static void the_longest_answer(void **state)
{
	struct refusal why;
	unsigned n = 0;

	(void)state;
	start("-", "", "x");
	while (vm->record.request.vm.argv.count < 440)
		assert_int_equal(strings_add(&vm->record.request.vm.argv, "{mac}"), 0);
	assert_true(command_make(vm, &why));
	say("net 0 service\n");
	assert_string_equal(failed, "");
	while (strcmp(hear(), "end") != 0)
		assert_in_range(n++, 0, 1000);
	assert_int_equal(n, 438);
}

/* While another VM has its place the taps stay down. */
static void one_that_waits_has_its_taps_down(void **state)
{
	(void)state;
	start("-", "", "x");
	vm->replaces = true;
	say("net 0 service\n");
	hear();
	assert_string_equal(hear(), "end");
	assert_true(host_find(vm->record.tap[0].name)->has_rules);
	assert_false(host_find(vm->record.tap[0].name)->is.up);
}

static void what_cannot_be_ends_the_start(void **state)
{
	static const struct {
		const char *nets, *blocks, *lines[3];
	} cases[] = {
	    {"", "", {"net 0 a\n"}},
	    {"", "", {"block 0 a\n"}},
	    {"-", "", {"net 1 a\n"}},
	    {"- -", "", {"net 0 a\n", "net 0 a\n"}},
	    {"- -", "", {"net 0 a\n", "net 0 b\n"}},
	    {"- -", "", {"net 0 a\n", "net 1 a\n"}},
	    {"a", "", {"net 0 b\n"}},
	    {"- a", "", {"net 0 a\n"}},
	    {"-", "", {"net 0 a/b\n"}},
	    {"-", "", {"ready\n"}},
	    {"", "-", {"ready\n"}},
	    {"-", "-", {"net 0 a\n", "ready\n"}},
	    {"", "a", {"block 0 b\n"}},
	    {"", "- -", {"block 0 a\n", "block 1 a\n"}},
	    {"", "", {"target hvt\n", "target spt\n"}},
	    {"", "", {"end\n"}},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (i > 0) {
			gone(state);
			fresh(state);
		}
		start(cases[i].nets, cases[i].blocks, "x");
		for (unsigned n = 0; n < 3 && cases[i].lines[n]; n++) {
			assert_string_equal(failed, "");
			say(cases[i].lines[n]);
		}
		assert_string_equal(failed,
				    "the monitor said something that vmmd does not understand");
		assert_int_equal(readies, 0);
	}
}

static void a_host_that_fails_says_so(void **state)
{
	(void)state;
	start("-", "", "x");
	host_error = -ENOMEM;
	say("net 0 a\n");
	assert_string_equal(
	    failed, "the host could not let its network devices through: Cannot allocate memory");
	assert_true(vm->unavailable);
}

static void a_bridge_that_is_granted_no_more(void **state)
{
	(void)state;
	start("-", "", "x");
	vm->record.request.level[0].policy.nbridges = 0;
	say("net 0 a\n");
	assert_string_not_equal(failed, "");
	assert_false(host_find(vm->record.tap[0].name)->has_rules);
}

static void its_end_is_seen(void **state)
{
	(void)state;
	start("", "", "x");
	say("error image: no\n");
	assert_string_equal(failed, "image: no");
	gone(state);
	fresh(state);
	start("", "", "x");
	close(monitor);
	monitor = -1;
	turn();
	assert_string_equal(failed, "the monitor ended before it was ready");
}

/* It said what is wrong, and died without reading its answer. */
static void its_last_words_are_heard(void **state)
{
	(void)state;
	start("-", "", "x");
	say("net 0 a\n");
	assert_int_equal(send(monitor, "error x\n", 8, 0), 8);
	close(monitor);
	monitor = -1;
	turn();
	assert_string_equal(failed, "x");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, gone)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(no_devices),
	    TEST(names_are_answered),
	    TEST(a_mac_is_filled_in),
	    TEST(a_known_name_s_mac_is_not_told_twice),
	    TEST(the_longest_answer),
	    TEST(one_that_waits_has_its_taps_down),
	    TEST(what_cannot_be_ends_the_start),
	    TEST(a_host_that_fails_says_so),
	    TEST(a_bridge_that_is_granted_no_more),
	    TEST(its_end_is_seen),
	    TEST(its_last_words_are_heard),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
