/*
 * Rows of top: read, compared with the ones before, summed, sorted.
 */
#include "top_rows.h"

#include <stdlib.h>
#include <string.h>

#include "statistics.h"
#include "units.h"

/* Where a number is in the JSON, and what it is there in. */
static const struct {
	const char *group, *key;
	double unit;
} sources[TOP_VALUES] = {
    [TOP_AGE] = {NULL, "uptime_seconds", 1},
    [TOP_CPU] = {"rates", "cpu", 1},
    [TOP_RESIDENT] = {"memory", "resident_bytes", 1},
    [TOP_GRANTED] = {NULL, "memory_mb", 1 << 20},
    [TOP_RECEIVED] = {"rates", "received_bytes", 1},
    [TOP_SENT] = {"rates", "sent_bytes", 1},
    [TOP_READ] = {"rates", "block_read_bytes", 1},
    [TOP_WRITTEN] = {"rates", "block_written_bytes", 1},
    [TOP_CONSOLE] = {"rates", "console_bytes", 1},
};

static double sum(double a, double b)
{
	return a < 0 ? b : b < 0 ? a : a + b;
}

static void row_free(struct top_row *row)
{
	free(row->path);
	free(row->name);
}

static bool row_read(struct top_row *row, const json_t *vm, const struct names *names,
		     const struct output *output)
{
	const char *path = json_string_value(json_object_get(vm, "path"));
	const char *label = json_string_value(json_object_get(vm, "label"));
	char shown[NAMES_PATH_SIZE];

	names_show(names, path ? path : "?", label ? label : "", shown);
	*row = (struct top_row){.path = strdup(path ? path : "?"),
				.name = output_escaped(output, shown)};
	for (size_t i = 0; i < TOP_VALUES; i++) {
		double value = sources[i].key
				   ? statistics_number(vm, sources[i].group, sources[i].key)
				   : statistics_taps(vm, "dropped");
		row->value[i] = value >= 0 && sources[i].key ? value * sources[i].unit : value;
	}
	return row->path && row->name;
}

/* Whoever was live and is not in PATHS has ended; told once. */
static bool row_end(struct top_row *row, const struct top_row *before, const json_t *paths)
{
	if (before->ended || json_object_get(paths, before->path))
		return false;
	*row = (struct top_row){
	    .path = strdup(before->path), .name = strdup(before->name), .ended = true};
	for (size_t i = 0; i < TOP_VALUES; i++)
		row->value[i] = UNITS_NONE;
	return true;
}

/* RFC 3339 in UTC sorts as text. */
static void newest(struct top_rows *rows, const json_t *vm)
{
	const char *sampled = json_string_value(json_object_get(vm, "sampled"));

	if (sampled && strlen(sampled) >= strlen("2026-11-22T16:09:52") &&
	    strlen(sampled) < sizeof(rows->sampled) && strcmp(sampled, rows->sampled) > 0)
		memcpy(rows->sampled, sampled, strlen(sampled) + 1);
}

static void row_add(struct top_rows *rows, const json_t *vm)
{
	const struct top_row *row = &rows->row[rows->count++];

	rows->live++;
	newest(rows, vm);
	for (size_t i = 0; i < TOP_VALUES; i++)
		rows->total[i] = sum(rows->total[i], row->value[i]);
}

/* Those of LIST, into ROWS, which has room; the paths of them into PATHS. */
static bool list_read(struct top_rows *rows, const json_t *list, const struct names *names,
		      const struct output *output, json_t *paths)
{
	size_t i;
	json_t *vm;

	json_array_foreach(list, i, vm)
	{
		struct top_row *row = &rows->row[rows->count];
		if (!row_read(row, vm, names, output)) {
			row_free(row);
			return false;
		}
		row_add(rows, vm);
		json_object_set_new_nocheck(paths, row->path, json_true());
	}
	return true;
}

bool top_rows_take(struct top_rows *rows, const json_t *list, const struct names *names,
		   const struct output *output)
{
	struct top_rows taken = {
	    .row = calloc(json_array_size(list) + rows->live + 1, sizeof(*taken.row))};
	json_t *paths = json_object();

	for (size_t i = 0; i < TOP_VALUES; i++)
		taken.total[i] = UNITS_NONE;
	if (!taken.row || !paths || !list_read(&taken, list, names, output, paths)) {
		json_decref(paths);
		top_rows_free(&taken);
		return false;
	}
	for (size_t i = 0; i < rows->count; i++)
		if (row_end(&taken.row[taken.count], &rows->row[i], paths))
			taken.count++;
	json_decref(paths);
	top_rows_free(rows);
	*rows = taken;
	return true;
}

void top_rows_free(struct top_rows *rows)
{
	for (size_t i = 0; i < rows->count; i++)
		row_free(&rows->row[i]);
	free(rows->row);
	*rows = (struct top_rows){0};
}

/* What a row is sorted by, but its name. */
static double weight(const struct top_row *row, enum top_sort by)
{
	static const enum top_value first[SORTS] = {
	    [SORT_AGE] = TOP_AGE,	    [SORT_CPU] = TOP_CPU,
	    [SORT_RESIDENT] = TOP_RESIDENT, [SORT_GRANTED] = TOP_GRANTED,
	    [SORT_NETWORK] = TOP_RECEIVED,  [SORT_BLOCK] = TOP_READ,
	    [SORT_CONSOLE] = TOP_CONSOLE,   [SORT_DROPPED] = TOP_DROPPED,
	};
	double value = row->value[first[by]];

	if (by == SORT_NETWORK)
		return sum(value, row->value[TOP_SENT]);
	if (by == SORT_BLOCK)
		return sum(value, row->value[TOP_WRITTEN]);
	return value;
}

struct order {
	enum top_sort by;
	int sign;
};

static int row_order(const void *a, const void *b, void *arg)
{
	const struct top_row *one = a, *other = b;
	const struct order *order = arg;
	int names = strcmp(one->name, other->name);

	if (names == 0)
		names = strcmp(one->path, other->path);
	if (order->by == SORT_NAME)
		return order->sign * names;
	double left = weight(one, order->by), right = weight(other, order->by);
	if (left == right)
		return names;
	if (left < 0 || right < 0)
		return left < 0 ? 1 : -1;
	return order->sign * (left > right ? -1 : 1);
}

void top_rows_sort(struct top_rows *rows, enum top_sort by, bool reverse)
{
	struct order order = {by, reverse ? -1 : 1};

	qsort_r(rows->row, rows->count, sizeof(*rows->row), row_order, &order);
}
