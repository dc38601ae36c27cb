/* top without a terminal: which columns there are, what keys do, whole screens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/client/cells.h"
#include "../../src/client/top_draw.h"
#include "../../src/client/units.h"

#define LINES 24

/* A screen: its lines' text and how each cell-wise first piece looks. */
struct grid {
	size_t width;
	char text[LINES][TOP_LINE_SIZE];
	enum canvas_style style[LINES];
	char sorted[64]; /* the titles that stand out */
};

static void put(void *arg, size_t line, size_t at, enum canvas_style style, const char *text)
{
	struct grid *grid = arg;

	assert_in_range(line, 0, LINES - 1);
	assert_int_equal(cells_width(grid->text[line]), at);
	assert_true(at + cells_width(text) <= grid->width);
	size_t len = strlen(grid->text[line]);
	snprintf(grid->text[line] + len, TOP_LINE_SIZE - len, "%s", text);
	if (at == 0)
		grid->style[line] = style;
	if (style == CANVAS_SORTED)
		snprintf(grid->sorted + strlen(grid->sorted),
			 sizeof(grid->sorted) - strlen(grid->sorted), "%s", text);
}

static struct grid *draw(size_t width, size_t height, const struct top_rows *rows,
			 const struct top_view *view, const struct top_words *words)
{
	static struct grid grid;
	const struct canvas canvas = {.width = width, .height = height, .put = put, .arg = &grid};

	memset(&grid, 0, sizeof(grid));
	grid.width = width;
	top_draw(&canvas, rows, view, words);
	return &grid;
}

static struct top_row row_of(const char *name, double cpu)
{
	struct top_row row = {.name = strdup(name), .path = strdup(name)};

	for (size_t i = 0; i < TOP_VALUES; i++)
		row.value[i] = UNITS_NONE;
	row.value[TOP_CPU] = cpu;
	row.value[TOP_AGE] = 10921;
	row.value[TOP_GRANTED] = 32 << 20;
	return row;
}

/* COUNT rows, "vm000" and so on. */
static struct top_rows rows_of(size_t count)
{
	struct top_rows rows = {.row = calloc(count + 1, sizeof(*rows.row)),
				.sampled = "2026-11-22T16:09:50.5Z"};
	char name[16];

	for (; rows.count < count; rows.count++) {
		snprintf(name, sizeof(name), "vm%03zu", rows.count % 1000);
		rows.row[rows.count] = row_of(name, 0.5);
	}
	rows.live = count;
	for (size_t i = 0; i < TOP_VALUES; i++)
		rows.total[i] = UNITS_NONE;
	return rows;
}

static const struct top_words words = {.scope = "dan", .time = "16:09:52 UTC"};

#define ALL "NAME                  AGE  CPU%  RES GRANT IN/s OUT/s READ/s WRITE/s CONS/s DROP"

static void test_screen(void **state)
{
	struct top_rows rows = rows_of(2);
	struct top_view view;
	(void)state;

	top_view_start(&view);
	for (size_t i = 0; i < TOP_VALUES; i++)
		rows.row[0].value[i] = rows.total[i] = 3000;
	rows.total[TOP_CPU] = 0.5;
	rows.row[1].ended = true;
	const struct grid *grid = draw(80, 24, &rows, &view, &words);
	assert_string_equal(grid->text[0], "top: 2 VMs of dan, 16:09:52 UTC, every 2 s, as of "
					   "16:09:50                      ");
	assert_string_equal(grid->text[1], "CPU 50.0%, memory 2.9K of 2.9K, in 2.9K/s, out "
					   "2.9K/s, read 2.9K/s, write 2.9K/s");
	assert_string_equal(grid->text[2], ALL);
	assert_string_equal(grid->text[3], "vm000              50m00s 99999 2.9K  2.9K 2.9K  2.9K "
					   "  2.9K    2.9K   2.9K 3.0K");
	assert_string_equal(grid->text[4], "vm001               ended  50.0    -   32M    -     - "
					   "     -       -      -    -");
	assert_string_equal(grid->text[5], "");
	assert_string_equal(grid->sorted, "  CPU%");
	assert_int_equal(grid->style[4], CANVAS_FAINT);
	top_rows_free(&rows);
}

