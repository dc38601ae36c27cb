/* Request targets. Pure. */
#include "query.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte at *RAW, moved past it; -1 when a '%' is not followed by two hex digits. */
static int byte_decode(const char **raw)
{
	int high, low;

	if (**raw != '%')
		return (unsigned char)*(*raw)++;
	high = hex_digit((*raw)[1]);
	low = high < 0 ? -1 : hex_digit((*raw)[2]);
	if (low < 0)
		return -1;
	*raw += 3;
	return high << 4 | low;
}

/*
 * Decodes *RAW up to one of STOP or the end into TARGET->text at *USED, as a string. NULL or what
 * is wrong.
 */
static const char *text_decode(struct target *target, size_t *used, const char **raw,
			       const char *stop, bool slash_allowed)
{
	size_t start = *used;

	while (**raw != '\0' && !strchr(stop, **raw)) {
		int byte = byte_decode(raw);

		if (byte < 0)
			return "a % in the path is followed by two hex digits";
		if (byte < 0x20 || byte == 0x7f)
			return "the path holds a control character";
		if (byte == '/' && !slash_allowed)
			return "a name in the path holds a '/'";
		if (*used + 2 > sizeof(target->text))
			return "the path is too long";
		target->text[(*used)++] = (char)byte;
	}
	if (!utf8_valid(target->text + start, *used - start))
		return "the path is not UTF-8";
	if (*used >= sizeof(target->text))
		return "the path is too long";
	target->text[(*used)++] = '\0';
	return NULL;
}

static const char *components_parse(struct target *target, size_t *used, const char **raw)
{
	while (**raw == '/') {
		const char *start = target->text + *used, *problem;

		++*raw;
		problem = text_decode(target, used, raw, "/?", false);
		if (problem)
			return problem;
		if (*start == '\0') /* "/" alone is the root; elsewhere nothing may be empty */
			return target->ncomponents == 0 && (**raw == '\0' || **raw == '?')
				   ? NULL
				   : "a name in the path is empty";
		if (target->ncomponents == TARGET_COMPONENTS_MAX)
			return "the path is too deep";
		target->component[target->ncomponents++] = start;
	}
	return NULL;
}

static const char *parameter_parse(struct target *target, size_t *used, const char **raw)
{
	struct parameter parameter = {.name = target->text + *used, .value = ""};
	const char *problem = text_decode(target, used, raw, "=&", true);

	if (!problem && **raw == '=') {
		++*raw;
		parameter.value = target->text + *used;
		problem = text_decode(target, used, raw, "&", true);
	}
	if (problem)
		return problem;
	if (*parameter.name == '\0')
		return "a parameter has no name";
	if (target_parameter(target, parameter.name))
		return "a parameter is given twice";
	if (target->nparameters == QUERY_MAX)
		return "there are too many parameters";
	target->parameter[target->nparameters++] = parameter;
	return NULL;
}

const char *target_parse(const char *raw, struct target *out)
{
	const char *problem;
	size_t used = 0;

	out->ncomponents = out->nparameters = 0;
	if (*raw != '/')
		return "the path starts with a '/'";
	problem = components_parse(out, &used, &raw);
	if (problem || *raw == '\0')
		return problem;
	do {
		++raw; /* the '?', then each '&' */
		problem = parameter_parse(out, &used, &raw);
	} while (!problem && *raw == '&');
	return problem;
}

const char *target_parameter(const struct target *target, const char *name)
{
	for (unsigned i = 0; i < target->nparameters; i++) {
		if (!strcmp(target->parameter[i].name, name))
			return target->parameter[i].value;
	}
	return NULL;
}

bool flag_parse(const char *value, bool *out)
{
	*out = *value == '\0' || !strcmp(value, "1") || !strcmp(value, "true");
	return *out || !strcmp(value, "0") || !strcmp(value, "false");
}

bool number_parse(const char *value, uint32_t low, uint32_t high, uint32_t *out)
{
	uint64_t number = 0;

	if (*value == '\0' || strlen(value) > 10)
		return false;
	for (; *value; value++) {
		if (!isdigit((unsigned char)*value))
			return false;
		number = 10 * number + (uint64_t)(*value - '0');
	}
	*out = (uint32_t)number;
	return number >= low && number <= high;
}

bool path_encode(const char *path, char *out, size_t size)
{
	static const char hex[] = "0123456789ABCDEF", plain[] = "/-._~!$&'()*+,;=:@";
	size_t n = 0;

	for (; *path; path++) {
		unsigned char byte = (unsigned char)*path;

		if (n + 4 > size)
			return false;
		if (byte < 0x80 && (isalnum(byte) || strchr(plain, byte))) {
			out[n++] = *path;
			continue;
		}
		out[n++] = '%';
		out[n++] = hex[byte >> 4];
		out[n++] = hex[byte & 15];
	}
	out[n] = '\0';
	return true;
}
