/*
 * Quotas as aligned lines. A cell is written twice: to see how wide it is, and in its place.
 */
#include "quota.h"

#include <stdlib.h>
#include <string.h>

#include "utf8.h"

struct table {
	const struct output *output;
	const struct names *names;
};

/* Columns of numbers: the key, what follows the number that is granted. */
static const struct amount {
	const char *key, *unit;
} amounts[] = {{"vms", " VMs"}, {"memory_mb", " MB memory"}, {"block_mb", " MB block"}};
/* The name's, then theirs. */
#define CELLS	   (1 + sizeof(amounts) / sizeof(amounts[0]))
#define CELL_SPACE 2 /* at least, between them */

static bool is_at(const json_t *level, const char *relation)
{
	const char *text = json_string_value(json_object_get(level, "relation"));
	return text && strcmp(text, relation) == 0;
}

/* Whose turn it is. */
static int rank_of(const json_t *level)
{
	return is_at(level, "own") ? 0 : is_at(level, "below") ? 1 : 2;
}

/* By path, what is below a name before the next one. */
static int path_order(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	int left = *a == '/' ? 1 : (unsigned char)*a, right = *b == '/' ? 1 : (unsigned char)*b;
	return left - right;
}

static int level_order(const void *a, const void *b)
{
	const json_t *one = *(json_t *const *)a, *other = *(json_t *const *)b;
	const char *path = json_string_value(json_object_get(one, "path"));
	const char *other_path = json_string_value(json_object_get(other, "path"));
	int order = rank_of(one) - rank_of(other);

	return order ? order : path_order(path ? path : "", other_path ? other_path : "");
}

static void name_print(const struct output *to, const struct names *names, const json_t *level)
{
	const char *name = json_string_value(json_object_get(level, "name"));
	const char *path = json_string_value(json_object_get(level, "path"));
	const char *label = json_string_value(json_object_get(level, "label"));
	char shown[NAMES_PATH_SIZE];

	if (path && label && is_at(level, "below")) {
		names_show(names, path, label, shown);
		name = shown;
	}
	fputs("quota ", to->to);
	output_styled(to, STYLE_NAME, name && *name ? name : "this host");
	fputs(is_at(level, "above") ? " (above):" : ":", to->to);
}

static void number_print(const struct output *to, const json_t *numbers, const char *key)
{
	const json_t *number = json_object_get(numbers, key);

	if (json_is_null(number)) /* the host has no such limit */
		fputs("any", to->to);
	else if (!json_is_integer(number))
		fputc('?', to->to);
	else
		fprintf(to->to, "%" JSON_INTEGER_FORMAT, json_integer_value(number));
}

static void amount_print(const struct output *to, const json_t *level, const struct amount *amount)
{
	const json_t *used = json_object_get(level, "used");

	if (used) {
		number_print(to, used, amount->key);
		fputs(" of ", to->to);
	}
	number_print(to, json_object_get(level, "granted"), amount->key);
	fputs(amount->unit, to->to);
	if (used) {
		fputs(", ", to->to);
		number_print(to, json_object_get(level, "free"), amount->key);
		fputs(" free", to->to);
	}
}

static void cell_print(const struct table *table, const struct output *to, const json_t *level,
		       size_t cell)
{
	if (cell == 0)
		name_print(to, table->names, level);
	else
		amount_print(to, level, &amounts[cell - 1]);
}

/* Characters; that some are wider than others is not known here. */
static size_t cell_width(const struct table *table, const json_t *level, size_t cell)
{
	char *text = NULL;
	size_t size = 0, at = 0, width = 0;
	struct output to = *table->output;

	to.to = open_memstream(&text, &size);
	if (!to.to)
		return 0;
	to.colour = false;
	cell_print(table, &to, level, cell);
	fclose(to.to);
	while (at < size && utf8_next(text, size, &at) >= 0)
		width++;
	free(text);
	return width;
}

/* "0-3, 7" */
static void cpus_print(const struct output *to, const json_t *cpus)
{
	size_t count = json_array_size(cpus);

	fputs(count == 0 ? "no CPU" : count == 1 ? "CPU " : "CPUs ", to->to);
	for (size_t i = 0; i < count; i++) {
		json_int_t first = json_integer_value(json_array_get(cpus, i)), last = first;
		fprintf(to->to, "%s%" JSON_INTEGER_FORMAT, i > 0 ? ", " : "", first);
		while (i + 1 < count &&
		       json_integer_value(json_array_get(cpus, i + 1)) == last + 1) {
			last++;
			i++;
		}
		if (last > first)
			fprintf(to->to, "-%" JSON_INTEGER_FORMAT, last);
	}
}

static void bridges_print(const struct output *to, const json_t *bridges)
{
	size_t i;
	json_t *bridge;

	json_array_foreach(bridges, i, bridge)
	{
		const char *text = json_string_value(bridge);
		fputs(i > 0				 ? ", "
		      : i + 1 < json_array_size(bridges) ? "  bridges "
							 : "  bridge ",
		      to->to);
		output_text(to, text ? text : "?");
	}
}

static void level_print(const struct table *table, const json_t *level, const size_t width[CELLS])
{
	const struct output *to = table->output;
	const json_t *granted = json_object_get(level, "granted");

	for (size_t cell = 0; cell < CELLS; cell++) {
		size_t left = width[cell] - cell_width(table, level, cell);
		cell_print(table, to, level, cell);
		fprintf(to->to, "%*s", (int)(left + CELL_SPACE), "");
	}
	cpus_print(to, json_object_get(granted, "cpuids"));
	bridges_print(to, json_object_get(granted, "bridges"));
	fputc('\n', to->to);
}

bool format_quota(const struct output *output, const struct names *names, const json_t *levels)
{
	const struct table table = {.output = output, .names = names};
	size_t width[CELLS] = {0}, count = json_array_size(levels);
	const json_t **sorted = calloc(count + 1, sizeof(const json_t *));

	if (!sorted)
		return false;
	for (size_t i = 0; i < count; i++) {
		sorted[i] = json_array_get(levels, i);
		for (size_t cell = 0; cell < CELLS; cell++) {
			size_t wide = cell_width(&table, sorted[i], cell);
			width[cell] = wide > width[cell] ? wide : width[cell];
		}
	}
	qsort(sorted, count, sizeof(const json_t *), level_order);
	for (size_t i = 0; i < count; i++)
		level_print(&table, sorted[i], width);
	free(sorted);
	return true;
}
