/* The typed request's helpers: request.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "request.h"

static void strings_are_kept_in_order(void **state)
{
	static struct strings list;
	(void)state;
	list = (struct strings){0};
	assert_null(strings_next(&list, NULL));
	assert_int_equal(strings_add(&list, "--hello"), 0);
	assert_int_equal(strings_add(&list, ""), 0);
	assert_int_equal(strings_add(&list, "a b"), 0);
	assert_int_equal(list.count, 3);
	assert_int_equal(list.size, 8 + 1 + 4);

	const char *item = strings_next(&list, NULL);
	assert_string_equal(item, "--hello");
	item = strings_next(&list, item);
	assert_string_equal(item, "");
	item = strings_next(&list, item);
	assert_string_equal(item, "a b");
	assert_null(strings_next(&list, item));
}

static void strings_are_bounded(void **state)
{
	static struct strings list;
	static char big[ARGV_SIZE + 1];
	(void)state;
	list = (struct strings){0};
	memset(big, 'x', ARGV_SIZE);
	assert_int_equal(strings_add(&list, big), -1);
	big[ARGV_SIZE - 1] = '\0';
	assert_int_equal(strings_add(&list, big), 0);
	assert_int_equal(strings_add(&list, ""), -1);
	assert_int_equal(list.count, 1);
	assert_int_equal(list.size, ARGV_SIZE);
	assert_null(strings_next(&list, strings_next(&list, NULL)));

	list = (struct strings){0};
	for (unsigned i = 0; i < ARGV_COUNT_MAX; i++)
		assert_int_equal(strings_add(&list, "x"), 0);
	assert_int_equal(strings_add(&list, "x"), -1);
}

static void damaged_strings_end_early(void **state)
{
	static struct strings list;
	(void)state;
	memset(list.bytes, 'x', sizeof(list.bytes));
	list.count = 7;
	list.size = sizeof(list.bytes);
	assert_null(strings_next(&list, NULL));
	list.size = UINT32_MAX;
	assert_null(strings_next(&list, NULL));
	assert_int_equal(strings_add(&list, "x"), -1);
	list.bytes[1] = '\0';
	list.size = 4;
	assert_string_equal(strings_next(&list, NULL), "x");
	assert_null(strings_next(&list, strings_next(&list, NULL)));
}

static void permissions_have_words(void **state)
{
	static const char *const words[] = {"all",     "info", "image", "block", "statistics",
					    "console", "log",  "crl",	NULL,	 "force-create"};
	(void)state;
	for (unsigned bit = 0; bit < 32; bit++) {
		const char *word = bit < 10 ? words[bit] : NULL;
		if (!word) {
			assert_null(permission_name(1u << bit));
			continue;
		}
		assert_string_equal(permission_name(1u << bit), word);
		assert_int_equal(permission_parse(word), 1u << bit);
	}
	assert_null(permission_name(0));
	assert_null(permission_name(PERMIT_ALL | PERMIT_INFO));
	assert_int_equal(permission_parse("create"), 0);
	assert_int_equal(permission_parse("ALL"), 0);
	assert_int_equal(permission_parse(""), 0);
}

static void paths_follow_the_levels(void **state)
{
	static struct request request;
	static struct path path, scope;
	char text[PATH_TEXT_SIZE];
	(void)state;
	request = (struct request){.depth = 2, .leaf = {.label = {{3}}, .name = "hello"}};
	request.level[0].node = (struct node){.label = {{1}}, .name = "dev"};
	request.level[1].node = (struct node){.label = {{2}}, .name = "alice"};

	request_scope(&request, &scope);
	path_format(&scope, 0, text);
	assert_string_equal(text, "dev/alice");
	request_path(&request, &path);
	path_format(&path, 0, text);
	assert_string_equal(text, "dev/alice/hello");
	assert_int_equal(path.node[2].label.byte[0], 3);
	assert_true(path_within(&path, &scope));

	request.depth = 0;
	request_scope(&request, &scope);
	request_path(&request, &path);
	assert_int_equal(scope.depth, 0);
	assert_int_equal(path.depth, 1);

	request.depth = LEVELS_MAX;
	request_path(&request, &path);
	assert_int_equal(path.depth, PATH_DEPTH_MAX);
	request.depth = UINT32_MAX;
	request_path(&request, &path);
	assert_int_equal(path.depth, PATH_DEPTH_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(strings_are_kept_in_order), cmocka_unit_test(strings_are_bounded),
	    cmocka_unit_test(damaged_strings_end_early), cmocka_unit_test(permissions_have_words),
	    cmocka_unit_test(paths_follow_the_levels),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
