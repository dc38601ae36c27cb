/*
 * A screen of top, line by line, onto whatever shows it. Pure.
 */
#ifndef VMM_TOP_DRAW_H
#define VMM_TOP_DRAW_H

#include "top_layout.h"
#include "top_view.h"

enum canvas_style { CANVAS_PLAIN, CANVAS_TITLE, CANVAS_SORTED, CANVAS_FAINT, CANVAS_FAILED };

/* Where it is drawn: cells, numbered from 0. PUT gets text that does not go past the width, and is
 * never called twice for a cell. */
struct canvas {
	size_t width, height;
	void (*put)(void *arg, size_t line, size_t at, enum canvas_style style, const char *text);
	void *arg;
};

/* What is said besides of the rows. */
struct top_words {
	const char *scope;   /* whose VMs: a name, escaped */
	const char *time;    /* now, "HH:MM:SS UTC" */
	const char *problem; /* why there is nothing newer; NULL: there is */
};

/* How many rows fit into HEIGHT lines. */
size_t top_draw_rows(size_t height);
/* All of it; the canvas is empty. ROWS are sorted. */
void top_draw(const struct canvas *canvas, const struct top_rows *rows, const struct top_view *view,
	      const struct top_words *words);

#endif
