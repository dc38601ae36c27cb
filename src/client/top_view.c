/*
 * The keys of top.
 */
#include "top_view.h"

#define CTRL(letter) ((letter)-0x40)

static const int delays_s[] = {1, 2, 3, 5, 10, 20, 30, 60};
#define DELAYS	    (sizeof(delays_s) / sizeof(delays_s[0]))
#define DELAY_START 1 /* 2 s */

/* Letters that name what is sorted by. */
static const struct {
	int key;
	enum top_sort sort;
} sort_keys[] = {
    {'P', SORT_CPU},   {'M', SORT_RESIDENT}, {'N', SORT_NETWORK},
    {'B', SORT_BLOCK}, {'T', SORT_AGE},	     {'n', SORT_NAME},
};

void top_view_start(struct top_view *view)
{
	*view = (struct top_view){.sort = SORT_CPU, .delay = DELAY_START};
}

int top_view_delay_s(const struct top_view *view)
{
	return delays_s[view->delay];
}

void top_view_bound(struct top_view *view, size_t count, size_t rows)
{
	size_t last = count > rows ? count - rows : 0;

	if (view->first > last)
		view->first = last;
}

static void back(struct top_view *view, size_t rows)
{
	view->first -= rows < view->first ? rows : view->first;
}

static void scroll(struct top_view *view, int key, size_t count, size_t rows)
{
	switch (key) {
	case TOP_KEY_UP:
	case 'k':
		back(view, 1);
		break;
	case TOP_KEY_DOWN:
	case 'j':
		view->first++;
		break;
	case TOP_KEY_PAGE_UP:
		back(view, rows);
		break;
	case TOP_KEY_PAGE_DOWN:
		view->first += rows;
		break;
	case TOP_KEY_FIRST:
		view->first = 0;
		break;
	case TOP_KEY_LAST:
		view->first = count;
		break;
	default:
		break;
	}
	top_view_bound(view, count, rows);
}

static void sort(struct top_view *view, int key)
{
	for (size_t i = 0; i < sizeof(sort_keys) / sizeof(sort_keys[0]); i++)
		if (sort_keys[i].key == key)
			view->sort = sort_keys[i].sort;
	if (key == '<' && view->sort > 0)
		view->sort--;
	if (key == '>' && view->sort + 1 < SORTS)
		view->sort++;
	if (key == 'R')
		view->reverse = !view->reverse;
}

static void pace(struct top_view *view, int key)
{
	if (key == '-' && view->delay > 0)
		view->delay--;
	if (key == '+' && view->delay + 1 < DELAYS)
		view->delay++;
}

enum top_act top_view_key(struct top_view *view, int key, size_t count, size_t rows)
{
	bool help = view->help;

	switch (key) {
	case 'q':
	case CTRL('C'):
		return TOP_LEAVE;
	case CTRL('Z'):
		return TOP_STOP;
	case CTRL('L'):
		return TOP_REDRAW;
	case ' ':
		return TOP_ASK;
	default:
		break;
	}
	view->help = !help && (key == '?' || key == 'h');
	if (help) /* any key ends it, and does nothing else */
		return TOP_DRAW;
	scroll(view, key, count, rows);
	sort(view, key);
	pace(view, key);
	return TOP_DRAW;
}
