/*
 * Which bridges are made and removed: bridges.c for real, on a host that is a list (host.h), with
 * its list in a directory of the test's own.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridges.h"
#include "host.h"
#include "log.h"

static struct options options;
static struct daemon d;
static struct start_error error;
static char folder[] = "/tmp/vmm-test-bridges-XXXXXX";
static struct session session;

void log_fatal(const char *format, ...)
{
	(void)format;
	abort();
}

/* A vmmd starts on what the one before left. */
static void restart(void)
{
	while (d.vms)
		vm_free(d.vms);
	if (d.bridges_fd >= 0)
		close(d.bridges_fd);
	tree_free(&d.tree);
	d.bridges_fd = -1;
	d.sessions = NULL;
	tree_init(&d.tree, NULL, NULL);
	bridges_open(&d);
	assert_true(d.bridges_fd >= 0);
}

static int fresh(void **state)
{
	(void)state;
	host_clear();
	options = (struct options){.run_dir = folder};
	memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
	assert_non_null(mkdtemp(folder));
	d = (struct daemon){.options = &options, .root = true, .bridges_fd = -1};
	tree_init(&d.tree, NULL, NULL);
	d.run_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	session = (struct session){.daemon = &d};
	restart();
	return 0;
}

static int gone(void **state)
{
	(void)state;
	while (d.vms)
		vm_free(d.vms);
	d.sessions = NULL;
	bridges_settle(&d);
	bridges_leave(&d);
	tree_free(&d.tree);
	close(d.run_fd);
	/* Nothing is left in it. */
	assert_int_equal(rmdir(folder), 0);
	return 0;
}

static struct bridge bridge(const char *text)
{
	struct bridge out;

	assert_true(bridge_parse(text, &out, &error.why));
	return out;
}

/* A leaf below a top delegation of one bridge. */
static struct request below(const char *top, const char *text)
{
	struct request r = {.depth = 1};
	struct bridge one = bridge(text);

	snprintf(r.level[0].node.name, NAME_SIZE, "%s", top);
	r.level[0].node.label.byte[0] = (uint8_t)top[0];
	assert_true(policy_add_bridge(&r.level[0].policy, &one, &error.why));
	return r;
}

static void log_in(const char *top, const char *text)
{
	session.request = below(top, text);
	session.logged_in = true;
	d.sessions = &session;
	bridges_login(&d, &session.request.level[0].policy);
}

static void log_out(void)
{
	d.sessions = NULL;
	bridges_settle(&d);
}

static struct vm *run(const char *top, const char *text)
{
	struct request r = below(top, text);
	struct vm *vm = vm_new(&d, &r);

	vm->record.state = VM_RUNNING;
	vm->record.ntaps = 1;
	snprintf(vm->record.tap[0].bridge, BRIDGE_NAME_SIZE, "%s",
		 r.level[0].policy.bridge[0].name);
	return vm;
}

static void end(struct vm *vm)
{
	vm->record.state = VM_ENDED;
	bridges_settle(&d);
}

static bool use(const char *text)
{
	struct bridge wanted = bridge(text);
	struct interface found;

	return bridges_use(&d, &wanted, &found, &error);
}

#define EXT "ext/10.0.0.2/10.0.0.4/10.0.0.1/24"

static void comes_with_a_login_goes_with_the_last(void **state)
{
	struct vm *vm;

	(void)state;
	log_in("alice", "lan");
	assert_non_null(host_find("lan"));
	assert_true(host_find("lan")->shut);
	vm = run("alice", "lan");
	log_out();
	assert_non_null(host_find("lan"));
	end(vm);
	assert_null(host_find("lan"));
}

/* A VM without a network keeps what its top delegation names, too. */
static void stays_for_any_vm_below(void **state)
{
	struct vm *vm;

	(void)state;
	log_in("alice", "lan");
	vm = run("alice", "lan");
	vm->record.ntaps = 0;
	log_out();
	assert_non_null(host_find("lan"));
	end(vm);
	assert_null(host_find("lan"));
}

static void equal_names_share(void **state)
{
	struct vm *alice, *bob;

	(void)state;
	assert_true(use("lan"));
	alice = run("alice", "lan");
	assert_true(use("lan"));
	bob = run("bob", "lan");
	end(alice);
	assert_non_null(host_find("lan"));
	end(bob);
	assert_null(host_find("lan"));
}

/* As another vmmd's VM has: it goes when that has gone. */
static void what_others_have_plugged_into_stays(void **state)
{
	(void)state;
	log_in("alice", "lan");
	host_add("vmm9-0", INTERFACE_TAP, 1500)->is.master = host_find("lan")->is.index;
	log_out();
	assert_non_null(host_find("lan"));
	restart();
	assert_non_null(host_find("lan"));
	tap_remove("vmm9-0");
	bridges_settle(&d);
	assert_null(host_find("lan"));
}

static void what_was_there_stays(void **state)
{
	(void)state;
	host_add("lan", INTERFACE_BRIDGE, 1500);
	host_add("ext", INTERFACE_BRIDGE, 1500);
	log_in("alice", "lan");
	end(run("alice", EXT));
	assert_true(use(EXT));
	log_out();
	assert_non_null(host_find("lan"));
	assert_non_null(host_find("ext"));
}

