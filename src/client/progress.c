/*
 * A progress line on stderr.
 */
#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define SHOW_AFTER_MS 500
#define COLUMNS	      80 /* of a terminal that does not say */
#define LINE_SIZE     256

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

/* All of a line but its last column, at which terminals wrap. */
static int width(void)
{
	struct winsize size;
	int columns = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;

	return (columns > 1 ? columns : COLUMNS) - 1;
}

static void numbers(const struct progress *progress, uint64_t done, int64_t ms, char *out,
		    size_t size)
{
	double rate = megabytes(done) * 1000 / (double)ms;

	if (progress->total == 0)
		snprintf(out, size, "%.1f MB, %.1f MB/s", megabytes(done), rate);
	else
		snprintf(out, size, "%.1f MB, %u%% of %.1f MB, %.1f MB/s", megabytes(done),
			 (unsigned)((double)done * 100 / (double)progress->total),
			 megabytes(progress->total), rate);
}

void progress_show(struct progress *progress, uint64_t done)
{
	int64_t now = clock_ms();
	char line[LINE_SIZE];
	int columns = width(), title;

	if (!progress_due(progress) || now - progress->shown_ms < PROGRESS_EVERY_MS)
		return;
	if (progress->total > 0 && done > progress->total)
		done = progress->total;
	title = snprintf(line, sizeof(line) / 2, "%s: ", progress->what);
	if (title < 0 || (size_t)title >= sizeof(line) / 2)
		title = 0;
	numbers(progress, done, now - progress->started_ms, line + title,
		sizeof(line) - (size_t)title);
	/* Where there is no room for both, the numbers. */
	if (strlen(line) <= (size_t)columns)
		title = 0;
	fprintf(stderr, "\r%-*.*s", columns, columns, line + title);
	fflush(stderr);
	progress->shown_ms = now;
	progress->shown = true;
}

void progress_end(struct progress *progress)
{
	if (progress->shown)
		fprintf(stderr, "\r%*s\r", width(), "");
	progress->shown = false;
}
