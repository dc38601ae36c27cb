/* The issuer's .db: db.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "db.h"

/* b7aa77f6ca08ee6a, whose label is 82db5681d20e... */
#define ADMIN "13234522356816866922 admin\n"
#define HELLO "42 hello\n"

static struct db parse(const char *text)
{
	struct refusal why = {{0}};
	struct db db;

	if (!db_parse("dev.db", text, strlen(text), &db, &why))
		fail_msg("%s", why.text);
	return db;
}

static void refused(const char *text, size_t len, const char *expected)
{
	struct refusal why = {{0}};
	struct db db;

	assert_false(db_parse("dev.db", text, len, &db, &why));
	assert_string_equal(why.text, expected);
	assert_int_equal(db.count, 0);
}

static void names_and_labels(void **state)
{
	struct db db = parse(ADMIN HELLO "7 two words\n");
	const struct db_entry *entry;

	(void)state;
	assert_int_equal(db.count, 3);
	entry = db_find_name(&db, "admin", NULL);
	assert_non_null(entry);
	assert_true(label_matches(&entry->label, "82db5681d20e", 12));
	assert_ptr_equal(db_find_prefix(&db, "82DB56", 6, NULL), entry);
	assert_ptr_equal(db_find_label(&db, &entry->label), entry);
	assert_ptr_equal(db_find_serial(&db, entry->serial), entry);
	assert_non_null(db_find_name(&db, "two words", NULL));
	assert_null(db_find_name(&db, "two", NULL));
	assert_null(db_find_name(&db, "admin", entry));
	assert_null(db_find_prefix(&db, "82db5", 5, NULL));
	assert_null(db_find_prefix(&db, "82db57", 6, NULL));
	db_free(&db);
	assert_int_equal(db.count, 0);
}

static void a_name_may_be_there_twice(void **state)
{
	struct db db = parse("1 hello\n2 dev\n3 hello\n");
	const struct db_entry *first = db_find_name(&db, "hello", NULL), *second;

	(void)state;
	assert_non_null(first);
	second = db_find_name(&db, "hello", first);
	assert_non_null(second);
	assert_int_equal(ASN1_INTEGER_get(first->serial), 1);
	assert_int_equal(ASN1_INTEGER_get(second->serial), 3);
	assert_null(db_find_name(&db, "hello", second));
	db_free(&db);
}

static void wrong_lines_are_named(void **state)
{
	static const char nul[] = "1 a\0b\n";
	char many[80];

	(void)state;
	refused("1 a\nhello\n", 10, "dev.db: line 2: has no space between serial and name");
	refused("1 a\n\n", 5, "dev.db: line 2: has no space between serial and name");
	refused("1 \n", 3, "dev.db: line 1: the name is empty");
	refused("1 a/b\n", 6, "dev.db: line 1: the name contains '/'");
	refused("1 ../x\n", 7, "dev.db: line 1: the name starts with '.'");
	refused(nul, sizeof(nul) - 1, "dev.db: line 1: the name contains a control character");
	refused("1 a\n1 b\n", 8, "dev.db: the serial number with label 4bf512 is there twice");
	for (const char *const *bad =
		 (const char *const[]){"0 a", "01 a", "-1 a", "+1 a", "0x1 a", " a", "1a a", NULL};
	     *bad != NULL; bad++)
		refused(*bad, strlen(*bad),
			"dev.db: line 1: the serial is no positive decimal number of at most 49 "
			"digits");
	memset(many, '9', 49);
	memcpy(many + 49, " a\n", 4);
	refused(many, strlen(many),
		"dev.db: line 1: serial number: 21 bytes, at most 20 are allowed");
}

