/*
 * vmmd's list of volumes and the directory that it is read from: volume.c, volume_dir.c,
 * volume_scan.c and quota.c for real, with plain directories; roles are replaced by nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "log.h"
#include "lookup.h"
#include "quota.h"
#include "roles.h"
#include "volume_dir.h"
#include "volume_scan.h"
#include "volumes.h"

static struct daemon d;
static struct volumes all;
static char root[64];	/* the volume directory */
static char said[8192]; /* every line of the log */

int roles_tell_console(struct daemon *daemon, uint32_t type, const void *body, const int *fds)
{
	(void)daemon, (void)type, (void)body, (void)fds;
	return 0;
}

void log_line(enum log_level level, const char *format, ...)
{
	size_t n = strlen(said);
	va_list args;

	(void)level;
	va_start(args, format);
	vsnprintf(said + n, sizeof(said) - n, format, args);
	va_end(args);
}

/* "alice/dan": a label is its name's first bytes. */
static struct path path_of(const char *text)
{
	struct path path = {.depth = 0};

	while (*text) {
		struct node *node = &path.node[path.depth++];
		size_t n = strcspn(text, "/");

		memset(node, 0, sizeof(*node));
		memcpy(node->name, text, n);
		memcpy(node->label.byte, text, n);
		text += n + (text[n] == '/');
	}
	return path;
}

static struct volume *add(const char *owner, const char *name, uint32_t size_mb)
{
	struct path path = path_of(owner);
	struct volume *volume = volume_new(&all, &path, name, size_mb);

	assert_non_null(volume);
	return volume;
}

static uint64_t used(const char *owner)
{
	struct path path = path_of(owner);

	return volumes_used_mb(&d, &path);
}

/* The chain of somebody of OWNER, each of whose delegations grants BLOCK MB, known to the tree. */
static struct request chain(const char *owner, uint32_t block)
{
	struct request r = {.kind = LEAF_COMMAND, .not_before = 1};
	struct path path = path_of(owner);

	for (r.depth = 0; r.depth < path.depth; r.depth++)
		r.level[r.depth] = (struct level){
		    .node = path.node[r.depth], .not_before = 1, .policy = {.block_mb = block}};
	r.leaf = path_of("leaf").node[0];
	return r;
}

static int set_up(void **state)
{
	struct refusal why;

	(void)state;
	memset(&all, 0, sizeof(all));
	d.volumes = &all;
	tree_init(&d.tree, NULL, NULL);
	said[0] = 0;
	snprintf(root, sizeof(root), "/tmp/vmm-volumes-XXXXXX");
	return mkdtemp(root) && storage_open(root, "dir", &all.storage, &why) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	places_forget(&all, &(struct path){.depth = 0});
	tree_free(&d.tree);
	close(all.storage.fd);
	snprintf(command, sizeof(command), "rm -r %s", root);
	return system(command); /* NOLINT(cert-env33-c): of a directory that is this test's */
}

static void every_ancestor_counts(void **state)
{
	struct volume *below;

	(void)state;
	add("alice", "one", 3);
	below = add("alice/dan", "two", 4);
	add("bob", "one", 5);
	assert_int_equal(used("alice"), 7);
	assert_int_equal(used("alice/dan"), 4);
	assert_int_equal(used("alice/eve"), 0);
	assert_int_equal(used(""), 12);
	volume_forget(&all, below);
	assert_int_equal(used("alice"), 3);
	assert_non_null(place_next(&d, NULL));
	d.volumes = NULL;
	assert_int_equal(used(""), 0);
}

static void a_place_is_there_as_long_as_it_has_volumes(void **state)
{
	struct path alice = path_of("alice"), dan = path_of("alice/dan");
	struct volume *volume = add("alice/dan", "disk", 1);

	(void)state;
	assert_non_null(place_find(&all, &dan));
	volume_forget(&all, volume);
	assert_null(place_find(&all, &dan));
	/* The top one has the file system. */
	assert_non_null(place_find(&all, &alice));
	places_forget(&all, &alice);
	assert_null(place_find(&all, &alice));
}

