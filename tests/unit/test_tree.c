/*
 * The tree of labels, its file, and quotas by what it knows: tree.c, tree_file.c and quota.c for
 * real, the VMs that count replaced by a number.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "quota.h"
#include "tree_file.h"

static struct daemon d;
static struct usage used;
static struct path living; /* depth 0: nothing */
static struct refusal why;
static int dir_fd;
static char dir[] = "/tmp/vmm-test-tree-XXXXXX";

struct usage vm_usage(const struct daemon *daemon, const struct path *path)
{
	(void)daemon;
	(void)path;
	return used;
}

static void mark(struct tree *tree, const void *arg)
{
	(void)arg;
	if (living.depth > 0)
		tree_mark(tree, &living);
}

static struct node node(const char *name, unsigned label)
{
	struct node n = {{{0}}, {0}};

	snprintf(n.name, sizeof(n.name), "%s", name);
	memcpy(n.label.byte, &label, sizeof(label));
	return n;
}

/* A chain of DEPTH delegations, "d1" with label 1 and so on, and a leaf. */
static struct request chain(uint32_t depth, unsigned leaf, int64_t date)
{
	struct request r = {.depth = depth, .not_before = date};
	char name[NAME_SIZE];

	for (unsigned i = 0; i < depth; i++) {
		snprintf(name, sizeof(name), "d%u", i + 1);
		r.level[i].node = node(name, i + 1);
		r.level[i].not_before = 1000;
		r.level[i].policy = (struct policy){.vms = 2, .memory_mb = 512};
		cpuset_add(&r.level[i].policy.cpus, 0);
	}
	snprintf(name, sizeof(name), "leaf%u", leaf);
	r.leaf = node(name, leaf);
	r.vm.memory_mb = 32;
	return r;
}

static bool known(const struct request *r)
{
	struct path path;

	request_path(r, &path);
	return tree_find(&d.tree, &path) != NULL;
}

static void present(const struct request *r)
{
	assert_true(tree_is_current(&d.tree, r, &why));
	assert_int_equal(tree_note(&d.tree, r, true), 0);
	assert_true(known(r));
}

static void reopen(void)
{
	tree_free(&d.tree);
	tree_init(&d.tree, mark, NULL);
	assert_int_equal(tree_file_open(&d.tree, dir_fd), 0);
}

static int set_up(void **state)
{
	(void)state;
	living.depth = 0;
	used = (struct usage){0};
	d.host = (struct policy){.vms = POLICY_NUMBER_MAX, .memory_mb = 100000};
	tree_init(&d.tree, mark, NULL);
	return tree_file_open(&d.tree, dir_fd);
}

static int tear_down(void **state)
{
	(void)state;
	tree_free(&d.tree);
	tree_file_unlink(dir_fd);
	return 0;
}

static void the_newest_certificate_of_a_label_counts(void **state)
{
	struct request r = chain(2, 100, 5000), older = r;

	(void)state;
	present(&r);
	older.not_before = 4999;
	assert_false(tree_is_current(&d.tree, &older, &why));
	assert_string_equal(
	    why.text, "leaf100: an older certificate, one of 1970-01-01 01:23:20 +00:00 counts");
	older = r;
	older.level[0].not_before = 999;
	assert_false(tree_is_current(&d.tree, &older, &why));
	assert_string_equal(why.text,
			    "d1: an older certificate, one of 1970-01-01 00:16:40 +00:00 counts");
	/* Another label of the same name is another one. */
	older = r;
	older.leaf.label.byte[9] = 1;
	older.not_before = 1;
	present(&older);
}

static void a_signed_again_delegation_counts_for_everybody_below(void **state)
{
	struct request r = chain(2, 100, 5000), again = chain(1, 200, 1);
	struct path d1 = {.depth = 1};

	(void)state;
	d1.node[0] = r.level[0].node;
	present(&r);
	again.level[0].not_before = 1001;
	again.level[0].policy.vms = 1;
	present(&again);
	assert_int_equal(tree_policy(&d.tree, &d1)->vms, 1);
	assert_false(tree_is_current(&d.tree, &r, &why));
	/* Of two of one date the one presented last. */
	again.level[0].policy.vms = 7;
	present(&again);
	assert_int_equal(tree_policy(&d.tree, &d1)->vms, 7);
	/* A record of a VM says nothing new. */
	again.level[0].policy.vms = 9;
	assert_int_equal(tree_note(&d.tree, &again, false), 0);
	assert_int_equal(tree_policy(&d.tree, &d1)->vms, 7);
	assert_int_equal(tree_note(&d.tree, &r, false), 0);
	assert_int_equal(tree_policy(&d.tree, &d1)->vms, 7);
}

