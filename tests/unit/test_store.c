/*
 * Stored revocation lists: the format, and the directory while every system call fails in turn (the
 * linker puts this file's between store.c and libc): the old list is there or the new one.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/sha.h>

#include "lists.h"
#include "store.h"

static char folder[64];
static int directory;
static struct refusal why;
static struct store_mark mark;

/* Which call fails, or kills: the one after so many. */
static struct {
	int left; /* -1: none */
	int error;
	bool kills, half; /* a write of half of it comes before */
	int calls;
} fault = {.left = -1};

static bool due(void)
{
	fault.calls++;
	if (fault.left < 0 || fault.left-- > 0)
		return false;
	if (fault.kills)
		_exit(9);
	errno = fault.error;
	return true;
}

/* The names that the linker goes by: the call as store.c makes it, and libc's own. */
int real_openat(int dir, const char *path, int flags, ...) __asm__("__real_openat");
int wrap_openat(int dir, const char *path, int flags, ...) __asm__("__wrap_openat");
ssize_t real_write(int fd, const void *bytes, size_t size) __asm__("__real_write");
ssize_t wrap_write(int fd, const void *bytes, size_t size) __asm__("__wrap_write");
ssize_t real_read(int fd, void *bytes, size_t size) __asm__("__real_read");
ssize_t wrap_read(int fd, void *bytes, size_t size) __asm__("__wrap_read");
int real_fsync(int fd) __asm__("__real_fsync");
int wrap_fsync(int fd) __asm__("__wrap_fsync");
int real_close(int fd) __asm__("__real_close");
int wrap_close(int fd) __asm__("__wrap_close");
int real_renameat(int from, const char *old, int to, const char *new) __asm__("__real_renameat");
int wrap_renameat(int from, const char *old, int to, const char *new) __asm__("__wrap_renameat");
int real_flock(int fd, int operation) __asm__("__real_flock");
int wrap_flock(int fd, int operation) __asm__("__wrap_flock");
ssize_t real_getrandom(void *out, size_t size, unsigned flags) __asm__("__real_getrandom");
ssize_t wrap_getrandom(void *out, size_t size, unsigned flags) __asm__("__wrap_getrandom");

int wrap_openat(int dir, const char *path, int flags, ...)
{
	return due() ? -1 : real_openat(dir, path, flags, 0600);
}

ssize_t wrap_write(int fd, const void *bytes, size_t size)
{
	if (fault.left == 0 && fault.half) {
		fault.half = false;
		return real_write(fd, bytes, size / 2);
	}
	return due() ? -1 : real_write(fd, bytes, size);
}

ssize_t wrap_read(int fd, void *bytes, size_t size)
{
	return due() ? -1 : real_read(fd, bytes, size);
}

int wrap_fsync(int fd)
{
	return due() ? -1 : real_fsync(fd);
}

/* Closes all the same, as Linux does. */
int wrap_close(int fd)
{
	bool fails = due();
	int error = errno, result = real_close(fd);
	errno = error;
	return fails ? -1 : result;
}

int wrap_renameat(int from, const char *old, int to, const char *new)
{
	return due() ? -1 : real_renameat(from, old, to, new);
}

int wrap_flock(int fd, int operation)
{
	return due() ? -1 : real_flock(fd, operation);
}

ssize_t wrap_getrandom(void *out, size_t size, unsigned flags)
{
	return due() ? -1 : real_getrandom(out, size, flags);
}

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/vmm-test-store-XXXXXX");
	assert_non_null(mkdtemp(folder));
	directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(directory >= 0);
	return 0;
}

