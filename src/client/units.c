/*
 * Numbers in few cells: three digits and a letter.
 */
#include "units.h"

#include <stdbool.h>
#include <stdio.h>

#define DIGITS_LIMIT 999.5 /* from here on it would be rounded to four digits */
#define PREFIX_LAST  6
#define AGE_MAX	     (20000 * 86400) /* seconds: what is older is shown as that old */

static const char *const prefixes[PREFIX_LAST + 1] = {"", "K", "M", "G", "T", "P", "E"};

/* Whether VALUE is not there; then OUT says so. */
static bool is_none(double value, char out[UNITS_SIZE])
{
	if (value >= 0)
		return false;
	snprintf(out, UNITS_SIZE, "-");
	return true;
}

/* VALUE in its prefix, between SPACE and UNIT. What is beyond the last one is shown as its end. */
static void scaled(double value, double base, const char *space, const char *unit,
		   char out[UNITS_SIZE])
{
	size_t prefix = 0;

	while (value >= DIGITS_LIMIT && prefix < PREFIX_LAST) {
		value /= base;
		prefix++;
	}
	if (value >= DIGITS_LIMIT)
		value = DIGITS_LIMIT - 1;
	bool whole = prefix == 0 && value == (double)(int)value;
	snprintf(out, UNITS_SIZE, "%.*f%s%s%s", whole || value >= 9.95 ? 0 : 1, value, space,
		 prefixes[prefix], unit);
}

void units_bytes(double bytes, char out[UNITS_SIZE])
{
	if (!is_none(bytes, out))
		scaled(bytes, 1024, "", "", out);
}

void units_count(double count, char out[UNITS_SIZE])
{
	if (!is_none(count, out))
		scaled(count, 1000, "", "", out);
}

void units_percent(double part, char out[UNITS_SIZE])
{
	double percent = part * 100;

	if (is_none(part, out))
		return;
	if (percent >= 99999)
		percent = 99999;
	snprintf(out, UNITS_SIZE, "%.*f", percent >= 99.95 ? 0 : 1, percent);
}

/* The last pair of units in which the larger one has at most LIMIT of itself. */
static const struct {
	int seconds, limit; /* of the larger one */
	char larger, smaller;
	int smaller_seconds;
} pairs[] = {
    {60, 60, 'm', 's', 1},
    {3600, 24, 'h', 'm', 60},
    {86400, 100, 'd', 'h', 3600},
};

void units_age(double seconds, char out[UNITS_SIZE])
{
	if (is_none(seconds, out))
		return;
	int age = seconds < AGE_MAX ? (int)seconds : AGE_MAX;
	if (age < 60) {
		snprintf(out, UNITS_SIZE, "%ds", age);
		return;
	}
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (age / pairs[i].seconds < pairs[i].limit) {
			snprintf(out, UNITS_SIZE, "%d%c%02d%c", age / pairs[i].seconds,
				 pairs[i].larger, age % pairs[i].seconds / pairs[i].smaller_seconds,
				 pairs[i].smaller);
			return;
		}
	snprintf(out, UNITS_SIZE, "%dd", age / 86400);
}

void units_size(double bytes, char out[UNITS_SIZE])
{
	if (!is_none(bytes, out))
		scaled(bytes, 1024, " ", "B", out);
}
