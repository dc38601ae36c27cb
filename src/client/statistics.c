/*
 * Statistics as lines, each made of facts in a row of a table.
 */
#include "statistics.h"

#include "units.h"

/* How a number is written. */
enum fact_kind {
	FACT_COUNT,   /* 17 */
	FACT_RATE,    /* 1.2: of what, the words say */
	FACT_PER_S,   /* 1.2/s */
	FACT_SECONDS, /* 12.3 s */
	FACT_AGE,     /* 3h02m */
	FACT_SIZE,    /* 1.2 MB */
	FACT_SIZE_PER_S,
	FACT_PERCENT, /* 12.3 % */
	FACT_TEXT,
	FACT_TIME,
	FACT_CPU, /* seconds, of both parts */
	FACT_END, /* none: the line ends with the words */
};

/* Words, then KEY of the VM's GROUP. */
struct fact {
	const char *words;
	enum fact_kind kind;
	const char *group, *key;
};

double statistics_number(const json_t *vm, const char *group, const char *key)
{
	const json_t *of = group ? json_object_get(vm, group) : vm;
	const json_t *number = json_object_get(of, key);
	double value = json_number_value(number);

	return json_is_number(number) && value >= 0 ? value : UNITS_NONE;
}

double statistics_taps(const json_t *vm, const char *key)
{
	const json_t *taps = json_object_get(vm, "network");
	double sum = json_is_array(taps) && json_array_size(taps) == 0 ? 0 : UNITS_NONE;
	size_t i;
	json_t *tap;

	json_array_foreach(taps, i, tap)
	{
		double value = statistics_number(tap, NULL, key);
		if (value >= 0)
			sum = value + (sum >= 0 ? sum : 0);
	}
	return sum;
}

static double cpu_seconds(const json_t *vm)
{
	double user = statistics_number(vm, "cpu", "user_seconds");
	double system = statistics_number(vm, "cpu", "system_seconds");

	return user >= 0 && system >= 0 ? user + system : UNITS_NONE;
}

static void number_print(const struct output *output, enum fact_kind kind, double value)
{
	char text[UNITS_SIZE];

	switch (kind) {
	case FACT_SIZE:
	case FACT_SIZE_PER_S:
		units_size(value, text);
		fprintf(output->to, "%s%s", text, kind == FACT_SIZE ? "" : "/s");
		break;
	case FACT_AGE:
		units_age(value, text);
		fputs(text, output->to);
		break;
	case FACT_PERCENT:
		units_percent(value, text);
		fprintf(output->to, "%s %%", text);
		break;
	case FACT_COUNT:
		fprintf(output->to, "%.0f", value);
		break;
	case FACT_RATE:
		fprintf(output->to, "%.1f", value);
		break;
	case FACT_PER_S:
		fprintf(output->to, "%.1f/s", value);
		break;
	default:
		fprintf(output->to, "%.1f s", value);
	}
}

static void text_print(const struct output *output, enum fact_kind kind, const json_t *value)
{
	const char *text = json_string_value(value);

	if (!text)
		fputc('-', output->to);
	else if (kind == FACT_TIME)
		format_time(output, text);
	else
		output_text(output, text);
}

static double fact_number(const struct fact *fact, const json_t *object)
{
	return fact->kind == FACT_CPU ? cpu_seconds(object)
				      : statistics_number(object, fact->group, fact->key);
}

static void fact_print(const struct output *output, const struct fact *fact, const json_t *object)
{
	fputs(fact->words, output->to);
	if (fact->kind == FACT_TEXT || fact->kind == FACT_TIME)
		text_print(output, fact->kind, json_object_get(object, fact->key));
	else if (fact_number(fact, object) >= 0)
		number_print(output, fact->kind, fact_number(fact, object));
	else
		fputc('-', output->to);
}

/* NAME's line of the FACTS of OBJECT; where the next line's facts start. */
static const struct fact *line_print(const struct output *output, const char *name,
				     const struct fact *fact, const json_t *object)
{
	fputs("statistics ", output->to);
	output_styled(output, STYLE_NAME, name);
	fputs(": ", output->to);
	for (; fact->kind != FACT_END; fact++)
		fact_print(output, fact, object);
	fprintf(output->to, "%s\n", fact->words);
	return fact + 1;
}

