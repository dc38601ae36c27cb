/*
 * The columns of top, and its rows as text of exactly the width that there is. Pure.
 */
#ifndef VMM_TOP_LAYOUT_H
#define VMM_TOP_LAYOUT_H

#include "top_rows.h"

#define TOP_WIDTH_MAX 1024			/* cells; what a terminal has more is left empty */
#define TOP_LINE_SIZE (4 * TOP_WIDTH_MAX + 256) /* of a line of text */

struct top_layout {
	size_t width;	   /* of all */
	size_t name_width; /* the first column's: what the others leave */
	size_t ncolumns;
	enum top_value column[TOP_VALUES];
};

/*
 * As many columns as fit, in the order of how much they tell; the one that is sorted by before all
 * others. Where not even one fits beside a name, names alone.
 */
void top_layout_make(struct top_layout *layout, size_t width, enum top_sort sorted_by);
/* A piece of the line with the columns' titles. Title 0 is the name's. */
struct top_title {
	size_t at, width; /* cells */
	char text[TOP_WIDTH_MAX + 1];
	bool sorted; /* it is the column that is sorted by, or one of both */
};
void top_layout_title(const struct top_layout *layout, size_t n, enum top_sort sorted_by,
		      struct top_title *out);
void top_layout_row(const struct top_layout *layout, const struct top_row *row,
		    char out[TOP_LINE_SIZE]);

#endif
