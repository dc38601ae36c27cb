/*
 * Which columns there is room for.
 */
#include "top_layout.h"

#include <stdio.h>
#include <string.h>

#include "cells.h"
#include "units.h"

#define NAME_LEAST 10 /* cells: with less, columns are left out */

/* In the order in which they are shown. */
static const struct {
	const char *title;
	size_t width;
	enum top_sort group; /* those of one are shown together, and sorted by as one */
	void (*format)(double value, char out[UNITS_SIZE]);
} columns[TOP_VALUES] = {
    [TOP_AGE] = {"AGE", 6, SORT_AGE, units_age},
    [TOP_CPU] = {"CPU%", 5, SORT_CPU, units_percent},
    [TOP_RESIDENT] = {"RES", 4, SORT_RESIDENT, units_bytes},
    [TOP_GRANTED] = {"GRANT", 5, SORT_GRANTED, units_bytes},
    [TOP_RECEIVED] = {"IN/s", 4, SORT_NETWORK, units_bytes},
    [TOP_SENT] = {"OUT/s", 5, SORT_NETWORK, units_bytes},
    [TOP_READ] = {"READ/s", 6, SORT_BLOCK, units_bytes},
    [TOP_WRITTEN] = {"WRITE/s", 7, SORT_BLOCK, units_bytes},
    [TOP_CONSOLE] = {"CONS/s", 6, SORT_CONSOLE, units_bytes},
    [TOP_DROPPED] = {"DROP", 4, SORT_DROPPED, units_count},
};

/* What is left out last comes first. */
static const enum top_sort priority[] = {SORT_CPU,     SORT_RESIDENT, SORT_AGE,	    SORT_GRANTED,
					 SORT_NETWORK, SORT_BLOCK,    SORT_DROPPED, SORT_CONSOLE};

static size_t group_width(enum top_sort group)
{
	size_t width = 0;

	for (size_t i = 0; i < TOP_VALUES; i++)
		if (columns[i].group == group)
			width += columns[i].width + 1;
	return width;
}

/* Whether it fits into what is LEFT, which then is less. */
static bool take(enum top_sort group, size_t *left, bool shown[SORTS])
{
	size_t width = group_width(group);

	if (width > *left)
		return false;
	*left -= shown[group] ? 0 : width;
	shown[group] = true;
	return true;
}

void top_layout_make(struct top_layout *layout, size_t width, enum top_sort sorted_by)
{
	bool shown[SORTS] = {false};

	if (width > TOP_WIDTH_MAX)
		width = TOP_WIDTH_MAX;
	size_t left = width > NAME_LEAST ? width - NAME_LEAST : 0;
	*layout = (struct top_layout){.width = width, .name_width = width};
	bool fits = take(sorted_by, &left, shown);
	for (size_t i = 0; fits && i < sizeof(priority) / sizeof(priority[0]); i++)
		fits = shown[priority[i]] || take(priority[i], &left, shown);
	for (enum top_value value = 0; value < TOP_VALUES; value++)
		if (shown[columns[value].group]) {
			layout->column[layout->ncolumns++] = value;
			layout->name_width -= columns[value].width + 1;
		}
}

void top_layout_title(const struct top_layout *layout, size_t n, enum top_sort sorted_by,
		      struct top_title *out)
{
	if (n == 0) {
		*out = (struct top_title){.width = layout->name_width,
					  .sorted = sorted_by == SORT_NAME};
		cells_fit("NAME", out->width, out->text, sizeof(out->text));
		return;
	}
	*out = (struct top_title){.at = layout->name_width};
	for (size_t i = 0; i + 1 < n; i++)
		out->at += columns[layout->column[i]].width + 1;
	enum top_value value = layout->column[n - 1];
	out->width = columns[value].width + 1;
	out->sorted = columns[value].group == sorted_by;
	snprintf(out->text, sizeof(out->text), "%*s", (int)out->width, columns[value].title);
}

/* What stands in a column; a VM that ended says so where its age was. */
static void cell_format(const struct top_row *row, enum top_value value, char out[UNITS_SIZE])
{
	if (row->ended && value == TOP_AGE)
		snprintf(out, UNITS_SIZE, "ended");
	else
		columns[value].format(row->value[value], out);
}

void top_layout_row(const struct top_layout *layout, const struct top_row *row,
		    char out[TOP_LINE_SIZE])
{
	char cell[UNITS_SIZE];
	size_t used;

	cells_fit(row->name, layout->name_width, out, TOP_LINE_SIZE - 256);
	used = strlen(out);
	for (size_t i = 0; i < layout->ncolumns; i++) {
		enum top_value value = layout->column[i];
		cell_format(row, value, cell);
		used += (size_t)snprintf(out + used, TOP_LINE_SIZE - used, " %*s",
					 (int)columns[value].width, cell);
	}
}
