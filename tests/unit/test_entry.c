/* The event log's lines: the article's forms, hostile fields, what whom an entry shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "entry.h"

/* "alice/hello": each name's label begins with its first letter. */
static struct path path_of(const char *text)
{
	struct path path = {0};

	while (*text) {
		struct node *node = &path.node[path.depth++];
		size_t n = strcspn(text, "/");

		memcpy(node->name, text, n);
		node->label.byte[0] = (uint8_t)text[0];
		text += n + (text[n] == '/');
	}
	return path;
}

static void expect_text(const struct log_entry *entry, unsigned skip, const char *text)
{
	char out[ENTRY_TEXT_SIZE];

	entry_text(entry, skip, out);
	assert_string_equal(out, text);
}

/* Every type, in the article's form where it has one. */
static void each_type_has_its_form(void **state)
{
	const struct {
		struct log_entry entry;
		const char *text;
	} cases[] = {
	    {{.type = ENTRY_STARTUP}, "vmmd STARTUP"},
	    {{.type = ENTRY_LOGIN, .peer = "128.232.110.109:43142"},
	     "hello LOGIN 128.232.110.109:43142"},
	    {{.type = ENTRY_LOGOUT, .peer = "[::1]:24207"}, "hello LOGOUT [::1]:24207"},
	    {{.type = ENTRY_LOGOUT, .peer = "[::1]:1", .detail = "it has expired"},
	     "hello LOGOUT [::1]:1 (it has expired)"},
	    {{.type = ENTRY_REFUSED, .peer = "[::1]:1", .detail = "it has expired"},
	     "hello REFUSED [::1]:1: it has expired"},
	    {{.type = ENTRY_DELEGATE, .detail = "2 VMs, 2048 MB"},
	     "hello DELEGATE (2 VMs, 2048 MB)"},
	    {{.type = ENTRY_STARTED, .pid = 91368, .taps = "tap25"},
	     "hello STARTED 91368 (tap tap25, block no)"},
	    {{.type = ENTRY_STARTED, .pid = 1, .taps = "tap1, tap2", .blocks = "data, logs"},
	     "hello STARTED 1 (tap tap1; tap2, block data; logs)"},
	    {{.type = ENTRY_STARTED, .pid = 1}, "hello STARTED 1 (tap no, block no)"},
	    {{.type = ENTRY_FAILED, .detail = "image: not an ELF file"},
	     "hello FAILED: image: not an ELF file"},
	    {{.type = ENTRY_REPLACED, .pid = 7}, "hello REPLACED 7"},
	    {{.type = ENTRY_REVOKED, .number = 3}, "hello REVOKED (list 3)"},
	    {{.type = ENTRY_BLOCK_CREATE, .volume = "data", .number = 64},
	     "hello BLOCK_CREATE data 64"},
	    {{.type = ENTRY_BLOCK_DESTROY, .volume = "data"}, "hello BLOCK_DESTROY data"},
	};
	bool seen[ENTRY_TYPES] = {[0] = true, [ENTRY_STOPPED] = true};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct log_entry entry = cases[i].entry;

		if (entry.type != ENTRY_STARTUP)
			entry.path = path_of("hello");
		seen[entry.type] = true;
		expect_text(&entry, 0, cases[i].text);
	}
	for (unsigned type = 0; type < ENTRY_TYPES; type++)
		assert_true(seen[type]);
}

