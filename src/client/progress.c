/*
 * A progress line on stderr.
 */
#include "progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define SHOW_AFTER_MS 500
#define SHOWN_WIDTH   110 /* a title and three numbers */

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

bool progress_due(const struct progress *progress)
{
	return progress->terminal && clock_ms() - progress->started_ms >= SHOW_AFTER_MS;
}

static double megabytes(uint64_t bytes)
{
	return (double)bytes / (1 << 20);
}

void progress_show(struct progress *progress, uint64_t done)
{
	int64_t now = clock_ms();
	if (!progress_due(progress) || now - progress->shown_ms < PROGRESS_EVERY_MS)
		return;
	if (progress->total > 0 && done > progress->total)
		done = progress->total;
	fprintf(stderr, "\r%s: %.1f MB, ", progress->what, megabytes(done));
	if (progress->total > 0)
		fprintf(stderr, "%u%% of %.1f MB, ",
			(unsigned)((double)done * 100 / (double)progress->total),
			megabytes(progress->total));
	fprintf(stderr, "%.1f MB/s   ",
		megabytes(done) * 1000 / (double)(now - progress->started_ms));
	fflush(stderr);
	progress->shown_ms = now;
	progress->shown = true;
}

void progress_end(struct progress *progress)
{
	if (progress->shown)
		fprintf(stderr, "\r%*s\r", SHOWN_WIDTH, "");
	progress->shown = false;
}
