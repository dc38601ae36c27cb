/*
 * How far something long is: bytes, percent and rate in one line on a terminal, never wider than
 * that, which is rewritten and then cleared. Nothing at all elsewhere, or when it does not take
 * long.
 */
#ifndef VMM_PROGRESS_H
#define VMM_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#define PROGRESS_EVERY_MS 200 /* shown at most so often: call it at least so often */

struct progress {
	const char *what;
	uint64_t total; /* bytes; 0: not known (yet) */
	int64_t started_ms, shown_ms;
	bool terminal, shown;
};

void progress_start(struct progress *progress, const char *what, uint64_t total);
/* Whether there is anything to show yet. */
bool progress_due(const struct progress *progress);
void progress_show(struct progress *progress, uint64_t done);
void progress_end(struct progress *progress);
/* Milliseconds of a clock that is never set. */
int64_t clock_ms(void);

#endif