/* Width to titles; a column is there whole or not at all. */
static const struct {
	size_t width;
	enum top_sort sort;
	const char *titles, *sorted;
} layouts[] = {
    {80, SORT_CPU, ALL, "  CPU%"},
    {80, SORT_NETWORK, ALL, " IN/s OUT/s"},
    {71, SORT_NAME, "NAME                AGE  CPU%  RES GRANT IN/s OUT/s READ/s WRITE/s DROP",
     "NAME            "},
    {40, SORT_CPU, "NAME                AGE  CPU%  RES GRANT", "  CPU%"},
    {40, SORT_NETWORK, "NAME           AGE  CPU%  RES IN/s OUT/s", " IN/s OUT/s"},
    {40, SORT_BLOCK, "NAME            CPU%  RES READ/s WRITE/s", " READ/s WRITE/s"},
    {16, SORT_CPU, "NAME        CPU%", "  CPU%"},
    {15, SORT_CPU, "NAME           ", ""},
    {1, SORT_NAME, "~", "~"},
};

static void test_layouts(void **state)
{
	struct top_rows rows = rows_of(1);
	struct top_view view;
	(void)state;

	top_view_start(&view);
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
		view.sort = layouts[i].sort;
		const struct grid *grid = draw(layouts[i].width, 5, &rows, &view, &words);
		assert_string_equal(grid->text[2], layouts[i].titles);
		assert_string_equal(grid->sorted, layouts[i].sorted);
	}
	top_rows_free(&rows);
}

/* Every size, sort and name: each line that there is has exactly the width. */
static void test_every_size(void **state)
{
	static const char *const wild[] = {"\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87",
					   "\xf0\x9f\x99\x82x\t", "e\xcc\x81\xcc\x81", "\xff"};
	struct top_rows rows = {.row = calloc(4, sizeof(*rows.row))};
	struct top_words hostile = {.scope = wild[0], .time = "16:09:52 UTC"};
	struct top_view view;
	(void)state;

	for (; rows.count < 4; rows.count++)
		rows.row[rows.count] = row_of(wild[rows.count], 0.1);
	top_view_start(&view);
	for (size_t width = 1; width <= 130; width++)
		for (size_t height = 1; height <= 9; height++) {
			view.sort = (view.sort + 1) % SORTS;
			view.help = height % 3 == 0;
			hostile.problem = width % 2 == 0 ? wild[1] : NULL;
			const struct grid *grid = draw(width, height, &rows, &view, &hostile);
			for (size_t i = 0; i < LINES; i++)
				if (*grid->text[i])
					assert_int_equal(cells_width(grid->text[i]), width);
			assert_string_equal(grid->text[height], "");
		}
	top_rows_free(&rows);
}

static void test_wide_terminal(void **state)
{
	struct top_rows rows = rows_of(1);
	struct top_view view;
	(void)state;

	top_view_start(&view);
	const struct grid *grid = draw(5000, 5, &rows, &view, &words);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(cells_width(grid->text[i]), TOP_WIDTH_MAX);
	top_rows_free(&rows);
}

static void test_words(void **state)
{
	struct top_rows rows = rows_of(500);
	struct top_view view;
	(void)state;

	top_view_start(&view);
	view.first = 100;
	const struct grid *grid = draw(80, 24, &rows, &view, &words);
	assert_non_null(strstr(grid->text[0], "top: 500 VMs (101-121) of dan, 16:09:52 UTC"));
	assert_non_null(strstr(grid->text[3], "vm100"));
	assert_non_null(strstr(grid->text[23], "vm120"));
	view.help = true;
	grid = draw(40, 10, &rows, &view, &words);
	assert_string_equal(grid->text[0], "top: 500 VMs of dan, 16:09:52 UTC       ");
	assert_non_null(strstr(grid->text[8], "leave"));
	const struct top_words late = {"a-scope-with-a-long-name", "16:09:52 UTC", "no answer"};
	grid = draw(40, 10, &rows, &view, &late);
	assert_string_equal(grid->text[0], "top: 500 VMs of a-scope-with~           ");
	assert_string_equal(grid->text[1], "no answer                               ");
	assert_int_equal(grid->style[1], CANVAS_FAILED);
	top_rows_free(&rows);
	rows = rows_of(0);
	top_view_start(&view);
	grid = draw(20, 10, &rows, &view, &words);
	assert_string_equal(grid->text[1], "CPU -, memory - of -");
	assert_string_equal(grid->text[3], "no VMs              ");
	grid = draw(3, 1, &rows, &view, &words);
	assert_string_equal(grid->text[0], "to~");
	top_rows_free(&rows);
}

