/* Names, labels, paths: path.c and utf8.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "path.h"
#include "utf8.h"

#define TEXT(s) (s), sizeof(s) - 1

static void utf8_takes_every_character_once(void **state)
{
	(void)state;
	for (int32_t c = 0; c <= 0x10ffff; c++) {
		char text[4];
		size_t len = 0, at = 0;
		if (c < 0x80) {
			text[len++] = (char)c;
		} else {
			int extra = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
			static const int lead[] = {0, 0xc0, 0xe0, 0xf0};
			text[len++] = (char)(lead[extra] | c >> (6 * extra));
			while (extra-- > 0)
				text[len++] = (char)(0x80 | (c >> (6 * extra) & 0x3f));
		}
		bool surrogate = c >= 0xd800 && c <= 0xdfff;
		assert_int_equal(utf8_next(text, len, &at), surrogate ? -1 : c);
		assert_int_equal(at, surrogate ? 0 : len);
		if (len > 1)
			assert_false(utf8_valid(text, len - 1));
	}
}

static void utf8_refuses_other_bytes(void **state)
{
	(void)state;
	assert_true(utf8_valid("", 0));
	assert_true(utf8_valid(TEXT("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xab")));
	assert_false(utf8_valid(TEXT("\x80")));
	assert_false(utf8_valid(TEXT("\xc0\x80")));
	assert_false(utf8_valid(TEXT("\xc1\xbf")));
	assert_false(utf8_valid(TEXT("\xe0\x9f\xbf")));
	assert_false(utf8_valid(TEXT("\xf0\x8f\xbf\xbf")));
	assert_false(utf8_valid(TEXT("\xf4\x90\x80\x80")));
	assert_false(utf8_valid(TEXT("\xf5\x80\x80\x80")));
	assert_false(utf8_valid(TEXT("\xff")));
	assert_false(utf8_valid(TEXT("a\xc3")));
	assert_false(utf8_valid(TEXT("\xc3"
				     "a")));
}

static void names_that_are_usual(void **state)
{
	static const char *const names[] = {
	    "hello",   "tls.nqsb.io",  "a",	"A b", "a-b",	   "x.",       "console2",
	    "Console", "statistics.x", "datas", "dat", "\xc3\xa9", "\xc2\xa0", "\xf0\x9f\x90\xab",
	    "a:b,c%s",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_null(name_problem(names[i], strlen(names[i])));

	char longest[65];
	memset(longest, 'n', sizeof(longest));
	assert_null(name_problem(longest, 64));
}

static void names_that_are_refused(void **state)
{
	static const struct {
		const char *name;
		size_t len;
		const char *problem;
	} cases[] = {
	    {TEXT(""), "is empty"},
	    {TEXT("-rf"), "starts with '-'"},
	    {TEXT("."), "starts with '.'"},
	    {TEXT(".."), "starts with '.'"},
	    {TEXT(".hidden"), "starts with '.'"},
	    {TEXT("a/b"), "contains '/'"},
	    {TEXT("/"), "contains '/'"},
	    {TEXT("a\0b"), "contains a control character"},
	    {TEXT("a\n"), "contains a control character"},
	    {TEXT("\x1b[31m"), "contains a control character"},
	    {TEXT("\x1f"), "contains a control character"},
	    {TEXT("a\x7f"), "contains a control character"},
	    {TEXT("a\xc2\x80"), "contains a control character"},
	    {TEXT("a\xc2\x9f"), "contains a control character"},
	    {TEXT("\xe9"), "is not UTF-8"},
	    {TEXT("a\xc0\xaf"), "is not UTF-8"},
	    {TEXT("a\xed\xa0\x80"), "is not UTF-8"},
	    {TEXT("console"), "is one of the reserved words console, data and statistics"},
	    {TEXT("statistics"), "is one of the reserved words console, data and statistics"},
	    {TEXT("data"), "is one of the reserved words console, data and statistics"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(name_problem(cases[i].name, cases[i].len), cases[i].problem);

	char longest[4096];
	memset(longest, 'n', sizeof(longest));
	assert_string_equal(name_problem(longest, 65), "is longer than 64 bytes");
	assert_string_equal(name_problem(longest, sizeof(longest)), "is longer than 64 bytes");
	/* 64 is bytes, not characters; a character cut off by the end is none. */
	memcpy(longest + 63, "\xc3\xa9", 2);
	assert_string_equal(name_problem(longest, 65), "is longer than 64 bytes");
	assert_string_equal(name_problem(longest, 64), "is not UTF-8");
}

