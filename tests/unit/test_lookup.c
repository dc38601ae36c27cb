/*
 * vmmd's list of VMs and the lookup of names in a scope: vm.c and lookup.c, with the roles and the
 * records replaced by nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lookup.h"
#include "roles.h"

static unsigned dropped, removed;
static const char *written; /* the last record's name */

int roles_tell_console(struct daemon *d, uint32_t type, const void *body, const int *fds)
{
	(void)d;
	(void)body;
	(void)fds;
	dropped += type == MSG_CONSOLE_DROP;
	return 0;
}

int record_write(int dir_fd, const char *name, const struct vm_record *record)
{
	(void)dir_fd;
	(void)record;
	written = name;
	return 0;
}

void record_remove_dir(const struct daemon *d, const uint8_t *path_id)
{
	(void)d;
	(void)path_id;
	removed++;
}

static struct daemon d;
static struct request request;
static struct path found;
static char labels[256];

static struct node node(const char *name, const char *label)
{
	struct node n = {{{0}}, {0}};

	snprintf(n.name, sizeof(n.name), "%s", name);
	for (unsigned i = 0; label[2 * i]; i++)
		sscanf(label + 2 * (size_t)i, "%2hhx", &n.label.byte[i]);
	return n;
}

static struct vm *add(const char *delegation, const char *name, const char *label, uint32_t memory)
{
	static uint8_t serial;
	struct vm *vm;

	memset(&request, 0, sizeof(request));
	request.depth = 1;
	request.level[0].node = strcmp(delegation, "alice") == 0 ? node("alice", "a11ce0")
								 : node("bob", "b0b000");
	request.leaf = node(name, label);
	request.kind = LEAF_VM;
	request.vm.memory_mb = memory;
	request.path_id[0] = ++serial;
	vm = vm_new(&d, &request);
	assert_non_null(vm);
	vm->record.state = VM_RUNNING;
	return vm;
}

static struct path scope_of(const char *delegation)
{
	struct path scope = {.depth = 0};

	if (*delegation) {
		scope.depth = 1;
		scope.node[0] = strcmp(delegation, "alice") == 0 ? node("alice", "a11ce0")
								 : node("bob", "b0b000");
	}
	return scope;
}

static enum lookup_result look(const char *delegation, const char *text)
{
	struct path scope = scope_of(delegation);

	return lookup_path(&d, &scope, text, &found, labels, sizeof(labels));
}

static int clear(void **state)
{
	(void)state;
	while (d.vms)
		vm_free(d.vms);
	tree_free(&d.tree);
	dropped = removed = 0;
	return 0;
}

static void names_and_labels_are_found_in_scope(void **state)
{
	struct vm *hello = add("alice", "hello", "0102030405", 32);

	(void)state;
	assert_int_equal(look("alice", "hello"), LOOKUP_ONE);
	assert_ptr_equal(lookup_vm(&d, &found), hello);
	assert_int_equal(look("alice", "010203"), LOOKUP_ONE);
	assert_int_equal(look("", "alice/hello"), LOOKUP_ONE);
	assert_int_equal(look("", "a11ce0.010203"), LOOKUP_ONE);
	assert_int_equal(look("", "alice"), LOOKUP_ONE);
	assert_int_equal(found.depth, 1);
	assert_null(lookup_vm(&d, &found));
	assert_int_equal(look("alice", ""), LOOKUP_ONE);
}

static void nothing_exists_outside_of_the_scope(void **state)
{
	(void)state;
	add("alice", "hello", "0102030405", 32);
	assert_int_equal(look("bob", "hello"), LOOKUP_NONE);
	assert_int_equal(look("bob", "010203"), LOOKUP_NONE);
	assert_int_equal(look("bob", "alice/hello"), LOOKUP_NONE);
	assert_int_equal(look("alice", "alice/hello"), LOOKUP_NONE);
	assert_int_equal(look("", "hello"), LOOKUP_NONE);
}

