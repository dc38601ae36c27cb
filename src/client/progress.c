/*
 * A progress line on stderr.
 */
#include "progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define SHOW_AFTER_MS 500

int64_t clock_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void progress_start(struct progress *progress, const char *what, uint64_t total)
{
	*progress = (struct progress){
	    .what = what,
	    .total = total,
	    .started_ms = clock_ms(),
	    .terminal = isatty(STDERR_FILENO),
	};
}

void progress_show(struct progress *progress, uint64_t done)
{
	int64_t now = clock_ms();
	if (!progress->terminal || now - progress->started_ms < SHOW_AFTER_MS ||
	    now - progress->shown_ms < PROGRESS_EVERY_MS)
		return;
	done = done < progress->total ? done : progress->total;
	fprintf(stderr, "\r%s: %3u%% of %.1f MB ", progress->what,
		(unsigned)(done * 100 / progress->total), (double)progress->total / (1 << 20));
	fflush(stderr);
	progress->shown_ms = now;
	progress->shown = true;
}

void progress_end(struct progress *progress)
{
	if (progress->shown)
		fprintf(stderr, "\r%*s\r", 70, "");
	progress->shown = false;
}
