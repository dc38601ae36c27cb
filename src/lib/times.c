/* Times to text and back. Pure. */
#include "times.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MICRO 1000000

static void split(int64_t time_us, struct tm *tm, int *micro)
{
	int64_t rest = time_us % MICRO;
	time_t seconds = (time_t)(time_us / MICRO);

	if (rest < 0) {
		rest += MICRO;
		seconds--;
	}
	if (!gmtime_r(&seconds, tm))
		*tm = (struct tm){.tm_mday = 1, .tm_year = 70};
	*micro = (int)rest;
}

void time_format(int64_t time_us, char *out)
{
	struct tm tm;
	int micro;
	size_t n;

	split(time_us, &tm, &micro);
	n = strftime(out, TIME_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + n, TIME_TEXT_SIZE - n, ".%06dZ", micro);
}

void time_format_plain(int64_t time_us, char *out)
{
	struct tm tm;
	int micro;

	split(time_us, &tm, &micro);
	strftime(out, TIME_TEXT_SIZE, "%Y-%m-%d %H:%M:%S +00:00", &tm);
}

/* N digits at *TEXT, between LOW and HIGH. */
static bool digits(const char **text, int n, int low, int high, int *out)
{
	int value = 0;

	for (int i = 0; i < n; i++) {
		if (!isdigit((unsigned char)**text))
			return false;
		value = 10 * value + (*(*text)++ - '0');
	}
	*out = value;
	return value >= low && value <= high;
}

static bool literal(const char **text, const char *any)
{
	if (**text == '\0' || !strchr(any, **text))
		return false;
	++*text;
	return true;
}

/* ".123456": more digits than six are allowed, and cut. */
static bool fraction(const char **text, int64_t *micro)
{
	int64_t unit = MICRO / 10;

	*micro = 0;
	if (**text != '.')
		return true;
	++*text;
	if (!isdigit((unsigned char)**text))
		return false;
	for (; isdigit((unsigned char)**text); ++*text, unit /= 10)
		*micro += unit * (**text - '0');
	return true;
}

static bool offset(const char **text, int64_t *seconds)
{
	int hours, minutes;
	bool west = **text == '-';

	*seconds = 0;
	if (literal(text, "Zz"))
		return true;
	if (!literal(text, "+-") || !digits(text, 2, 0, 23, &hours) || !literal(text, ":") ||
	    !digits(text, 2, 0, 59, &minutes))
		return false;
	*seconds = (west ? -1 : 1) * (hours * 3600 + minutes * 60);
	return true;
}

static bool rfc3339(const char *text, int64_t *out)
{
	struct tm tm = {0}, back;
	int64_t micro, east;
	time_t seconds;

	if (!digits(&text, 4, 1970, 9999, &tm.tm_year) || !literal(&text, "-") ||
	    !digits(&text, 2, 1, 12, &tm.tm_mon) || !literal(&text, "-") ||
	    !digits(&text, 2, 1, 31, &tm.tm_mday) || !literal(&text, "Tt ") ||
	    !digits(&text, 2, 0, 23, &tm.tm_hour) || !literal(&text, ":") ||
	    !digits(&text, 2, 0, 59, &tm.tm_min) || !literal(&text, ":") ||
	    !digits(&text, 2, 0, 60, &tm.tm_sec) || !fraction(&text, &micro) ||
	    !offset(&text, &east) || *text != '\0')
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	back = tm;
	seconds = timegm(&back);
	if (back.tm_mon != tm.tm_mon) /* the 31st of a month of 30 */
		return false;
	*out = ((int64_t)seconds - east) * MICRO + micro;
	return true;
}

bool time_parse(const char *text, int64_t now_us, int64_t *out)
{
	char *end;
	long long ago;

	if (*text != '-') {
		if (!rfc3339(text, out))
			return false;
	} else {
		if (!isdigit((unsigned char)text[1]) || strlen(text) > 12)
			return false;
		ago = strtoll(text + 1, &end, 10);
		if (strcmp(end, "s") != 0)
			return false;
		*out = now_us - ago * MICRO;
	}
	if (*out < 0)
		*out = 0;
	return true;
}