static void an_end_is_decoded(void **state)
{
	const struct {
		uint32_t end, value, cause;
		const char *by, *text;
	} cases[] = {
	    {END_EXIT, 0, CAUSE_GUEST, "", "hello STOPPED 9 with exit 0"},
	    {END_EXIT, 255, CAUSE_GUEST, "bob", "hello STOPPED 9 with exit 255"},
	    {END_SIGNAL, 15, CAUSE_DESTROYED, "bob",
	     "hello STOPPED 9 with signal 15 (destroyed by bob)"},
	    {END_SIGNAL, 15, CAUSE_DESTROYED, "", "hello STOPPED 9 with signal 15 (destroyed)"},
	    {END_SIGNAL, 15, CAUSE_REPLACED, "bob",
	     "hello STOPPED 9 with signal 15 (replaced by bob)"},
	    {END_SIGNAL, 15, CAUSE_REVOKED, "bob",
	     "hello STOPPED 9 with signal 15 (revoked by bob)"},
	    {END_SIGNAL, 31, CAUSE_SECCOMP, "", "hello STOPPED 9 with signal 31 (seccomp)"},
	    {END_SIGNAL, 9, CAUSE_MEMORY, "", "hello STOPPED 9 with signal 9 (out of memory)"},
	    {END_SIGNAL, 11, CAUSE_FAULT, "", "hello STOPPED 9 with signal 11 (fault)"},
	    {END_SIGNAL, 9, CAUSE_SIGNAL, "", "hello STOPPED 9 with signal 9 (sent from outside)"},
	    {END_UNKNOWN, 0, CAUSE_UNKNOWN, "", "hello STOPPED 9, nobody knows how"},
	    {END_SIGNAL, 9, CAUSE_UNKNOWN + 1, "", "hello STOPPED 9 with signal 9"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct log_entry entry = {.type = ENTRY_STOPPED,
						.path = path_of("hello"),
						.pid = 9,
						.end = cases[i].end,
						.end_value = cases[i].value,
						.cause = cases[i].cause,
						.by = path_of(cases[i].by)};

		expect_text(&entry, 0, cases[i].text);
	}
	for (uint32_t cause = 0; cause <= CAUSE_UNKNOWN; cause++)
		assert_non_null(cause_name(cause));
	assert_null(cause_name(CAUSE_UNKNOWN + 1));
	assert_null(entry_event(0));
	assert_null(entry_event(ENTRY_TYPES));
}

static void names_are_below_the_scope(void **state)
{
	struct log_entry entry = {.type = ENTRY_REVOKED,
				  .path = path_of("alice/carol/eve"),
				  .by = path_of("alice/carol"),
				  .number = 2};

	(void)state;
	expect_text(&entry, 0, "alice/carol/eve REVOKED (by alice/carol, list 2)");
	expect_text(&entry, 1, "carol/eve REVOKED (by carol, list 2)");
	expect_text(&entry, 2, "eve REVOKED (list 2)");
	expect_text(&entry, 3, "/ REVOKED (list 2)");
	expect_text(&entry, 99, "/ REVOKED (list 2)");
	entry.by = path_of("bob/root");
	expect_text(&entry, 1, "carol/eve REVOKED (list 2)");
	entry = (struct log_entry){.type = ENTRY_REFUSED, .peer = "p", .detail = "d"};
	expect_text(&entry, 0, "vmmd REFUSED p: d");
}

static void a_reader_sees_its_scope(void **state)
{
	const struct path root = path_of(""), alice = path_of("alice"), dan = path_of("alice/dan");
	const struct log_entry whole = {.type = ENTRY_STOPPED,
					.path = path_of("alice/dan/hello"),
					.by = path_of("alice/admin")};
	struct log_entry entry = whole;

	(void)state;
	entry_relative(&entry, &root);
	assert_memory_equal(&entry, &whole, sizeof(entry));
	entry_relative(&entry, &alice);
	assert_int_equal(entry.path.depth, 2);
	assert_string_equal(entry.path.node[0].name, "dan");
	assert_string_equal(entry.path.node[1].name, "hello");
	assert_int_equal(entry.by.depth, 1);
	assert_string_equal(entry.by.node[0].name, "admin");

	/* Nothing is left of who is above, not even behind the depth. */
	entry = whole;
	entry_relative(&entry, &dan);
	assert_int_equal(entry.path.depth, 1);
	assert_string_equal(entry.path.node[0].name, "hello");
	for (size_t i = 0; i < sizeof(entry.by); i++)
		assert_int_equal(((const uint8_t *)&entry.by)[i], 0);
}

static void each_entry_has_its_ring(void **state)
{
	static const struct label host;
	const struct {
		const char *path;
		uint32_t type;
		uint8_t first;
	} cases[] = {
	    {"", ENTRY_STARTUP, 0},
	    {"root", ENTRY_LOGIN, 0},
	    {"root", ENTRY_REFUSED, 0},
	    {"alice", ENTRY_REVOKED, 0},
	    {"alice", ENTRY_DELEGATE, 'a'},
	    {"alice/cmd", ENTRY_LOGIN, 'a'},
	    {"alice/cmd", ENTRY_REFUSED, 'a'},
	    {"", ENTRY_REFUSED, 0xff},
	};
	struct label label;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct log_entry entry = {.type = cases[i].type,
						.path = path_of(cases[i].path)};

		entry_ring(&entry, &label);
		assert_int_equal(label.byte[0], cases[i].first);
		assert_int_equal(label_equal(&label, &host), cases[i].first == 0);
	}
}

static void it_is_one_line_of_plain_characters(void **state)
{
	struct log_entry entry = {.type = ENTRY_FAILED, .path = path_of("hello")};

	(void)state;
	snprintf(entry.detail, sizeof(entry.detail), "%s",
		 "a\nb\r\x1b[31m\x7f\xc2\x9b \xe2\x80\xa8 \xe2\x80\xae \xff\xc3 caf\xc3\xa9");
	expect_text(&entry, 0,
		    "hello FAILED: a\\x0ab\\x0d\\x1b[31m\\x7f\\xc2\\x9b \\xe2\\x80\\xa8 "
		    "\\xe2\\x80\\xae \\xff\\xc3 caf\xc3\xa9");
}

/* The longest there can be is cut between characters, never within an escape. */
static void the_longest_fits(void **state)
{
	static struct log_entry entry;
	char out[ENTRY_TEXT_SIZE + 1];
	size_t n;

	(void)state;
	entry.type = ENTRY_STARTED;
	for (entry.path.depth = 0; entry.path.depth < PATH_DEPTH_MAX; entry.path.depth++)
		memset(entry.path.node[entry.path.depth].name, '\n', NAME_SIZE - 1);
	memset(entry.taps, '\t', sizeof(entry.taps) - 1);
	memset(entry.blocks, '\t', sizeof(entry.blocks) - 1);
	memset(out, 1, sizeof(out));
	entry_text(&entry, 0, out);
	assert_int_equal(out[ENTRY_TEXT_SIZE], 1);
	n = strlen(out);
	assert_in_range(n, ENTRY_TEXT_SIZE - 8, ENTRY_TEXT_SIZE - 1);
	assert_true(n >= 4 && memcmp(out + n - 4, "\\x0", 3) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_type_has_its_form),
	    cmocka_unit_test(an_end_is_decoded),
	    cmocka_unit_test(names_are_below_the_scope),
	    cmocka_unit_test(a_reader_sees_its_scope),
	    cmocka_unit_test(each_entry_has_its_ring),
	    cmocka_unit_test(it_is_one_line_of_plain_characters),
	    cmocka_unit_test(the_longest_fits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