static void volumes_are_sorted_and_found_by_name(void **state)
{
	struct path alice = path_of("alice");
	struct volume *volume;
	char text[PATH_TEXT_SIZE];

	(void)state;
	add("alice", "b", 1);
	volume = add("alice", "a", 1);
	add("alice", "c", 1);
	assert_string_equal(place_find(&all, &alice)->first->name, "a");
	assert_ptr_equal(volume_find(&all, &alice, "a"), volume);
	assert_null(volume_find(&all, &alice, "d"));
	volume_path(volume, 0, text);
	assert_string_equal(text, "alice/a");
	volume_path(volume, 1, text);
	assert_string_equal(text, "a");
	add("alice/dan", "d", 1);
	add("bob", "d", 1);
	assert_int_equal(volumes_count(&all, &alice), 4);
}

static void the_nearest_that_has_no_room_says_so(void **state)
{
	struct request dan = chain("alice/dan", 10);
	struct path owner = path_of("alice/dan");
	struct refusal why;

	(void)state;
	add("alice", "own", 4);
	assert_true(quota_check_volume(&d, &dan, &owner, 6, &why));
	assert_false(quota_check_volume(&d, &dan, &owner, 7, &why));
	assert_string_equal(why.text,
			    "alice has no room for 7 MB of block storage: it grants 10 MB");
	dan.level[1].policy.block_mb = 5;
	assert_false(quota_check_volume(&d, &dan, &owner, 6, &why));
	assert_string_equal(why.text, "dan has no room for 6 MB of block storage: it grants 5 MB");
	/* What the tree knows is newer than what the session brought. */
	assert_int_equal(tree_note(&d.tree, &dan, true), 0);
	dan.level[1].policy.block_mb = 1000;
	assert_false(quota_check_volume(&d, &dan, &owner, 6, &why));
	/* The host itself has no limit. */
	assert_int_equal(d.host.block_mb, 0);
}

static void who_asks_from_above_needs_to_know_what_is_granted(void **state)
{
	struct request root_admin = chain("", 0), dan = chain("alice/dan", 10);
	struct path owner = path_of("alice/dan");
	struct refusal why;

	(void)state;
	assert_false(quota_check_volume(&d, &root_admin, &owner, 1, &why));
	assert_non_null(strstr(why.text, "what alice grants is not known"));
	assert_int_equal(tree_note(&d.tree, &dan, true), 0);
	assert_true(quota_check_volume(&d, &root_admin, &owner, 10, &why));
	assert_false(quota_check_volume(&d, &root_admin, &owner, 11, &why));
}

static void delegations_are_known_by_their_volumes(void **state)
{
	struct path scope = path_of("alice"), found, dan = path_of("alice/dan");
	char labels[LABELS_SIZE];

	(void)state;
	add("alice/dan", "disk", 1);
	add("bob/eve", "disk", 1);
	assert_int_equal(lookup_delegation(&d, &scope, "dan", &found, labels, sizeof(labels)),
			 LOOKUP_ONE);
	assert_true(path_equal(&found, &dan));
	assert_int_equal(lookup_delegation(&d, &scope, "bob", &found, labels, sizeof(labels)),
			 LOOKUP_NONE);
	/* One that somebody beside has is no more there than one that nobody has. */
	assert_int_equal(lookup_delegation(&d, &scope, "eve", &found, labels, sizeof(labels)),
			 LOOKUP_NONE);
	place_find(&all, &dan)->revoked = true;
	assert_int_equal(lookup_delegation(&d, &scope, "dan", &found, labels, sizeof(labels)),
			 LOOKUP_NONE);
}

static int make_place(const char *owner)
{
	struct path path = path_of(owner);
	struct refusal why;
	char name[STORAGE_NAME_SIZE];
	int fd;

	place_file_name(&path.node[0].label, name);
	assert_int_equal(storage_make(&all.storage, name, 1000, &why), 0);
	fd = place_make(&all.storage, &path);
	assert_true(fd >= 0);
	return fd;
}

static void put(int dir, const char *name, off_t size)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	close(fd);
}

