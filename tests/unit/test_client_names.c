/* Names to labels and back, with and without a .db. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/client/names.h"

/* b7aa77f6ca08ee6a; its label as doc/identity.md has it. */
#define HELLO_SERIAL "13234522356816866922"
#define HELLO_LABEL  "82db5681d20e"

static struct names names_of(const char *text)
{
	struct names names;
	struct refusal why;
	assert_true(db_parse("test.db", text, strlen(text), &names.db, &why));
	return names;
}

static void label_of(const struct names *names, const char *name, char out[LABEL_DIGITS_MAX + 1])
{
	const struct db_entry *entry = db_find_name(&names->db, name, NULL);
	assert_non_null(entry);
	label_format(&entry->label, LABEL_DIGITS_MAX, out);
}

static void shows(const struct names *names, const char *path, const char *label,
		  const char *expected)
{
	char out[NAMES_PATH_SIZE];
	names_show(names, path, label, out);
	assert_string_equal(out, expected);
}

static void test_show(void **state)
{
	struct names names = names_of(HELLO_SERIAL " hello\n1 dev\n");
	const struct names none = {0};
	char dev[LABEL_DIGITS_MAX + 1], label[2 * LABEL_DIGITS_MAX];
	(void)state;

	label_of(&names, "dev", dev);
	shows(&names, "admin", "82db56", "hello");
	shows(&names, "admin", HELLO_LABEL, "hello");
	shows(&names, "admin", "82db57", "admin");
	shows(&names, "admin", "82db5", "admin");
	shows(&none, "admin", "82db56", "admin");
	snprintf(label, sizeof(label), "%.6s.123456.82db56", dev);
	shows(&names, "x/y/z", label, "dev/y/hello");
	/* What cannot be matched is left alone. */
	shows(&names, "x/y", "82db56", "x/y");
	shows(&names, "x", "82db56.82db56", "x");
	shows(&names, "", "", "");
	db_free(&names.db);
}

static void show_typed(const struct names *names, const char *typed, const char *expected)
{
	char out[NAMES_PATH_SIZE];
	names_show_typed(names, typed, out);
	assert_string_equal(out, expected);
}

static void test_show_typed(void **state)
{
	struct names names = names_of(HELLO_SERIAL " hello\n1 tls.nqsb.io\n2 abcdef\n");
	char tls[LABEL_DIGITS_MAX + 1], typed[2 * LABEL_DIGITS_MAX];
	(void)state;

	label_of(&names, "tls.nqsb.io", tls);
	show_typed(&names, "hello", "hello");
	show_typed(&names, "82DB5681", "hello");
	show_typed(&names, "tls.nqsb.io", "tls.nqsb.io");
	show_typed(&names, "dev/82db56", "dev/hello");
	show_typed(&names, "/other.name", "other.name");
	snprintf(typed, sizeof(typed), "%.8s.82db56", tls);
	show_typed(&names, typed, "tls.nqsb.io/hello");
	show_typed(&names, "82db56.nolabel", "82db56.nolabel");
	/* Somebody's name wins over a label. */
	show_typed(&names, "abcdef", "abcdef");
	db_free(&names.db);
}

static void test_find(void **state)
{
	struct names names = names_of(HELLO_SERIAL " hello\n1 tls.nqsb.io\n");
	const struct names none = {0};
	char out[NAMES_PATH_SIZE], tls[LABEL_DIGITS_MAX + 1], expected[NAMES_PATH_SIZE];
	struct refusal why;
	(void)state;

	assert_int_equal(names_find(&none, "hello", out, &why), NAMES_UNKNOWN);
	assert_string_equal(out, "hello");
	assert_int_equal(names_find(&names, "82db56", out, &why), NAMES_UNKNOWN);
	assert_string_equal(out, "82db56");
	assert_int_equal(names_find(&names, "hello", out, &why), NAMES_FOUND);
	assert_int_equal(strlen(out), LABEL_DIGITS_MAX);
	assert_memory_equal(out, HELLO_LABEL, strlen(HELLO_LABEL));
	label_of(&names, "tls.nqsb.io", tls);
	assert_int_equal(names_find(&names, "dev/tls.nqsb.io", out, &why), NAMES_FOUND);
	snprintf(expected, sizeof(expected), "dev/%s", tls);
	assert_string_equal(out, expected);
	assert_int_equal(names_find(&names, "", out, &why), NAMES_UNKNOWN);
	assert_string_equal(out, "");
	/* Asked for it would be something else: the console of hello. */
	assert_int_equal(names_find(&names, "hello/console", out, &why), NAMES_REFUSED);
	assert_string_equal(why.text, "console is no name: it is one of the reserved words "
				      "console, data and statistics");
	db_free(&names.db);
}