static int remove_folder(void **state)
{
	char command[128];
	(void)state;
	close(directory);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

static struct path scope_of(unsigned depth)
{
	struct path scope = {.depth = depth};
	for (unsigned i = 0; i < depth; i++) {
		memset(scope.node[i].label.byte, (int)i + 1, LABEL_SIZE);
		snprintf(scope.node[i].name, NAME_SIZE, "level%u", i);
	}
	return scope;
}

/* List NUMBER of the issuer at DEPTH: it revokes the labels 1 to COUNT. */
static struct table list_of(unsigned depth, uint8_t number, uint32_t count)
{
	const uint8_t key[DIGEST_SIZE] = {0xaa};
	const struct path scope = scope_of(depth);
	struct crl crl = {.count = count, .label = calloc(count + 1, LABEL_SIZE)};
	struct table table;
	for (uint32_t i = 0; i < count; i++)
		crl.label[i].byte[3] = (uint8_t)(i + 1);
	crl.number[CRL_NUMBER_SIZE - 1] = number;
	assert_true(table_make(&scope, key, &crl, &table));
	crl_free(&crl);
	return table;
}

static bool holds(const struct table *table, uint8_t label)
{
	return table_holds(table, &(struct label){{0, 0, 0, label}});
}

static void a_table_says_what_it_was_made_of(void **state)
{
	struct table table = list_of(2, 7, 3);
	(void)state;
	assert_int_equal(table.scope.depth, 2);
	assert_string_equal(table.scope.node[1].name, "level1");
	assert_int_equal(table_number(&table), 7);
	assert_true(holds(&table, 1) && holds(&table, 3) && !holds(&table, 4) && !holds(&table, 0));
	table_free(&table);
	table = list_of(0, 0, 0);
	assert_int_equal(table.count, 0);
	assert_false(holds(&table, 1));
	table_free(&table);
}

/* Byte by byte: no damage goes unnoticed, by the file's name where not by its sum. */
static void damage_is_noticed(void **state)
{
	struct table table = list_of(1, 7, 2), read;
	(void)state;
	for (size_t n = 0; n < table.size; n++) {
		uint8_t *copy = malloc(table.size);
		memcpy(copy, table.bytes, table.size);
		copy[n] ^= 1;
		assert_false(table_open(copy, table.size, &read, &why));
		copy = malloc(n + 1);
		memcpy(copy, table.bytes, n);
		assert_false(table_open(copy, n, &read, &why));
	}
	table_free(&table);
}

static enum stored store(unsigned depth, uint8_t number, uint32_t count)
{
	struct table table = list_of(depth, number, count);
	enum stored stored = store_write(directory, &table, &why);
	table_free(&table);
	return stored;
}

/* The number of the list of the issuer at DEPTH; -1: there is none. */
static int number_stored(unsigned depth)
{
	struct table table = list_of(depth, 0, 0), read;
	char name[TABLE_NAME_SIZE];
	table_name(table.id, name);
	table_free(&table);
	if (store_look(directory, name, &mark) < 0)
		return -1;
	if (!store_read(directory, name, &read, &mark, &why))
		fail_msg("%s", why.text);
	int number = (int)table_number(&read);
	assert_int_equal(read.count, number);
	table_free(&read);
	return number;
}

static void numbers_grow(void **state)
{
	(void)state;
	assert_int_equal(number_stored(1), -1);
	assert_int_equal(store(1, 5, 5), STORED);
	assert_int_equal(store(2, 1, 1), STORED);
	assert_int_equal(store(1, 5, 5), STORED_NEWER);
	assert_string_equal(why.text, "the list that is in force has number 5, this one 5: it must "
				      "be higher");
	assert_int_equal(store(1, 4, 4), STORED_NEWER);
	assert_int_equal(number_stored(1), 5);
	assert_int_equal(store(1, 6, 6), STORED);
	assert_int_equal(number_stored(1), 6);
	assert_int_equal(number_stored(2), 1);
}

static bool count_visit(void *arg, const char *name)
{
	(void)name;
	++*(int *)arg;
	return true;
}

static int files(void)
{
	struct dirent *entry;
	DIR *stream = opendir(folder);
	int n = 0;
	while ((entry = readdir(stream)) != NULL)
		n += entry->d_name[0] != '.';
	closedir(stream);
	return n;
}

/* Each call fails in turn, until none is left to. */
static void each_call_fails(int error, bool half)
{
	enum stored stored = STORED_NOT;
	assert_int_equal(store(1, 1, 1), STORED);
	for (int n = 0;; n++) {
		fault = (typeof(fault)){.left = n, .error = error, .half = half};
		stored = store(1, 2, 2);
		bool failed = fault.left < 0;
		fault = (typeof(fault)){.left = -1};
		int number = number_stored(1);
		/* What is said is so. */
		assert_int_equal(number, stored == STORED || stored == STORED_UNSURELY ? 2 : 1);
		if (!failed) {
			assert_int_equal(stored, STORED);
			assert_true(n > 5);
			return;
		}
		assert_int_equal(files(), 1);
		if (number == 2) { /* from the start again, for the next call */
			char command[128];
			snprintf(command, sizeof(command), "rm %s/*", folder);
			assert_int_equal(system(command), 0);
			assert_int_equal(store(1, 1, 1), STORED);
		}
	}
}

static void a_full_disk(void **state)
{
	(void)state;
	each_call_fails(ENOSPC, false);
}

static void a_full_disk_in_the_middle(void **state)
{
	(void)state;
	each_call_fails(ENOSPC, true);
}

static void a_broken_disk(void **state)
{
	(void)state;
	each_call_fails(EIO, false);
}

/* Killed before each call: old or new, and the next start tidies up. */
static void killed_anywhere(void **state)
{
	bool old = false, new = false;
	int status = 9 << 8, lists;
	(void)state;
	for (int n = 0; WEXITSTATUS(status) == 9; n++) {
		assert_int_equal(store(1, 1, 1), n == 0 ? STORED : STORED_NEWER);
		pid_t pid = fork();
		if (pid == 0) {
			fault = (typeof(fault)){.left = n, .kills = true, .half = true};
			_exit(store(1, 2, 2) == STORED ? 0 : 1);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		lists = 0;
		assert_true(store_each(directory, true, count_visit, &lists, &why));
		assert_int_equal(lists, 1);
		assert_int_equal(files(), 1);
		int number = number_stored(1);
		old |= number == 1;
		new |= number == 2;
		/* Once it is there it stays. */
		assert_true(number == 2 || !new);
	}
	assert_int_equal(WEXITSTATUS(status), 1); /* the number is not new any more */
	assert_true(old && new);
}

static struct {
	int count;
	uint64_t number;
} last;

static void on_taken(void *arg, const struct table *table)
{
	(void)arg;
	last.count++;
	last.number = table_number(table);
}

static void lists_free(struct lists *lists)
{
	for (size_t i = 0; i < lists->count; i++)
		table_free(&lists->list[i].table);
	free(lists->list);
}

/* 1970 is a date like others: of what came out of an archive, for one. */
static void a_directory_of_any_date_is_read(void **state)
{
	static const struct timespec then[2] = {{0}};
	struct lists lists = {.directory = directory, .taken = on_taken};
	(void)state;
	memset(&last, 0, sizeof(last));
	store(1, 1, 1);
	assert_int_equal(futimens(directory, then), 0);
	assert_true(lists_refresh(&lists, true, &why));
	assert_int_equal(last.count, 1);
	lists_free(&lists);
}

static void lists_follow_the_directory(void **state)
{
	struct lists lists = {.directory = directory, .taken = on_taken};
	struct table own = list_of(1, 0, 0);
	(void)state;
	memset(&last, 0, sizeof(last));
	store(1, 1, 1);
	store(2, 9, 9);
	assert_true(lists_refresh(&lists, true, &why));
	assert_int_equal(last.count, 2);
	assert_true(lists_refresh(&lists, false, &why));
	assert_int_equal(last.count, 2);
	store(1, 2, 2);
	assert_true(lists_refresh(&lists, false, &why));
	assert_int_equal(last.count, 3);
	assert_int_equal(last.number, 2);
	assert_true(holds(lists_find(&lists, own.id), 2));
	/* Both are below the same top; neither is the root's own. */
	assert_int_equal(lists_cost(&lists, &own.scope, own.id), TABLE_BLOCK);
	assert_int_equal(lists_cost(&lists, &(struct path){0}, own.id), 0);
	/* Nothing is forgotten because its file is gone. */
	char name[TABLE_NAME_SIZE];
	table_name(own.id, name);
	assert_int_equal(unlinkat(directory, name, 0), 0);
	assert_true(lists_refresh(&lists, false, &why));
	assert_true(holds(lists_find(&lists, own.id), 2));
	/* Nor is one taken for less than it was. */
	store(1, 1, 1);
	assert_true(lists_refresh(&lists, false, &why));
	assert_true(holds(lists_find(&lists, own.id), 2));
	assert_int_equal(last.count, 3);
	lists_free(&lists);
	table_free(&own);
}

/* Each as a sentence that names the file. */
static void what_is_no_list_is_told(void **state)
{
	struct lists lists = {.directory = directory, .taken = on_taken};
	struct table table = list_of(1, 1, 1);
	char name[TABLE_NAME_SIZE], expected[REFUSAL_SIZE];
	(void)state;
	table_name(table.id, name);
	int fd = openat(directory, name, O_WRONLY | O_CREAT, 0600);
	assert_false(lists_refresh(&lists, true, &why));
	snprintf(expected, sizeof(expected), "revocations/%s is no revocation list", name);
	assert_string_equal(why.text, expected);
	table.bytes[table.size - 1] ^= 1;
	assert_int_equal(write(fd, table.bytes, table.size), (ssize_t)table.size);
	close(fd);
	assert_false(lists_refresh(&lists, true, &why));
	snprintf(expected, sizeof(expected), "revocations/%s is damaged: its checksum does not fit",
		 name);
	assert_string_equal(why.text, expected);
	assert_int_equal(unlinkat(directory, name, 0), 0);
	assert_int_equal(symlinkat("/etc/passwd", directory, name), 0);
	assert_false(lists_refresh(&lists, true, &why));
	assert_int_equal(unlinkat(directory, name, 0), 0);
	assert_int_equal(mkdirat(directory, name, 0700), 0);
	assert_false(lists_refresh(&lists, true, &why));
	snprintf(expected, sizeof(expected),
		 "revocations/%s cannot be opened: it is no regular file", name);
	assert_string_equal(why.text, expected);
	assert_int_equal(unlinkat(directory, name, AT_REMOVEDIR), 0);
	/* A good one by another one's name is none. */
	assert_int_equal(store(2, 1, 1), STORED);
	struct table other = list_of(2, 0, 0);
	char from[TABLE_NAME_SIZE];
	table_name(other.id, from);
	assert_int_equal(renameat(directory, from, directory, name), 0);
	assert_false(lists_refresh(&lists, true, &why));
	snprintf(expected, sizeof(expected), "revocations/%s is the list that belongs into %s",
		 name, from);
	assert_string_equal(why.text, expected);
	table_free(&other);
	table_free(&table);
	lists_free(&lists);
}

int main(void)
{
#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_table_says_what_it_was_made_of),
	    cmocka_unit_test(damage_is_noticed),
	    WITH_FOLDER(numbers_grow),
	    WITH_FOLDER(a_full_disk),
	    WITH_FOLDER(a_full_disk_in_the_middle),
	    WITH_FOLDER(a_broken_disk),
	    WITH_FOLDER(killed_anywhere),
	    WITH_FOLDER(a_directory_of_any_date_is_read),
	    WITH_FOLDER(lists_follow_the_directory),
	    WITH_FOLDER(what_is_no_list_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