static void external_ones_are_the_operators(void **state)
{
	(void)state;
	log_in("alice", EXT);
	assert_null(host_find("ext"));
	assert_false(use(EXT));
	assert_int_equal(error.status, 503);
	assert_non_null(strstr(error.why.text, "bridge ext: "));
	assert_non_null(strstr(error.why.text, "--create-bridges"));
	options.create_bridges = true;
	log_in("alice", EXT);
	assert_non_null(host_find("ext"));
	assert_false(host_find("ext")->shut);
	log_out();
	assert_null(host_find("ext"));
}

static void what_is_no_bridge_is_left_alone(void **state)
{
	(void)state;
	host_add("lan", INTERFACE_OTHER, 1500);
	assert_false(use("lan"));
	assert_non_null(strstr(error.why.text, "no bridge"));
	log_in("alice", "lan");
	log_out();
	assert_non_null(host_find("lan"));
	assert_int_equal(host_find("lan")->is.kind, INTERFACE_OTHER);
}

static void a_failure_leaves_nothing(void **state)
{
	(void)state;
	host_error = -EPERM;
	assert_false(use("lan"));
	assert_string_equal(error.why.text, "bridge lan: Operation not permitted");
	/* The list is empty: one that comes meanwhile is not ours. */
	host_add("lan", INTERFACE_BRIDGE, 1500);
	bridges_settle(&d);
	assert_non_null(host_find("lan"));
}

/* As on a full disk: no bridge without its place in the list. */
static void what_cannot_be_listed_is_not_made(void **state)
{
	struct rlimit limit, none;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	none = (struct rlimit){.rlim_max = limit.rlim_max};
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	assert_false(use("lan"));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_string_equal(error.why.text, "bridge lan: File too large");
	assert_null(host_find("lan"));
	assert_int_equal(faccessat(d.bridges_fd, "lan", F_OK, 0), -1);
}

static void a_killed_one_s_are_removed(void **state)
{
	struct vm *vm;
	int fd;

	(void)state;
	log_in("alice", "lan");
	vm = run("alice", "lan");
	(void)vm;
	restart();
	assert_null(host_find("lan"));
	/* Between the list and the bridge, and between the bridge and its index. */
	for (int there = 0; there < 2; there++) {
		fd = openat(d.bridges_fd, "lan", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		assert_int_equal(write(fd, "0\n", 2), 2);
		close(fd);
		if (there)
			host_add("lan", INTERFACE_BRIDGE, 1500);
		restart();
		assert_null(host_find("lan"));
		assert_int_equal(faccessat(d.bridges_fd, "lan", F_OK, 0), -1);
	}
}

/* Removed and made again by somebody else meanwhile: another index. */
static void a_name_alone_is_not_enough(void **state)
{
	(void)state;
	log_in("alice", "lan");
	memset(host_find("lan"), 0, sizeof(host[0]));
	host_add("lan", INTERFACE_BRIDGE, 1500);
	log_out();
	assert_non_null(host_find("lan"));
}

/* Half made, and needed: what is there may be open to the host. */
static void a_half_made_one_is_made_anew(void **state)
{
	struct vm *vm;
	int fd;

	(void)state;
	fd = openat(d.bridges_fd, "lan", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, "0 shut\n", 7), 7);
	close(fd);
	host_add("lan", INTERFACE_BRIDGE, 1500);
	vm = run("alice", "lan");
	close(d.bridges_fd);
	bridges_open(&d);
	assert_null(host_find("lan"));
	assert_true(use("lan"));
	assert_true(host_find("lan")->shut);
	end(vm);
}

/* Whoever empties the host's rule set does not open internal bridges; others were never shut. */
static void what_was_shut_is_shut_again(void **state)
{
	struct vm *alice, *bob;

	(void)state;
	options.create_bridges = true;
	assert_true(use("lan") && use("lan-b") && use(EXT));
	host_add("theirs", INTERFACE_BRIDGE, 1500);
	alice = run("alice", "lan");
	bob = run("bob", "theirs");
	host_find("lan")->shut = false;
	bridges_relock(&d);
	assert_true(host_find("lan")->shut);
	assert_false(host_find("ext")->shut);
	assert_false(host_find("theirs")->shut);
	/* A vmmd that comes after this one knows which. */
	host_find("lan")->shut = false;
	close(d.bridges_fd);
	bridges_open(&d);
	bridges_relock(&d);
	assert_true(host_find("lan")->shut);
	/* One of that name that somebody else made meanwhile is his. */
	memset(host_find("lan"), 0, sizeof(host[0]));
	host_add("lan", INTERFACE_BRIDGE, 1500);
	bridges_relock(&d);
	assert_false(host_find("lan")->shut);
	end(alice);
	end(bob);
}

static void a_newer_delegation_gives_it_up(void **state)
{
	struct request newer = below("alice", "other");

	(void)state;
	log_in("alice", "lan");
	newer.level[0].not_before = 1;
	assert_int_equal(tree_note(&d.tree, &newer, true), 0);
	bridges_settle(&d);
	assert_null(host_find("lan"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, gone)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(comes_with_a_login_goes_with_the_last),
	    TEST(stays_for_any_vm_below),
	    TEST(equal_names_share),
	    TEST(what_was_there_stays),
	    TEST(what_others_have_plugged_into_stays),
	    TEST(external_ones_are_the_operators),
	    TEST(what_is_no_bridge_is_left_alone),
	    TEST(a_failure_leaves_nothing),
	    TEST(what_cannot_be_listed_is_not_made),
	    TEST(a_killed_one_s_are_removed),
	    TEST(a_name_alone_is_not_enough),
	    TEST(a_half_made_one_is_made_anew),
	    TEST(what_was_shut_is_shut_again),
	    TEST(a_newer_delegation_gives_it_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