/* A volume's own name is left alone, whatever the .db calls so. */
static void test_volumes(void **state)
{
	struct names names = names_of(HELLO_SERIAL " hello\n7 twice\n9 twice\n");
	char out[NAMES_PATH_SIZE], expected[NAMES_PATH_SIZE + 8];
	struct refusal why;
	(void)state;

	assert_int_equal(names_find_volume(&names, "hello", out, &why), NAMES_UNKNOWN);
	assert_string_equal(out, "hello");
	assert_int_equal(names_find_volume(&names, "twice", out, &why), NAMES_UNKNOWN);
	assert_int_equal(names_find_volume(&names, "twice/x", out, &why), NAMES_REFUSED);
	label_of(&names, "hello", out);
	snprintf(expected, sizeof(expected), "%s/twice", out);
	assert_int_equal(names_find_volume(&names, "hello/twice", out, &why), NAMES_FOUND);
	assert_string_equal(out, expected);
	assert_int_equal(names_find_volume(&names, "", out, &why), NAMES_REFUSED);
	assert_string_equal(why.text, "\"\" is no name for a volume: it is empty");
	assert_int_equal(names_find_volume(&names, "hello/data", out, &why), NAMES_REFUSED);
	assert_string_equal(why.text, "data is no name for a volume: it is one of the reserved "
				      "words console, data and statistics");

	names_show_volume(&names, "vol", "", out);
	assert_string_equal(out, "vol");
	names_show_volume(&names, "else/hello", "82db56", out);
	assert_string_equal(out, "hello/hello");
	names_show_volume(&names, "eve/vol", "777777", out);
	assert_string_equal(out, "eve/vol");
	db_free(&names.db);
}

static void test_ambiguous(void **state)
{
	struct names names = names_of("7 twice\n8 once\n9 twice\n");
	char out[NAMES_PATH_SIZE];
	struct refusal why;
	(void)state;

	assert_int_equal(names_find(&names, "dev/twice", out, &why), NAMES_REFUSED);
	/* SHA-256 of the bytes 7 and 9. */
	assert_string_equal(why.text, "twice: ambiguous: ca3587 2b4c34");
	db_free(&names.db);
}

static void test_too_long(void **state)
{
	const struct names none = {0};
	char typed[NAMES_PATH_SIZE + 1], out[NAMES_PATH_SIZE];
	struct refusal why;
	(void)state;

	memset(typed, 'a', NAMES_PATH_SIZE);
	typed[NAMES_PATH_SIZE] = '\0';
	assert_int_equal(names_find(&none, typed, out, &why), NAMES_REFUSED);
	typed[NAMES_PATH_SIZE - 2] = '\0';
	assert_int_equal(names_find(&none, typed, out, &why), NAMES_UNKNOWN);
	assert_string_equal(out, typed);
	/* A node more than a chain has certificates. */
	memset(typed, '/', PATH_DEPTH_MAX);
	typed[PATH_DEPTH_MAX] = '\0';
	assert_int_equal(names_find(&none, typed, out, &why), NAMES_REFUSED);
}

/* As deep as a path can be, every node of it in the .db: nothing is cut. */
static void test_deepest(void **state)
{
	struct names names = names_of("1 x\n");
	char typed[2 * PATH_DEPTH_MAX] = "x", out[NAMES_PATH_SIZE];
	struct refusal why;
	(void)state;

	for (int i = 1; i < PATH_DEPTH_MAX; i++)
		memcpy(typed + 2 * i - 1, "/x", 3);
	assert_int_equal(names_find(&names, typed, out, &why), NAMES_FOUND);
	assert_int_equal(strlen(out), PATH_DEPTH_MAX * (LABEL_DIGITS_MAX + 1) - 1);
	db_free(&names.db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_show),      cmocka_unit_test(test_show_typed),
	    cmocka_unit_test(test_find),      cmocka_unit_test(test_volumes),
	    cmocka_unit_test(test_ambiguous), cmocka_unit_test(test_too_long),
	    cmocka_unit_test(test_deepest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