static bool admits(const struct request *r)
{
	const struct usage one = {.vms = 1, .memory_mb = r->vm.memory_mb};

	return quota_check(&d, r, &one, &why);
}

static void quotas_go_by_the_newest_policies(void **state)
{
	struct request r = chain(2, 100, 5000), again = r;

	(void)state;
	used = (struct usage){.vms = 1, .memory_mb = 32};
	assert_true(admits(&r)); /* with nothing known, by its own chain */
	present(&r);
	assert_true(admits(&r));
	again.level[0].policy.vms = 1;
	present(&again);
	assert_false(admits(&r));
	assert_string_equal(why.text, "d1 has no room for another VM: it grants 1");
	again.level[0].policy.vms = 2;
	again.level[0].policy.memory_mb = 16;
	present(&again);
	assert_false(admits(&r));
	assert_string_equal(why.text, "memory: asked for 32 MB, d1 grants 16 MB");
	again.level[0].policy.memory_mb = 512;
	memset(&again.level[0].policy.cpus, 0, sizeof(again.level[0].policy.cpus));
	present(&again);
	assert_false(admits(&r));
	assert_string_equal(why.text, "cpuid: asked for 0, d1 grants none");
	d.host.memory_mb = 63;
	assert_false(admits(&r));
	assert_string_equal(why.text, "this host has no room for 32 MB: it grants 63 MB");
}

static void removing_takes_what_is_below(void **state)
{
	struct request r = chain(3, 100, 5000), other = chain(1, 200, 5000);
	struct path path;

	(void)state;
	present(&r);
	present(&other);
	request_path(&r, &path);
	path.depth = 2;
	tree_remove(&d.tree, &path);
	assert_false(known(&r));
	assert_true(known(&other));
	tree_remove(&d.tree, &path); /* nothing to do */
	reopen();
	assert_false(known(&r));
	assert_true(known(&other));
}

static void it_survives_its_process(void **state)
{
	struct request r = chain(15, 100, 5000), older = r;

	(void)state;
	r.level[14].policy.nbridges = 1;
	snprintf(r.level[14].policy.bridge[0].name, BRIDGE_NAME_SIZE, "ext");
	present(&r);
	for (int i = 0; i < 3; i++)
		reopen();
	assert_true(known(&r));
	older.not_before = 4999;
	assert_false(tree_is_current(&d.tree, &older, &why));
	request_path(&r, &living);
	living.depth = 15;
	assert_memory_equal(tree_policy(&d.tree, &living), &r.level[14].policy,
			    sizeof(struct policy));
}

static off_t file_size(void)
{
	struct stat st;

	assert_int_equal(fstatat(dir_fd, "labels", &st, 0), 0);
	return st.st_size;
}

/* Cut at every byte of the last entry, or with a byte changed: the entries before it hold. */
static void a_torn_tail_is_ignored(void **state)
{
	struct request first = chain(1, 100, 5000), second = chain(1, 200, 5000);
	uint8_t before[4096];
	off_t whole, kept;
	int fd;

	(void)state;
	present(&first);
	kept = file_size();
	present(&second);
	whole = file_size();
	assert_true(whole > kept && whole <= (off_t)sizeof(before));
	fd = openat(dir_fd, "labels", O_RDONLY);
	assert_int_equal(read(fd, before, sizeof(before)), whole);
	close(fd);
	for (off_t size = kept; size < whole; size++) {
		for (int changed = 0; changed < 2; changed++) {
			size_t n = (size_t)(changed ? whole : size);

			before[size] ^= changed ? 0x10 : 0;
			fd = openat(dir_fd, "labels", O_WRONLY | O_TRUNC);
			assert_int_equal(write(fd, before, n), (ssize_t)n);
			close(fd);
			before[size] ^= changed ? 0x10 : 0;
			reopen();
			assert_true(known(&first));
			assert_false(known(&second));
		}
	}
	/* And what comes next is appended to the good part. */
	present(&second);
	reopen();
	assert_true(known(&second));
}

