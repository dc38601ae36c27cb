/*
 * Text by the cells that a terminal shows it in, as the locale's wcwidth has them. Pure. A
 * character without a width of its own (a tab, what is assigned to nothing) counts, and is written,
 * as '?': what is written never moves what stands behind it.
 */
#ifndef VMM_CELLS_H
#define VMM_CELLS_H

#include <stddef.h>

size_t cells_width(const char *text);
/*
 * TEXT in exactly WIDTH cells, into OUT of SIZE bytes: filled up with blanks, or cut, at whole
 * characters, with '~' as the last. Cut shorter where SIZE is too small.
 */
void cells_fit(const char *text, size_t width, char *out, size_t size);

#endif
