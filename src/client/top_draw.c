/*
 * top: two lines about all of it, the titles, the rows.
 */
#include "top_draw.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cells.h"
#include "units.h"

enum { LINE_SCOPE, LINE_TOTALS, LINE_TITLES, LINE_ROWS };

#define PIECE_SIZE 2048
#define SCOPE_PART 3 /* the scope's name may be this part of the width */

static const char *const help[] = {
    "P CPU  M memory  N network  B block",   "T age  n name    sort by these",
    "< > by another column  R reverse",	     "- + more often, less often; space: now",
    "arrows j k PgUp PgDn Home End: scroll", "q, Ctrl-C: leave      any key: go on",
};

size_t top_draw_rows(size_t height)
{
	return height > LINE_ROWS ? height - LINE_ROWS : 0;
}

static size_t width_of(const struct canvas *canvas)
{
	return canvas->width < TOP_WIDTH_MAX ? canvas->width : TOP_WIDTH_MAX;
}

static void put(const struct canvas *canvas, size_t line, enum canvas_style style, const char *text)
{
	char fitted[TOP_LINE_SIZE];

	if (line >= canvas->height)
		return;
	cells_fit(text, width_of(canvas), fitted, sizeof(fitted));
	canvas->put(canvas->arg, line, 0, style, fitted);
}

/* A line of pieces, as many as fit; the first in any case, to be cut. */
struct pieces {
	size_t width; /* what is left */
	size_t len;
	char text[TOP_LINE_SIZE];
};

__attribute__((format(printf, 2, 3))) static void add(struct pieces *pieces, const char *format,
						      ...)
{
	char piece[PIECE_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(piece, sizeof(piece), format, args);
	va_end(args);
	size_t width = cells_width(piece);
	size_t len = strlen(piece);
	bool fits = width <= pieces->width && len < sizeof(pieces->text) - pieces->len;
	if (!fits && pieces->len > 0) {
		pieces->width = 0; /* nor anything that comes after */
		return;
	}
	memcpy(pieces->text + pieces->len, piece, len + 1);
	pieces->len += len;
	pieces->width -= fits ? width : pieces->width;
}

static void draw_scope(const struct canvas *canvas, const struct top_rows *rows,
		       const struct top_view *view, const struct top_words *words)
{
	struct pieces line = {.width = width_of(canvas)};
	size_t shown = top_draw_rows(canvas->height), width = cells_width(words->scope);
	char scope[PIECE_SIZE / 2];

	if (width > line.width / SCOPE_PART)
		width = line.width / SCOPE_PART;
	cells_fit(words->scope, width, scope, sizeof(scope));
	add(&line, "top: %zu VM%s", rows->live, rows->live == 1 ? "" : "s");
	if (rows->count > shown && shown > 0 && !view->help)
		add(&line, " (%zu-%zu)", view->first + 1,
		    view->first + shown < rows->count ? view->first + shown : rows->count);
	add(&line, " of %s", scope);
	add(&line, ", %s", words->time);
	add(&line, ", every %d s", top_view_delay_s(view));
	if (*rows->sampled)
		add(&line, ", as of %.8s", rows->sampled + strlen("2026-11-22T"));
	put(canvas, LINE_SCOPE, CANVAS_PLAIN, line.text);
}

static void draw_totals(const struct canvas *canvas, const struct top_rows *rows)
{
	struct pieces line = {.width = width_of(canvas)};
	char text[TOP_VALUES][UNITS_SIZE];

	for (enum top_value value = 0; value < TOP_VALUES; value++)
		units_bytes(rows->total[value], text[value]);
	units_percent(rows->total[TOP_CPU], text[TOP_CPU]);
	add(&line, "CPU %s%s", text[TOP_CPU], rows->total[TOP_CPU] >= 0 ? "%" : "");
	add(&line, ", memory %s of %s", text[TOP_RESIDENT], text[TOP_GRANTED]);
	if (rows->total[TOP_RECEIVED] >= 0)
		add(&line, ", in %s/s, out %s/s", text[TOP_RECEIVED], text[TOP_SENT]);
	if (rows->total[TOP_READ] >= 0)
		add(&line, ", read %s/s, write %s/s", text[TOP_READ], text[TOP_WRITTEN]);
	put(canvas, LINE_TOTALS, CANVAS_PLAIN, line.text);
}

static void draw_titles(const struct canvas *canvas, const struct top_layout *layout,
			enum top_sort sort)
{
	struct top_title title;

	for (size_t n = 0; n <= layout->ncolumns && LINE_TITLES < canvas->height; n++) {
		top_layout_title(layout, n, sort, &title);
		canvas->put(canvas->arg, LINE_TITLES, title.at,
			    title.sorted ? CANVAS_SORTED : CANVAS_TITLE, title.text);
	}
}

static void draw_rows(const struct canvas *canvas, const struct top_layout *layout,
		      const struct top_rows *rows, size_t first)
{
	char text[TOP_LINE_SIZE];

	if (rows->count == 0)
		put(canvas, LINE_ROWS, CANVAS_FAINT, "no VMs");
	for (size_t i = 0; i < top_draw_rows(canvas->height) && first + i < rows->count; i++) {
		const struct top_row *row = &rows->row[first + i];
		top_layout_row(layout, row, text);
		canvas->put(canvas->arg, LINE_ROWS + i, 0, row->ended ? CANVAS_FAINT : CANVAS_PLAIN,
			    text);
	}
}

static void draw_help(const struct canvas *canvas)
{
	for (size_t i = 0; i < sizeof(help) / sizeof(help[0]); i++)
		put(canvas, LINE_ROWS + i, CANVAS_PLAIN, help[i]);
}

void top_draw(const struct canvas *canvas, const struct top_rows *rows, const struct top_view *view,
	      const struct top_words *words)
{
	struct top_layout layout;

	top_layout_make(&layout, canvas->width, view->sort);
	draw_scope(canvas, rows, view, words);
	if (words->problem)
		put(canvas, LINE_TOTALS, CANVAS_FAILED, words->problem);
	else
		draw_totals(canvas, rows);
	draw_titles(canvas, &layout, view->sort);
	if (view->help)
		draw_help(canvas);
	else
		draw_rows(canvas, &layout, rows, view->first);
}