static void two_of_a_name_are_ambiguous(void **state)
{
	(void)state;
	add("alice", "web", "0102030405", 32);
	add("alice", "web", "0102036405", 32);
	assert_int_equal(look("alice", "web"), LOOKUP_AMBIGUOUS);
	/* As many digits as it takes to tell them apart. */
	assert_string_equal(labels, "0102030, 0102036");
	assert_int_equal(look("alice", "010203"), LOOKUP_AMBIGUOUS);
	assert_int_equal(look("alice", "0102036"), LOOKUP_ONE);
}

static void a_path_with_a_live_and_an_ended_vm_shows_the_live_one(void **state)
{
	struct vm *ended = add("alice", "hello", "0102030405", 32), *live;
	uint8_t *id;

	(void)state;
	ended->record.state = VM_ENDED;
	live = add("alice", "hello", "0102030405", 32);
	id = live->record.request.path_id;
	memcpy(ended->record.request.path_id, id, DIGEST_SIZE);
	assert_int_equal(look("alice", "hello"), LOOKUP_ONE);
	assert_ptr_equal(lookup_vm(&d, &found), live);
	assert_ptr_equal(vm_find_live(&d, id), live);
	assert_ptr_equal(vm_find_ended(&d, id), ended);
	/* Forgetting the ended one must not take the directory from under the live one. */
	vm_forget(ended);
	assert_int_equal(removed, 0);
	assert_int_equal(dropped, 0);
	live->record.state = VM_ENDED;
	vm_forget(live);
	assert_int_equal(removed, 1);
	assert_int_equal(dropped, 1);
}

/* A certificate of DATE for NAME below DELEGATION, which is one itself or a leaf. */
static void know(const char *delegation, const char *name, const char *label, int64_t date,
		 bool is_delegation)
{
	static const struct policy policy;
	struct path path = scope_of(delegation);

	if (path.depth > 0)
		assert_int_equal(tree_note_path(&d.tree, &path, 1, &policy), 0);
	path.node[path.depth++] = node(name, label);
	assert_int_equal(tree_note_path(&d.tree, &path, date, is_delegation ? &policy : NULL), 0);
}

static void a_delegation_without_vms_is_found_in_scope(void **state)
{
	struct path path = scope_of("alice");

	(void)state;
	know("alice", "dan", "0a0b0c", 5, true);
	know("alice", "admin", "0d0e0f", 5, false);
	assert_int_equal(look("alice", "dan"), LOOKUP_ONE);
	assert_int_equal(found.depth, 2);
	assert_null(lookup_vm(&d, &found));
	assert_int_equal(look("alice", "0a0b0c"), LOOKUP_ONE);
	assert_int_equal(look("", "alice/dan"), LOOKUP_ONE);
	assert_int_equal(look("", "alice"), LOOKUP_ONE);
	/* A leaf is nothing that could be listed; and outside of the scope there is nothing. */
	assert_int_equal(look("alice", "admin"), LOOKUP_NONE);
	assert_int_equal(look("bob", "dan"), LOOKUP_NONE);
	assert_int_equal(look("bob", "alice/dan"), LOOKUP_NONE);
	/* Taken back. */
	tree_remove(&d.tree, &path);
	assert_int_equal(look("alice", "dan"), LOOKUP_NONE);
}

static void a_name_wins_over_a_label(void **state)
{
	struct vm *named = add("alice", "010203", "0a0b0c", 32);

	(void)state;
	add("alice", "hello", "0102030405", 32);
	assert_int_equal(look("alice", "010203"), LOOKUP_ONE);
	assert_ptr_equal(lookup_vm(&d, &found), named);
	assert_int_equal(look("alice", "01020304"), LOOKUP_ONE);
	assert_ptr_not_equal(lookup_vm(&d, &found), named);
}