/* No file of ours may have more than so many bytes. */
static void leave_room(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* What finds no room, a part of an entry even, is there when there is some again. */
static void a_full_disk_loses_nothing(void **state)
{
	struct request first = chain(1, 100, 5000), second = chain(1, 200, 5000);
	struct request third = chain(1, 300, 5000);

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	present(&first);
	for (rlim_t more = 0; more < 2; more++) {
		leave_room((rlim_t)file_size() + more);
		second.not_before++;
		present(&second);
		leave_room(RLIM_INFINITY);
		third.not_before++;
		present(&third);
		reopen();
		assert_true(known(&first) && known(&second) && known(&third));
		second.not_before--;
		assert_false(tree_is_current(&d.tree, &second, &why));
		second.not_before++;
	}
	/* Full when it is read, too. */
	tree_free(&d.tree);
	leave_room(1);
	tree_init(&d.tree, mark, NULL);
	assert_true(tree_file_open(&d.tree, dir_fd) < 0);
	assert_true(known(&first) && known(&second));
	leave_room(RLIM_INFINITY);
	third.not_before++;
	present(&third);
	reopen();
	third.not_before--;
	assert_false(tree_is_current(&d.tree, &third, &why));
}

static void what_is_not_a_file_of_ours_is_refused(void **state)
{
	(void)state;
	tree_free(&d.tree);
	tree_file_unlink(dir_fd);
	assert_int_equal(symlinkat("/etc/passwd", dir_fd, "labels"), 0);
	tree_init(&d.tree, mark, NULL);
	assert_true(tree_file_open(&d.tree, dir_fd) < 0);
}

static unsigned count_all(const struct tree_node *from)
{
	unsigned n = 0;

	for (const struct tree_node *child = from->children; child; child = child->next)
		n += 1 + count_all(child);
	return n;
}

/* A delegate that signs without end: others keep theirs, the oldest leaves go, what lives stays. */
static void a_top_delegation_is_bounded(void **state)
{
	struct request other = chain(1, 1, 1), alive = chain(2, 1000000, 1), held = chain(2, 5, 1);
	struct request r = chain(2, 0, 1);

	(void)state;
	other.level[0].node = node("other", 99);
	present(&other);
	present(&held);
	present(&alive);
	request_path(&alive, &living);
	for (unsigned i = 0; i < TREE_NODES_MAX + 100; i++) {
		r.leaf = node("leaf", 10 + i);
		present(&r);
	}
	/* d1 is of the root's group. */
	assert_int_equal(count_all(&d.tree.root), TREE_NODES_MAX + 1 + 2);
	assert_true(known(&other));
	assert_true(known(&alive));
	assert_false(known(&held));
	r.leaf = node("leaf", 10);
	assert_false(known(&r));
	reopen();
	assert_int_equal(count_all(&d.tree.root), TREE_NODES_MAX + 1 + 2);
	assert_true(known(&alive));
}

/* Delegations go after every leaf, the oldest first, and never one with something below it. */
static void delegations_go_last(void **state)
{
	struct request r = chain(2, 7, 1), lone = chain(2, 7, 1);
	struct path path = {.depth = 2};

	(void)state;
	lone.level[1].node = node("lone", 500000);
	present(&lone);
	request_path(&lone, &path);
	tree_remove(&d.tree, &path); /* its leaf: a delegation alone stays */
	path.depth = 2;
	for (unsigned i = 0; i < TREE_NODES_MAX; i++) {
		r.leaf = node("leaf", 10 + i);
		present(&r);
	}
	assert_non_null(tree_find(&d.tree, &path));
	for (unsigned i = 0; i < TREE_NODES_MAX + 100; i++) {
		r = chain(2, 7, 1);
		r.level[1].node = node("d", 1000000 + i);
		present(&r);
	}
	assert_null(tree_find(&d.tree, &path));
	assert_true(known(&r));
}

static void leaves_of_the_root_are_bounded_too(void **state)
{
	struct request r = chain(0, 0, 1), top = chain(1, 1, 1);

	(void)state;
	present(&top);
	for (unsigned i = 0; i < TREE_NODES_MAX + 10; i++) {
		r.leaf = node("admin", 100 + i);
		present(&r);
	}
	assert_int_equal(count_all(&d.tree.root), TREE_NODES_MAX + 1);
	assert_true(known(&top));
}

/* A file that is written to for ever does not grow for ever. */
static void the_file_is_written_anew_when_it_has_grown(void **state)
{
	struct request r = chain(1, 100, 0);
	off_t most = 0;

	(void)state;
	for (int i = 0; i < 40000; i++) {
		r.not_before = i;
		present(&r);
		if (i % 1000 == 0 && file_size() > most)
			most = file_size();
	}
	assert_true(most > 100000 && most < 3 << 20);
	reopen();
	assert_true(known(&r));
	assert_true(file_size() < 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(the_newest_certificate_of_a_label_counts, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(a_signed_again_delegation_counts_for_everybody_below,
					    set_up, tear_down),
	    cmocka_unit_test_setup_teardown(quotas_go_by_the_newest_policies, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(removing_takes_what_is_below, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(it_survives_its_process, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_torn_tail_is_ignored, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_full_disk_loses_nothing, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(what_is_not_a_file_of_ours_is_refused, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(a_top_delegation_is_bounded, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(delegations_go_last, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(leaves_of_the_root_are_bounded_too, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(the_file_is_written_anew_when_it_has_grown, set_up,
					    tear_down),
	};
	int failed;

	if (mkdtemp(dir) == NULL)
		return 1;
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	close(dir_fd);
	rmdir(dir);
	return failed;
}