static void names_of_volumes(void **state)
{
	static const struct {
		const char *name;
		size_t len;
		const char *problem;
	} cases[] = {
	    {TEXT("a,b"), "contains ',' or ':'"},
	    {TEXT("a:b"), "contains ',' or ':'"},
	    {TEXT("data"), "is one of the reserved words console, data and statistics"},
	    {TEXT(""), "is empty"},
	    {TEXT(".part"), "starts with '.'"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(volume_name_problem(cases[i].name, cases[i].len),
				    cases[i].problem);
	assert_null(volume_name_problem(TEXT("a.vol")));
	assert_null(volume_name_problem("a,b", 1));
}

/* The label whose digits are TEXT, then zeros. */
static struct label label_of(const char *text)
{
	struct label label = {{0}};
	for (unsigned i = 0; text[i]; i++) {
		unsigned digit = (unsigned)(strchr("0123456789abcdef", text[i]) -
					    "0123456789abcdef");
		label.byte[i / 2] |= (uint8_t)(i % 2 == 0 ? digit << 4 : digit);
	}
	return label;
}

static void labels_are_written(void **state)
{
	struct label label = label_of("82db5681d20e");
	char text[LABEL_DIGITS_MAX + 1];
	(void)state;
	label_format(&label, 6, text);
	assert_string_equal(text, "82db56");
	label_format(&label, 7, text);
	assert_string_equal(text, "82db568");
	label_format(&label, 0, text);
	assert_string_equal(text, "");
	label_format(&label, LABEL_DIGITS_MAX, text);
	assert_int_equal(strlen(text), 64);
	assert_memory_equal(text, "82db5681d20e00000000", 20);
	label_format(&label, 1000, text);
	assert_int_equal(strlen(text), 64);
}

static void labels_of_a_path(void **state)
{
	static const struct path root;
	static struct path path = {.depth = 2};
	char text[PATH_DEPTH_MAX * (LABEL_DIGITS_MAX + 1)];
	(void)state;
	path.node[0].label = label_of("82db5681d20e");
	path.node[1].label = label_of("43a0ff");
	path_labels(&path, 12, text);
	assert_string_equal(text, "82db5681d20e.43a0ff000000");
	path_labels(&path, LABEL_DIGITS_MAX, text);
	assert_int_equal(strlen(text), 2 * LABEL_DIGITS_MAX + 1);
	path.depth = PATH_DEPTH_MAX;
	path_labels(&path, LABEL_DIGITS_MAX, text);
	assert_int_equal(strlen(text), sizeof(text) - 1);
	path_labels(&root, 12, text);
	assert_string_equal(text, "");
}

static void labels_match_their_prefixes(void **state)
{
	struct label label = label_of("82db5681d20e");
	char whole[80];
	(void)state;
	assert_true(label_matches(&label, TEXT("82db56")));
	assert_true(label_matches(&label, TEXT("82DB568")));
	assert_true(label_matches(&label, TEXT("82db5681d20e0")));
	assert_true(label_matches(&label, "82db56/hello", 6));
	assert_false(label_matches(&label, TEXT("82db5")));
	assert_false(label_matches(&label, TEXT("82db57")));
	assert_false(label_matches(&label, TEXT("82db5g")));
	assert_false(label_matches(&label, TEXT("82db56 ")));
	assert_false(label_matches(&label, TEXT("0x82db56")));
	assert_false(label_matches(&label, TEXT("")));
	label_format(&label, LABEL_DIGITS_MAX, whole);
	assert_true(label_matches(&label, whole, 64));
	whole[64] = '0';
	assert_false(label_matches(&label, whole, 65));
}

static void labels_are_told_apart(void **state)
{
	struct label a = label_of("82db5681"), b = label_of("82db5691"), c = label_of("02db5681");
	struct label d = a;
	(void)state;
	assert_true(label_equal(&a, &d));
	assert_false(label_equal(&a, &b));
	assert_int_equal(label_digits_between(&a, &b), 7);
	assert_int_equal(label_digits_between(&a, &c), LABEL_DIGITS_MIN);
	assert_int_equal(label_digits_between(&a, &d), LABEL_DIGITS_MAX);
	d.byte[31] ^= 1;
	assert_int_equal(label_digits_between(&a, &d), LABEL_DIGITS_MAX);
	d = a;
	d.byte[31] ^= 0x10;
	assert_int_equal(label_digits_between(&a, &d), 63);
	d = a;
	d.byte[2] ^= 1;
	assert_int_equal(label_digits_between(&a, &d), 6);
}

static void path_add(struct path *path, const char *name, const char *label)
{
	struct node *node = &path->node[path->depth++];
	(void)snprintf(node->name, sizeof(node->name), "%s", name);
	node->label = label_of(label);
}

static struct path hello_path(void)
{
	struct path path = {0};
	path_add(&path, "dev", "aaaaaa1");
	path_add(&path, "alice", "bbbbbb2");
	path_add(&path, "tls.nqsb.io", "cccccc3");
	return path;
}

static void paths_contain_each_other(void **state)
{
	struct path hello = hello_path(), dev = hello, other = hello, root = {0};
	(void)state;
	dev.depth = 1;
	assert_true(path_within(&hello, &root));
	assert_true(path_within(&root, &root));
	assert_true(path_within(&hello, &dev));
	assert_true(path_within(&hello, &hello));
	assert_false(path_within(&dev, &hello));
	assert_false(path_equal(&dev, &hello));
	/* Labels say who it is, names do not. */
	(void)snprintf(other.node[0].name, NAME_SIZE, "prod");
	assert_true(path_equal(&hello, &other));
	other.node[0].label.byte[31] ^= 1;
	assert_false(path_equal(&hello, &other));
	assert_false(path_within(&other, &dev));
}

static void paths_are_written(void **state)
{
	struct path path = hello_path();
	char text[PATH_TEXT_SIZE];
	(void)state;
	path_format(&path, 0, text);
	assert_string_equal(text, "dev/alice/tls.nqsb.io");
	path_format(&path, 2, text);
	assert_string_equal(text, "tls.nqsb.io");
	path_format(&path, 3, text);
	assert_string_equal(text, "");
	path_format(&path, 9, text);
	assert_string_equal(text, "");

	path.depth = PATH_DEPTH_MAX;
	for (unsigned i = 0; i < PATH_DEPTH_MAX; i++) {
		memset(path.node[i].name, 'a' + (int)i, NAME_SIZE - 1);
		path.node[i].name[NAME_SIZE - 1] = '\0';
	}
	path_format(&path, 0, text);
	assert_int_equal(strlen(text), PATH_DEPTH_MAX * NAME_SIZE - 1);
	assert_memory_equal(text + strlen(text) - 3, "ppp", 4);
}

static void paths_are_found_by_name_and_label(void **state)
{
	struct path path = hello_path();
	static const char *const yes[] = {
	    "dev/alice/tls.nqsb.io",	"aaaaaa/alice/tls.nqsb.io",  "aaaaaa.bbbbbb.cccccc",
	    "aaaaaa1.BBBBBB.cccccc300", "aaaaaa.bbbbbb/tls.nqsb.io", "dev/bbbbbb.cccccc",
	    "aaaaaa/bbbbbb/cccccc",
	};
	static const char *const no[] = {
	    "",
	    "/",
	    "dev",
	    "dev/alice",
	    "dev/alice/",
	    "/dev/alice/tls.nqsb.io",
	    "dev/alice/tls.nqsb.io/",
	    "dev//tls.nqsb.io",
	    "dev/alice/tls",
	    "dev/alice/tls.nqsb.io/x",
	    "dev.alice.tls.nqsb.io",
	    "aaaaaa.alice.cccccc",
	    "aaaaaa..cccccc",
	    "aaaaaa.bbbbbb.",
	    ".aaaaaa.bbbbbb.cccccc",
	    "aaaaaa.bbbbbb.cccccc.dddddd",
	    "aaaaa.bbbbbb.cccccc",
	    "DEV/alice/tls.nqsb.io",
	    "..",
	    "tls.nqsb.io",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		assert_true(path_named(&path, 0, yes[i]));
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		assert_false(path_named(&path, 0, no[i]));
	assert_true(path_named(&path, 2, "tls.nqsb.io"));
	assert_true(path_named(&path, 2, "cccccc3"));
	assert_true(path_named(&path, 1, "alice/cccccc3"));
	assert_false(path_named(&path, 2, "alice/tls.nqsb.io"));
	assert_true(path_named(&path, 3, ""));
	assert_true(path_named(&path, 3, "/"));
	assert_false(path_named(&path, 4, ""));
	assert_false(path_named(&path, 3, "x"));
}

static void names_come_before_labels(void **state)
{
	struct path path = {0};
	(void)state;
	/* A name that reads like two labels is one component. */
	path_add(&path, "aaaaaa.bbbbbb", "cccccc");
	assert_true(path_named(&path, 0, "aaaaaa.bbbbbb"));
	assert_true(path_named_by_names(&path, 0, "aaaaaa.bbbbbb"));
	assert_true(path_named(&path, 0, "cccccc"));
	assert_false(path_named_by_names(&path, 0, "cccccc"));
	path = hello_path();
	assert_true(path_named_by_names(&path, 1, "alice/tls.nqsb.io"));
	assert_false(path_named_by_names(&path, 1, "alice/cccccc"));
	assert_true(path_named_by_names(&path, 3, ""));
	/* A node without a name is called nothing. */
	path.node[2].name[0] = '\0';
	assert_false(path_named(&path, 2, "/x"));
	assert_false(path_named(&path, 1, "alice/"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(utf8_takes_every_character_once),
	    cmocka_unit_test(utf8_refuses_other_bytes),
	    cmocka_unit_test(names_that_are_usual),
	    cmocka_unit_test(names_that_are_refused),
	    cmocka_unit_test(names_of_volumes),
	    cmocka_unit_test(labels_are_written),
	    cmocka_unit_test(labels_of_a_path),
	    cmocka_unit_test(labels_match_their_prefixes),
	    cmocka_unit_test(labels_are_told_apart),
	    cmocka_unit_test(paths_contain_each_other),
	    cmocka_unit_test(paths_are_written),
	    cmocka_unit_test(paths_are_found_by_name_and_label),
	    cmocka_unit_test(names_come_before_labels),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
