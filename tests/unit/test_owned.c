/* Directories that are ours alone, and what may be planted where they are. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "owned.h"

#define UID 1234567

static char top[] = "/tmp/vmm-test-owned-XXXXXX";
static int at;
static const char *problem;

static void make_file(const char *name)
{
	close(openat(at, name, O_WRONLY | O_CREAT, 0600));
}

static uid_t owner(const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_uid;
}

static int clear(void **state)
{
	static const char *const files[] = {"d/a", "d/b", "d/fifo", "d/link", "outside", "link"};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		unlinkat(at, files[i], 0);
	unlinkat(at, "d/sub", AT_REMOVEDIR);
	unlinkat(at, "d", AT_REMOVEDIR);
	return 0;
}

static void give(int expected)
{
	int fd = owned_give(at, "d", UID, &problem);

	if (fd >= 0)
		close(fd);
	assert_int_equal(fd < 0 ? fd : 0, expected);
}

static void only_what_is_ours_alone_is_opened(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(owned_open(at, "d", &problem), -ENOENT);
	assert_int_equal(mkdirat(at, "d", 0700), 0);
	fd = owned_open(at, "d", &problem);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(fchmodat(at, "d", 0770, 0), 0);
	assert_int_equal(owned_open(at, "d", &problem), -EPERM);
	assert_int_equal(symlinkat("d", at, "link"), 0);
	assert_true(owned_open(at, "link", &problem) < 0);
	make_file("outside");
	assert_int_equal(owned_open(at, "outside", &problem), -ENOTDIR);
}

static void a_directory_is_made_and_given(void **state)
{
	struct stat st;

	(void)state;
	give(0);
	assert_int_equal(fstatat(at, "d", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(st.st_uid, geteuid() == 0 ? UID : geteuid());
}

/* Files change hands when the uids did; a directory of the right one is left alone. */
static void files_follow_their_directory(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(mkdirat(at, "d", 0755), 0);
	make_file("d/a");
	assert_int_equal(fchownat(at, "d", 77, 77, 0), 0);
	assert_int_equal(fchownat(at, "d/a", 77, 77, 0), 0);
	give(0);
	assert_int_equal(owner("d"), UID);
	assert_int_equal(owner("d/a"), UID);
	make_file("d/b");
	give(0);
	assert_int_equal(owner("d/b"), 0);
}

static void plant_fifo(void)
{
	assert_int_equal(mkfifoat(at, "d/fifo", 0600), 0);
}

static void plant_directory(void)
{
	assert_int_equal(mkdirat(at, "d/sub", 0700), 0);
}

static void plant_symlink(void)
{
	assert_int_equal(symlinkat("../outside", at, "d/link"), 0);
}

static void plant_hard_link(void)
{
	assert_int_equal(linkat(at, "outside", at, "d/link", 0), 0);
}

static void what_is_planted_is_refused(void **state)
{
	static void (*const plants[])(void) = {plant_fifo, plant_directory, plant_symlink,
					       plant_hard_link};

	if (geteuid() != 0)
		skip();
	for (size_t i = 0; i < sizeof(plants) / sizeof(plants[0]); i++) {
		clear(state);
		make_file("outside");
		assert_int_equal(mkdirat(at, "d", 0700), 0);
		plants[i]();
		assert_int_equal(fchownat(at, "d", 77, 77, 0), 0);
		give(-EPERM);
		assert_string_equal(problem,
				    "holds something else than regular files with one link each");
		assert_int_equal(owner("outside"), 0);
	}
	clear(state);
	assert_int_equal(mkdirat(at, "outside", 0700), 0);
	assert_int_equal(symlinkat("outside", at, "d"), 0);
	assert_true(owned_give(at, "d", UID, &problem) < 0);
	assert_int_equal(owner("outside"), 0);
	unlinkat(at, "d", 0);
	unlinkat(at, "outside", AT_REMOVEDIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(only_what_is_ours_alone_is_opened, clear),
	    cmocka_unit_test_teardown(a_directory_is_made_and_given, clear),
	    cmocka_unit_test_teardown(files_follow_their_directory, clear),
	    cmocka_unit_test_teardown(what_is_planted_is_refused, clear),
	};
	int failed;

	if (mkdtemp(top) == NULL)
		return 1;
	at = open(top, O_RDONLY | O_DIRECTORY);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	close(at);
	rmdir(top);
	return failed;
}
