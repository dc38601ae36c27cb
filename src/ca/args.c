/*
 * The command line, see args.h. Knows no command: their tables say what there is.
 */
#include "args.h"

#include <stdio.h>
#include <string.h>

bool number_parse(const char *field, const char *text, uint32_t min, uint32_t max, uint32_t *out,
		  struct refusal *why)
{
	size_t len = strlen(text);
	uint64_t value = 0;

	for (size_t i = 0; i < len && i < 11; i++) {
		if (text[i] < '0' || text[i] > '9')
			len = 0;
		value = value * 10 + (uint64_t)(text[i] - '0');
	}
	if (len == 0 || len > 10 || (text[0] == '0' && len > 1) || value < min || value > max)
		return refusal_say(why, "%s wants a number from %u to %u, not '%.64s'", field, min,
				   max, text);
	*out = (uint32_t)value;
	return true;
}

static const struct option *option_find(const struct option *options, const char *name, size_t len)
{
	for (; options->name != NULL; options++)
		if (strlen(options->name) == len && memcmp(options->name, name, len) == 0)
			return options;
	return NULL;
}

static bool items_add(struct items *items, const char *text, const char *what, struct refusal *why)
{
	if (items->count == ITEMS_MAX)
		return refusal_say(why, "%s: more than %d", what, ITEMS_MAX);
	items->item[items->count++] = text;
	return true;
}

static bool option_set(const struct option *option, const char *value, struct args *out,
		       struct refusal *why)
{
	void *field = (char *)out + option->offset;
	struct number *number = field;
	const char **text = field;
	char what[32];

	snprintf(what, sizeof(what), "--%s", option->name);
	if (option->kind == OPTION_ITEMS)
		return items_add(field, value, what, why);
	if (option->kind == OPTION_NUMBER) {
		if (number->given)
			return refusal_say(why, "%s is given twice", what);
		number->given = true;
		return number_parse(what, value, option->min, option->max, &number->value, why);
	}
	if (*text != NULL)
		return refusal_say(why, "%s is given twice", what);
	*text = value;
	return true;
}

/* ARG is "--name" or "--name=value"; *NEXT, the argument behind it, is moved past a value's. */
static bool option_parse(const struct option *options, const char *arg, char ***next,
			 struct args *out, struct refusal *why)
{
	const char *name = arg + 2, *equals = strchr(name, '=');
	size_t len = equals == NULL ? strlen(name) : (size_t)(equals - name);
	const struct option *option = option_find(options, name, len);

	if (option == NULL)
		return refusal_say(why, "there is no option '%.64s'", arg);
	if (option->kind == OPTION_FLAG) {
		if (equals != NULL)
			return refusal_say(why, "--%s takes no value", option->name);
		*((bool *)out + option->offset) = true;
		return true;
	}
	if (equals != NULL)
		return option_set(option, equals + 1, out, why);
	if (**next == NULL)
		return refusal_say(why, "--%s needs a value, %s", option->name, option->value);
	return option_set(option, *(*next)++, out, why);
}

bool args_parse(const struct option *options, char **argv, struct args *out, struct refusal *why)
{
	bool options_ended = false;

	memset(out, 0, sizeof(*out));
	while (*argv != NULL) {
		const char *arg = *argv++;

		if (options_ended || arg[0] != '-' || arg[1] == '\0') {
			if (!items_add(&out->rest, arg, "arguments", why))
				return false;
		} else if (strcmp(arg, "--") == 0) {
			options_ended = true;
		} else if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0) {
			out->help = true;
		} else if (arg[1] != '-') {
			return refusal_say(why, "there is no option '%.64s'", arg);
		} else if (!option_parse(options, arg, &argv, out, why)) {
			return false;
		}
	}
	return true;
}

void args_help(const struct option *options)
{
	char left[32];

	for (; options->name != NULL; options++) {
		if (options->help == NULL)
			continue;
		snprintf(left, sizeof(left), "--%s%s%s", options->name,
			 options->value == NULL ? "" : " ",
			 options->value == NULL ? "" : options->value);
		printf("  %-26s %s\n", left, options->help);
	}
}