/* After "web" was taken back and signed again, under another label. */
static void of_two_of_a_name_the_one_that_lives_is_meant(void **state)
{
	struct vm *old = add("alice", "web", "0102030405", 32), *new;

	(void)state;
	old->record.state = VM_ENDED;
	new = add("alice", "web", "0102036405", 32);
	assert_int_equal(look("alice", "web"), LOOKUP_ONE);
	assert_ptr_equal(lookup_vm(&d, &found), new);
	/* Neither lives: the newest, as far as that is known. */
	new->record.state = VM_ENDED;
	assert_int_equal(look("alice", "web"), LOOKUP_AMBIGUOUS);
	know("alice", "web", "0102030405", 7, false);
	know("alice", "web", "0102036405", 8, false);
	assert_int_equal(look("alice", "web"), LOOKUP_ONE);
	assert_ptr_equal(lookup_vm(&d, &found), new);
	/* Their dates are the same. */
	know("alice", "web", "0102030405", 8, false);
	assert_int_equal(look("alice", "web"), LOOKUP_AMBIGUOUS);
	/* A label is exact. */
	assert_int_equal(look("alice", "01020304"), LOOKUP_ONE);
	assert_ptr_equal(lookup_vm(&d, &found), old);
	assert_int_equal(look("alice", "010203"), LOOKUP_AMBIGUOUS);
}

static void a_delegation_signed_again_is_meant_before_the_one_taken_back(void **state)
{
	struct vm *old;

	(void)state;
	old = add("alice", "gone", "0102030405", 32);
	old->record.state = VM_ENDED;
	old->path.depth = 3;
	old->path.node[2] = old->path.node[1];
	old->path.node[1] = node("dan", "0d0d0d");
	assert_int_equal(look("alice", "dan"), LOOKUP_ONE);
	know("alice", "dan", "0e0e0e", 9, true);
	assert_int_equal(look("alice", "dan"), LOOKUP_ONE);
	assert_int_equal(found.node[1].label.byte[0], 0x0e);
	assert_int_equal(look("alice", "dan/gone"), LOOKUP_ONE);
}

static void siblings_that_are_known_make_labels_longer(void **state)
{
	struct vm *vm = add("alice", "hello", "0102030405", 32);
	char label[LABEL_PATH_SIZE];

	(void)state;
	know("alice", "dan", "0102036405", 5, true);
	vm_label_path(&d, &vm->path, 1, label);
	assert_string_equal(label, "0102030");
}

static void usage_is_summed_below_a_path(void **state)
{
	struct path alice = scope_of("alice"), all = scope_of("");

	(void)state;
	add("alice", "one", "010000", 32);
	add("alice", "two", "020000", 64);
	add("bob", "one", "030000", 128);
	add("alice", "gone", "040000", 256)->record.state = VM_ENDED;
	assert_int_equal(vm_usage(&d, &alice).vms, 2);
	assert_int_equal(vm_usage(&d, &alice).memory_mb, 96);
	assert_int_equal(vm_usage(&d, &all).vms, 3);
	assert_int_equal(vm_usage(&d, &all).memory_mb, 224);
}

/* A VM and the one that is to replace it, as vm_start makes them. */
static struct vm *add_successor(struct vm *old, uint32_t memory)
{
	struct vm *next = add("alice", "hello", "0102030405", memory);

	memcpy(next->record.request.path_id, old->record.request.path_id, DIGEST_SIZE);
	next->record.state = VM_STARTING;
	next->replaced = old;
	old->yields = true;
	return next;
}

static void one_that_replaces_another_is_not_seen_before_its_turn(void **state)
{
	struct vm *old = add("alice", "hello", "0102030405", 64), *next = add_successor(old, 32);
	const uint8_t *id = old->record.request.path_id;

	(void)state;
	assert_int_equal(look("alice", "hello"), LOOKUP_ONE);
	assert_ptr_equal(lookup_vm(&d, &found), old);
	assert_ptr_equal(vm_find_live(&d, id), old);
	assert_ptr_equal(vm_successor(old), next);
	assert_true(vm_is_shown(old) && !vm_is_shown(next));
	assert_int_equal(vm_store(next), 0);
	assert_string_equal(written, RECORD_NEXT);
	old->record.state = VM_ENDED;
	assert_ptr_equal(lookup_vm(&d, &found), next);
	assert_true(!vm_is_shown(old) && vm_is_shown(next));
	assert_int_equal(vm_store(next), 0);
	assert_string_equal(written, RECORD_NAME);
	vm_free(old);
	assert_null(next->replaced);
}