static void add_retire_format(void **state)
{
	struct db db = parse("");
	ASN1_INTEGER *serial = ASN1_INTEGER_new();
	struct refusal why;
	size_t len;
	char *text;

	(void)state;
	for (int i = 1; i <= 9; i++) {
		char name[8];

		snprintf(name, sizeof(name), "n%d", i % 3);
		assert_true(ASN1_INTEGER_set(serial, i));
		assert_true(db_add(&db, serial, name, &why));
	}
	assert_false(db_add(&db, serial, "other", &why));
	assert_string_equal(why.text, "the serial number of other is that of n0 already");
	assert_true(ASN1_INTEGER_set(serial, 10));
	assert_false(db_add(&db, serial, "a\nb", &why));
	assert_int_equal(db_retire(&db, "n0"), 3);
	assert_int_equal(db_retire(&db, "n0"), 0);
	assert_true(db_add(&db, serial, "n0", &why));
	assert_int_equal(db_retire(&db, "n2"), 3);
	text = db_format(&db, &len);
	assert_non_null(text);
	assert_string_equal(text, "1 n1\n4 n1\n7 n1\n10 n0\n");
	assert_int_equal(len, strlen(text));
	free(text);
	ASN1_INTEGER_free(serial);
	db_free(&db);
}

static void what_is_written_reads_the_same(void **state)
{
	/* The largest serial number of 20 bytes. */
	static const char text[] = ADMIN HELLO
	    "1461501637330902918203684832716283019655932542975 gr\xc3\xbc\xc3\x9f\n";
	struct db db = parse(text);
	size_t len;
	char *again = db_format(&db, &len);

	(void)state;
	assert_string_equal(again, text);
	free(again);
	db_free(&db);
}

static void make_directory(char path[64])
{
	char directory[] = "/tmp/test_db.XXXXXX";

	assert_non_null(mkdtemp(directory));
	snprintf(path, 64, "%s/dev.db", directory);
}

static void remove_directory(char path[64])
{
	unlink(path);
	*strrchr(path, '/') = '\0';
	assert_int_equal(rmdir(path), 0);
}

static void loads_from_a_file(void **state)
{
	char path[64], expected[256];
	struct refusal why;
	struct db db;
	FILE *file;

	(void)state;
	make_directory(path);
	assert_false(db_load(path, &db, &why));
	snprintf(expected, sizeof(expected), "%s: No such file or directory", path);
	assert_string_equal(why.text, expected);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(ADMIN HELLO, file);
	assert_int_equal(fclose(file), 0);
	assert_true(db_load(path, &db, &why));
	assert_int_equal(db.count, 2);
	db_free(&db);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_false(db_load(path, &db, &why));
	snprintf(expected, sizeof(expected), "%s: is no regular file", path);
	assert_string_equal(why.text, expected);
	remove_directory(path);
}

/* Whether PID is in line for a lock. */
static bool waits(pid_t pid)
{
	FILE *locks = fopen("/proc/locks", "r");
	char line[256];
	bool found = false;
	int waiter;

	assert_non_null(locks);
	while (!found && fgets(line, sizeof(line), locks) != NULL)
		found = sscanf(line, "%*d: -> FLOCK %*s %*s %d", &waiter) == 1 && waiter == pid;
	fclose(locks);
	return found;
}

static void wait_and_look(const char *path, int held)
{
	struct stat st = {0};
	struct refusal why;
	int fd;

	close(held);
	fd = db_lock(path, &why);
	_exit(fd >= 0 && fstat(fd, &st) == 0 && st.st_size == 3 ? 0 : 1);
}

/* Who waits while the file is replaced holds the new one, not the one that it had opened. */
static void lock_follows_the_file(void **state)
{
	char path[64], fresh[80];
	struct refusal why;
	int held, status;
	pid_t waiter;
	FILE *file;

	(void)state;
	make_directory(path);
	snprintf(fresh, sizeof(fresh), "%s.new", path);
	held = db_lock(path, &why);
	assert_true(held >= 0);
	waiter = fork();
	assert_true(waiter >= 0);
	if (waiter == 0)
		wait_and_look(path, held);
	while (!waits(waiter))
		usleep(1000);
	file = fopen(fresh, "w");
	assert_non_null(file);
	fputs("new", file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(rename(fresh, path), 0);
	close(held);
	assert_int_equal(waitpid(waiter, &status, 0), waiter);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	remove_directory(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_and_labels),
	    cmocka_unit_test(a_name_may_be_there_twice),
	    cmocka_unit_test(wrong_lines_are_named),
	    cmocka_unit_test(add_retire_format),
	    cmocka_unit_test(what_is_written_reads_the_same),
	    cmocka_unit_test(loads_from_a_file),
	    cmocka_unit_test(lock_follows_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
