/*
 * What of its rows top shows and how, and what each key changes about that. Pure.
 */
#ifndef VMM_TOP_VIEW_H
#define VMM_TOP_VIEW_H

#include "top_rows.h"

/* Keys that are no characters. */
enum top_key {
	TOP_KEY_OTHER = 0x110000, /* one that is not known, past all characters */
	TOP_KEY_UP,
	TOP_KEY_DOWN,
	TOP_KEY_PAGE_UP,
	TOP_KEY_PAGE_DOWN,
	TOP_KEY_FIRST,
	TOP_KEY_LAST,
};

struct top_view {
	enum top_sort sort;
	bool reverse;
	bool help;    /* shown in place of the rows */
	size_t first; /* the row at the top */
	size_t delay; /* index of the seconds from one answer to the next request */
};

/* What is to be done after a key. */
enum top_act {
	TOP_DRAW,
	TOP_REDRAW, /* all of it: something else wrote there */
	TOP_ASK,    /* now */
	TOP_STOP,   /* the whole program, as Ctrl-Z does */
	TOP_LEAVE,
};

void top_view_start(struct top_view *view);
/* KEY was typed while ROWS of COUNT were on the screen. */
enum top_act top_view_key(struct top_view *view, int key, size_t count, size_t rows);
/* No further than that the last of COUNT rows is at the bottom of those ROWS that are shown. */
void top_view_bound(struct top_view *view, size_t count, size_t rows);
int top_view_delay_s(const struct top_view *view);

#endif