static const struct fact facts_above[] = {
    {"pid ", FACT_COUNT, NULL, "pid"},
    {", cpuid ", FACT_COUNT, NULL, "cpuid"},
    {", memory ", FACT_COUNT, NULL, "memory_mb"},
    {" MB, ", FACT_TEXT, NULL, "target"},
    {", up ", FACT_AGE, NULL, "uptime_seconds"},
    {" since ", FACT_TIME, NULL, "started"},
    {"", FACT_END},
    {"read ", FACT_TIME, NULL, "sampled"},
    {", the one before it ", FACT_SECONDS, NULL, "interval_seconds"},
    {" earlier", FACT_END},
    {"cpu ", FACT_CPU},
    {" (user ", FACT_SECONDS, "cpu", "user_seconds"},
    {", system ", FACT_SECONDS, "cpu", "system_seconds"},
    {"), ", FACT_PERCENT, "rates", "cpu"},
    {" since the one before", FACT_END},
    {"memory ", FACT_SIZE, "memory", "resident_bytes"},
    {" resident, ", FACT_SIZE, "memory", "shared_bytes"},
    {" of it shared, ", FACT_SIZE, "memory", "peak_bytes"},
    {" at most", FACT_END},
    {"faults ", FACT_COUNT, "faults", "minor"},
    {" minor (", FACT_PER_S, "rates", "minor_faults"},
    {"), ", FACT_COUNT, "faults", "major"},
    {" major (", FACT_PER_S, "rates", "major_faults"},
    {")", FACT_END},
    {"switches ", FACT_COUNT, "switches", "voluntary"},
    {" voluntary (", FACT_PER_S, "rates", "voluntary_switches"},
    {"), ", FACT_COUNT, "switches", "involuntary"},
    {" involuntary (", FACT_PER_S, "rates", "involuntary_switches"},
    {")", FACT_END},
    {"block ", FACT_SIZE, "block", "read_bytes"},
    {" read (", FACT_SIZE_PER_S, "rates", "block_read_bytes"},
    {"), ", FACT_SIZE, "block", "written_bytes"},
    {" written (", FACT_SIZE_PER_S, "rates", "block_written_bytes"},
    {")", FACT_END},
    {NULL},
};

/* Of a tap. */
static const struct fact facts_tap[] = {
    {"network ", FACT_TEXT, NULL, "name"},
    {" (device ", FACT_TEXT, NULL, "device"},
    {", bridge ", FACT_TEXT, NULL, "bridge"},
    {") ", FACT_SIZE, NULL, "received_bytes"},
    {" received in ", FACT_COUNT, NULL, "received_packets"},
    {" packets, ", FACT_SIZE, NULL, "sent_bytes"},
    {" sent in ", FACT_COUNT, NULL, "sent_packets"},
    {", ", FACT_COUNT, NULL, "dropped"},
    {" dropped", FACT_END},
    {NULL},
};

static const struct fact facts_below[] = {
    {"network together ", FACT_SIZE_PER_S, "rates", "received_bytes"},
    {" and ", FACT_RATE, "rates", "received_packets"},
    {" packets/s received, ", FACT_SIZE_PER_S, "rates", "sent_bytes"},
    {" and ", FACT_RATE, "rates", "sent_packets"},
    {" packets/s sent, ", FACT_PER_S, "rates", "dropped"},
    {" dropped", FACT_END},
    {"console ", FACT_SIZE, "console", "bytes"},
    {" (", FACT_SIZE_PER_S, "rates", "console_bytes"},
    {"), ", FACT_COUNT, "console", "lost_lines"},
    {" lines lost", FACT_END},
    {"kvm ", FACT_COUNT, "kvm", "exits"},
    {" exits (", FACT_PER_S, "rates", "kvm_exits"},
    {")", FACT_END},
    {NULL},
};

static void facts_print(const struct output *output, const char *name, const struct fact *fact,
			const json_t *object)
{
	while (fact->words)
		fact = line_print(output, name, fact, object);
}

void format_statistics(const struct output *output, const struct names *names, const json_t *vm)
{
	const char *path = json_string_value(json_object_get(vm, "path"));
	const char *label = json_string_value(json_object_get(vm, "label"));
	char name[NAMES_PATH_SIZE];
	size_t i;
	json_t *tap;

	names_show(names, path ? path : "?", label ? label : "", name);
	facts_print(output, name, facts_above, vm);
	json_array_foreach(json_object_get(vm, "network"), i, tap)
	{
		facts_print(output, name, facts_tap, tap);
	}
	facts_print(output, name, facts_below, vm);
}