static void two_on_a_path_count_as_one(void **state)
{
	struct path alice = scope_of("alice");
	struct vm *old = add("alice", "hello", "0102030405", 64), *next = add_successor(old, 32);
	struct usage used = vm_usage(&d, &alice);

	(void)state;
	assert_int_equal(used.vms, 1);
	assert_int_equal(used.memory_mb, 64);
	old->record.state = VM_ENDED;
	assert_int_equal(vm_usage(&d, &alice).memory_mb, 32);
	old->record.state = VM_RUNNING;
	vm_free(next);
	assert_false(old->yields);
	add_successor(old, 128);
	used = vm_usage(&d, &alice);
	assert_int_equal(used.vms, 1);
	assert_int_equal(used.memory_mb, 128);
}

static void ended_vms_are_kept_up_to_a_number_per_top_delegation(void **state)
{
	struct vm *last = NULL, *bobs = add("bob", "old", "0b0b0b", 1);
	unsigned n = 0;

	(void)state;
	bobs->record.state = VM_ENDED;
	for (unsigned i = 0; i < ENDED_KEPT + 10; i++) {
		last = add("alice", "gone", "040000", 1);
		last->record.state = VM_ENDED;
		last->record.ended_us = 1000 + i;
	}
	vm_trim_ended(last);
	for (const struct vm *vm = d.vms; vm; vm = vm->next) {
		n++;
		assert_true(vm == bobs || vm->record.ended_us >= 1010);
	}
	assert_int_equal(n, ENDED_KEPT + 1);
}

static void a_digest_reaches_the_vm_of_its_session(void **state)
{
	uint8_t sha256[DIGEST_SIZE] = {7};
	struct vm *one = add("alice", "one", "010000", 1), *two = add("alice", "two", "020000", 1);

	(void)state;
	one->session = 1;
	two->session = 2;
	vm_note_digest(&d, 2, sha256);
	assert_int_equal(one->record.digest_known, 0);
	assert_int_equal(two->record.digest_known, 1);
	assert_int_equal(two->record.sha256[0], 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(names_and_labels_are_found_in_scope, clear),
	    cmocka_unit_test_teardown(nothing_exists_outside_of_the_scope, clear),
	    cmocka_unit_test_teardown(two_of_a_name_are_ambiguous, clear),
	    cmocka_unit_test_teardown(a_path_with_a_live_and_an_ended_vm_shows_the_live_one, clear),
	    cmocka_unit_test_teardown(a_delegation_without_vms_is_found_in_scope, clear),
	    cmocka_unit_test_teardown(a_name_wins_over_a_label, clear),
	    cmocka_unit_test_teardown(of_two_of_a_name_the_one_that_lives_is_meant, clear),
	    cmocka_unit_test_teardown(a_delegation_signed_again_is_meant_before_the_one_taken_back,
				      clear),
	    cmocka_unit_test_teardown(siblings_that_are_known_make_labels_longer, clear),
	    cmocka_unit_test_teardown(usage_is_summed_below_a_path, clear),
	    cmocka_unit_test_teardown(one_that_replaces_another_is_not_seen_before_its_turn, clear),
	    cmocka_unit_test_teardown(two_on_a_path_count_as_one, clear),
	    cmocka_unit_test_teardown(ended_vms_are_kept_up_to_a_number_per_top_delegation, clear),
	    cmocka_unit_test_teardown(a_digest_reaches_the_vm_of_its_session, clear),
	};

	tree_init(&d.tree, NULL, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