static bool is_there(int dir, const char *name)
{
	return faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void what_was_made_is_found(void **state)
{
	struct path alice = path_of("alice"), dan = path_of("alice/dan");
	int dir = make_place("alice/dan"), own = make_place("alice");
	struct volume *found;

	(void)state;
	assert_int_equal(volume_make_part(dir, "disk", 7), 0);
	assert_int_equal(volume_promote(dir, "disk", false), 0);
	assert_int_equal(volume_make_part(own, "half", 1), 0);
	assert_int_equal(volumes_scan(&all), 0);
	found = volume_find(&all, &dan, "disk");
	assert_non_null(found);
	assert_int_equal(found->size_mb, 7);
	assert_int_equal(found->state, VOLUME_READY);
	assert_string_equal(found->place->path.node[0].name, "alice");
	assert_string_equal(found->place->path.node[1].name, "dan");
	assert_null(volume_find(&all, &alice, "half"));
	assert_false(is_there(own, "half.part"));
	assert_non_null(strstr(said, "half.part: was half made and is removed"));
	assert_int_equal(used(""), 7);
	close(dir);
	close(own);
}

static void what_nobody_made_is_left_alone(void **state)
{
	static const char *const odd[] = {"odd.vol", "none.vol", "a,b.vol",  "file",	"data.vol",
					  ".vol",    "link.vol", "hard.vol", "pipe.vol"};
	int dir = make_place("alice");
	size_t n = sizeof(odd) / sizeof(odd[0]);

	(void)state;
	put(dir, "odd.vol", 100);
	put(dir, "none.vol", 0);
	put(dir, "a,b.vol", 1 << 20);
	put(dir, "data.vol", 1 << 20);
	put(dir, ".vol", 1 << 20);
	put(dir, "file", 1 << 20);
	assert_int_equal(symlinkat("file", dir, "link.vol"), 0);
	assert_int_equal(linkat(dir, "file", dir, "hard.vol", 0), 0);
	assert_int_equal(mkfifoat(dir, "pipe.vol", 0600), 0);
	put(dir, "good.vol", 1 << 20);
	put(all.storage.fd, "loose", 1);
	assert_int_equal(volumes_scan(&all), 0);
	assert_int_equal(used("alice"), 1);
	for (size_t i = 0; i < n; i++) {
		assert_non_null(strstr(said, odd[i]));
		assert_true(is_there(dir, odd[i]));
	}
	assert_non_null(strstr(said, "loose: ignored: nothing that vmmd makes"));
	close(dir);
}

static void more_than_there_may_be(void **state)
{
	struct path alice = path_of("alice");
	int dir = make_place("alice");
	char file[32];

	(void)state;
	for (int i = 0; i < VOLUMES_MAX + 2; i++) {
		snprintf(file, sizeof(file), "v%d.vol", i);
		put(dir, file, 1 << 20);
	}
	assert_int_equal(volumes_scan(&all), 0);
	assert_int_equal(volumes_count(&all, &alice), VOLUMES_MAX);
	assert_non_null(strstr(said, "ignored, and what follows: more volumes than there may be"));
	close(dir);
}

static void empty_directories_go(void **state)
{
	int own, dir = make_place("alice/dan/eve");
	struct path alice = path_of("alice"), dan = path_of("alice/dan");

	(void)state;
	/* As somebody left it who was killed on the way. */
	assert_int_equal(unlinkat(dir, PLACE_NAME, 0), 0);
	close(dir);
	assert_int_equal(volumes_scan(&all), 0);
	assert_int_equal(place_open(&all.storage, &dan), -ENOENT);
	own = place_open(&all.storage, &alice);
	assert_true(own >= 0);
	/* Its file system is found again by who takes it back. */
	assert_non_null(place_find(&all, &alice));
	close(own);
}

static void a_place_without_a_name_has_its_label_for_one(void **state)
{
	struct path alice = path_of("alice");
	int dir = make_place("alice");

	(void)state;
	put(dir, "disk.vol", 1 << 20);
	assert_int_equal(unlinkat(dir, PLACE_NAME, 0), 0);
	assert_int_equal(symlinkat("disk.vol", dir, PLACE_NAME), 0);
	assert_int_equal(volumes_scan(&all), 0);
	assert_int_equal(strncmp(place_find(&all, &alice)->path.node[0].name, "616c696365", 10), 0);
	close(dir);
}

static void a_volume_may_be_called_name(void **state)
{
	struct path dan = path_of("alice/dan");
	char name[NAME_SIZE];
	int dir = make_place("alice/dan"), again;

	(void)state;
	assert_int_equal(volume_make_part(dir, PLACE_NAME, 1), 0);
	/* A newer certificate of its gives it another name while that is filled. */
	snprintf(dan.node[1].name, sizeof(dan.node[1].name), "daniel");
	again = place_make(&all.storage, &dan);
	assert_true(again >= 0);
	assert_int_equal(volume_promote(dir, PLACE_NAME, false), 0);
	assert_true(place_read_name(dir, name));
	assert_string_equal(name, "daniel");
	close(again);
	close(dir);
}

static void a_volume_is_a_plain_file_of_its_size(void **state)
{
	int dir = make_place("alice"), fd;

	(void)state;
	put(dir, "disk.vol", 2 << 20);
	fd = volume_open(dir, "disk", false, O_RDWR, 2);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(volume_open(dir, "disk", false, O_RDWR, 3), -EPERM);
	assert_int_equal(volume_open(dir, "none", false, O_RDWR, 3), -ENOENT);
	assert_int_equal(symlinkat("disk.vol", dir, "link.vol"), 0);
	assert_int_equal(volume_open(dir, "link", false, O_RDWR, 2), -ELOOP);
	assert_int_equal(linkat(dir, "disk.vol", dir, "hard.vol", 0), 0);
	assert_int_equal(volume_open(dir, "disk", false, O_RDWR, 2), -EPERM);
	close(dir);
}

static void nothing_is_made_over_what_is_there(void **state)
{
	int dir = make_place("alice");

	(void)state;
	put(dir, "disk.vol", 100);
	assert_int_equal(volume_make_part(dir, "disk", 1), 0);
	assert_int_equal(volume_promote(dir, "disk", false), -EEXIST);
	assert_int_equal(volume_promote(dir, "disk", true), 0);
	assert_int_equal(volume_open(dir, "disk", true, O_RDONLY, 1), -ENOENT);
	assert_int_equal(volume_remove(dir, "disk", false), 0);
	assert_int_equal(volume_remove(dir, "disk", false), 0);
	close(dir);
}

static void a_delegation_goes_with_everything_below(void **state)
{
	struct path dan = path_of("alice/dan");
	int dir = make_place("alice/dan/eve"), own = make_place("alice");
	char outside[] = "/tmp/vmm-outside-XXXXXX";
	int fd = mkstemp(outside);

	(void)state;
	put(dir, "disk.vol", 1 << 20);
	put(dir, "whatever", 1);
	assert_int_equal(mkdirat(dir, "directory", 0700), 0);
	assert_int_equal(symlinkat(outside, dir, "link"), 0);
	put(own, "kept.vol", 1 << 20);
	assert_int_equal(place_remove(&all.storage, &dan), 0);
	assert_int_equal(place_open(&all.storage, &dan), -ENOENT);
	assert_true(is_there(own, "kept.vol"));
	assert_int_equal(access(outside, F_OK), 0);
	assert_int_equal(place_remove(&all.storage, &dan), 0);
	unlink(outside);
	close(fd);
	close(dir);
	close(own);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(every_ancestor_counts),
	    TEST(a_place_is_there_as_long_as_it_has_volumes),
	    TEST(volumes_are_sorted_and_found_by_name),
	    TEST(the_nearest_that_has_no_room_says_so),
	    TEST(who_asks_from_above_needs_to_know_what_is_granted),
	    TEST(delegations_are_known_by_their_volumes),
	    TEST(what_was_made_is_found),
	    TEST(what_nobody_made_is_left_alone),
	    TEST(more_than_there_may_be),
	    TEST(empty_directories_go),
	    TEST(a_place_without_a_name_has_its_label_for_one),
	    TEST(a_volume_may_be_called_name),
	    TEST(a_volume_is_a_plain_file_of_its_size),
	    TEST(nothing_is_made_over_what_is_there),
	    TEST(a_delegation_goes_with_everything_below),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