/* Keys one after the other, the first row after them; 21 of 500 are shown. */
static void test_scrolling(void **state)
{
	static const struct {
		int key;
		size_t first;
	} typed[] = {
	    {TOP_KEY_UP, 0},
	    {TOP_KEY_DOWN, 1},
	    {'j', 2},
	    {'k', 1},
	    {TOP_KEY_PAGE_DOWN, 22},
	    {TOP_KEY_PAGE_UP, 1},
	    {TOP_KEY_PAGE_UP, 0},
	    {TOP_KEY_LAST, 479},
	    {TOP_KEY_DOWN, 479},
	    {TOP_KEY_UP, 478},
	    {TOP_KEY_FIRST, 0},
	    {TOP_KEY_OTHER, 0},
	};
	struct top_view view;
	(void)state;

	top_view_start(&view);
	for (size_t i = 0; i < sizeof(typed) / sizeof(typed[0]); i++) {
		assert_int_equal(top_view_key(&view, typed[i].key, 500, 21), TOP_DRAW);
		assert_int_equal(view.first, typed[i].first);
	}
	view.first = 479;
	top_view_bound(&view, 30, 21);
	assert_int_equal(view.first, 9);
	top_view_bound(&view, 30, 0);
	assert_int_equal(view.first, 9);
	top_view_bound(&view, 3, 21);
	assert_int_equal(view.first, 0);
}

static void test_sorting(void **state)
{
	static const struct {
		int key;
		enum top_sort sort;
	} typed[] = {
	    {'M', SORT_RESIDENT}, {'N', SORT_NETWORK}, {'B', SORT_BLOCK},
	    {'T', SORT_AGE},	  {'P', SORT_CPU},     {'>', SORT_RESIDENT},
	    {'<', SORT_CPU},	  {'n', SORT_NAME},    {'<', SORT_NAME},
	};
	struct top_view view;
	(void)state;

	top_view_start(&view);
	assert_int_equal(view.sort, SORT_CPU);
	for (size_t i = 0; i < sizeof(typed) / sizeof(typed[0]); i++) {
		top_view_key(&view, typed[i].key, 1, 1);
		assert_int_equal(view.sort, typed[i].sort);
	}
	for (int i = 0; i < 2 * SORTS; i++)
		top_view_key(&view, '>', 1, 1);
	assert_int_equal(view.sort, SORTS - 1);
	assert_false(view.reverse);
	top_view_key(&view, 'R', 1, 1);
	assert_true(view.reverse);
}

static void test_other_keys(void **state)
{
	static const struct {
		int key;
		enum top_act act;
	} typed[] = {{'q', TOP_LEAVE}, {3, TOP_LEAVE},	{26, TOP_STOP},	 {12, TOP_REDRAW},
		     {' ', TOP_ASK},   {'x', TOP_DRAW}, {0xe9, TOP_DRAW}};
	struct top_view view;
	(void)state;

	top_view_start(&view);
	for (size_t i = 0; i < sizeof(typed) / sizeof(typed[0]); i++)
		assert_int_equal(top_view_key(&view, typed[i].key, 1, 1), typed[i].act);
	assert_int_equal(top_view_delay_s(&view), 2);
	for (int i = 0; i < 20; i++)
		top_view_key(&view, '+', 1, 1);
	assert_int_equal(top_view_delay_s(&view), 60);
	for (int i = 0; i < 20; i++)
		top_view_key(&view, '-', 1, 1);
	assert_int_equal(top_view_delay_s(&view), 1);
}

/* Any key ends it, and does nothing else; but one that leaves. */
static void test_help(void **state)
{
	struct top_view view;
	(void)state;

	top_view_start(&view);
	top_view_key(&view, '?', 1, 1);
	assert_true(view.help);
	top_view_key(&view, 'M', 1, 1);
	assert_true(!view.help && view.sort == SORT_CPU);
	top_view_key(&view, 'h', 1, 1);
	assert_true(view.help);
	top_view_key(&view, '?', 1, 1);
	assert_false(view.help);
	top_view_key(&view, '?', 1, 1);
	assert_int_equal(top_view_key(&view, 'q', 1, 1), TOP_LEAVE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_screen),     cmocka_unit_test(test_layouts),
	    cmocka_unit_test(test_every_size), cmocka_unit_test(test_wide_terminal),
	    cmocka_unit_test(test_words),      cmocka_unit_test(test_scrolling),
	    cmocka_unit_test(test_sorting),    cmocka_unit_test(test_other_keys),
	    cmocka_unit_test(test_help),
	};
	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
