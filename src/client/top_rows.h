/*
 * What top shows: a row for each VM, from the server's statistics, and their sums. Pure.
 */
#ifndef VMM_TOP_ROWS_H
#define VMM_TOP_ROWS_H

#include <jansson.h>

#include "names.h"
#include "output.h"

/* The numbers of a row; UNITS_NONE: there is none. */
enum top_value {
	TOP_AGE,      /* seconds since it was started */
	TOP_CPU,      /* of one CPU: 1 is all of it */
	TOP_RESIDENT, /* bytes */
	TOP_GRANTED,  /* bytes */
	TOP_RECEIVED, /* bytes a second, and the following */
	TOP_SENT,
	TOP_READ,
	TOP_WRITTEN,
	TOP_CONSOLE,
	TOP_DROPPED, /* frames, since it was started */
	TOP_VALUES,
};

/* What can be sorted by, in the order of the columns. */
enum top_sort {
	SORT_NAME,
	SORT_AGE,
	SORT_CPU,
	SORT_RESIDENT,
	SORT_GRANTED,
	SORT_NETWORK, /* both ways together */
	SORT_BLOCK,   /* likewise */
	SORT_CONSOLE,
	SORT_DROPPED,
	SORTS,
};

struct top_row {
	char *path; /* the server's */
	char *name; /* to be shown; escaped */
	double value[TOP_VALUES];
	bool ended; /* it was in the list before this one */
};

struct top_rows {
	struct top_row *row;
	size_t count;
	size_t live;		  /* of them, not ended */
	double total[TOP_VALUES]; /* of those */
	char sampled[40];	  /* RFC 3339: the newest reading's time; "": none */
};

/*
 * The rows are those of LIST, and those that were live before and are not in it, as ended. False:
 * no memory; then they are as they were.
 */
bool top_rows_take(struct top_rows *rows, const json_t *list, const struct names *names,
		   const struct output *output);
/* Largest first, names in their order; the other way around with REVERSE. Rows without the number
 * are the last either way. */
void top_rows_sort(struct top_rows *rows, enum top_sort by, bool reverse);
void top_rows_free(struct top_rows *rows);

#endif
