/*
 * JSON to lines. Everything that came from the server goes through output.h.
 */
#include "format.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "?";
}

/* Whether TEXT looks like PATTERN: '0' stands for a digit. Stops at PATTERN's end. */
static bool looks_like(const char *text, const char *pattern)
{
	for (; *pattern; text++, pattern++) {
		bool digit = *text >= '0' && *text <= '9';
		if (*pattern == '0' ? !digit : *text != *pattern)
			return false;
	}
	return true;
}

static bool is_utc_time(const char *text)
{
	static const char second[] = "0000-00-00T00:00:00";
	if (!looks_like(text, second))
		return false;
	text += sizeof(second) - 1;
	if (*text == '.')
		text += 1 + strspn(text + 1, "0123456789");
	return strcmp(text, "Z") == 0;
}

void format_time(const struct output *output, const char *rfc3339)
{
	if (is_utc_time(rfc3339))
		fprintf(output->to, "%.10s %.8s +00:00", rfc3339, rfc3339 + 11);
	else
		output_text(output, rfc3339);
}

static void format_command(const struct output *output, const json_t *command)
{
	size_t i;
	json_t *word;

	if (json_array_size(command) == 0)
		fputs(" ?", output->to);
	json_array_foreach(command, i, word)
	{
		const char *text = json_string_value(word);
		fputc(' ', output->to);
		output_quoted(output, text ? text : "?");
	}
}

/* KEY of each tap that has it, behind the names of all and WORD. */
static void format_each(const struct output *output, const json_t *taps, const char *word,
			const char *key)
{
	const char *before = word;
	size_t i;
	json_t *tap;

	json_array_foreach(taps, i, tap)
	{
		if (!json_is_string(json_object_get(tap, key)))
			continue;
		fputs(before, output->to);
		output_text(output, text_of(tap, key));
		before = ", ";
	}
}

static void format_taps(const struct output *output, const json_t *taps, bool macs)
{
	size_t i;
	json_t *tap;

	fputs(" taps ", output->to);
	if (json_array_size(taps) == 0)
		fputs("no", output->to);
	json_array_foreach(taps, i, tap)
	{
		fputs(i > 0 ? ", " : "", output->to);
		output_text(output, text_of(tap, "name"));
	}
	if (macs)
		format_each(output, taps, " macs ", "mac");
	format_each(output, taps, " addresses ", "address");
}

/* How something ended, as {"exit":0} or {"signal":9} says. */
static void format_how(const struct output *output, const json_t *how)
{
	const json_t *code = json_object_get(how, "exit");
	const json_t *number = json_object_get(how, "signal");

	if (json_is_integer(code))
		fprintf(output->to, " with exit %" JSON_INTEGER_FORMAT, json_integer_value(code));
	else if (json_is_integer(number))
		fprintf(output->to, " with signal %" JSON_INTEGER_FORMAT,
			json_integer_value(number));
	else
		fputs(", nobody knows how", output->to);
}

/* What takes the taps' place when there is nothing left that could have any; why, where it was not
 * the guest itself. */
static void format_end(const struct output *output, const json_t *vm)
{
	const char *cause = json_string_value(json_object_get(vm, "cause"));

	fputs(" stopped ", output->to);
	format_time(output, text_of(vm, "ended"));
	format_how(output, json_object_get(vm, "end"));
	if (!cause || strcmp(cause, "guest") == 0)
		return;
	fputs(" (", output->to);
	output_text(output, cause);
	fputc(')', output->to);
}

static void vm_print(const struct output *output, const struct names *names, const json_t *vm,
		     bool macs)
{
	const json_t *pid = json_object_get(vm, "pid");
	const char *state = text_of(vm, "state");
	bool ended = strcmp(state, "ended") == 0;
	char name[NAMES_PATH_SIZE];

	names_show(names, text_of(vm, "path"), text_of(vm, "label"), name);
	fputs("info ", output->to);
	output_styled(output, STYLE_NAME, name);
	fputc(':', output->to);
	format_command(output, json_object_get(vm, "command"));
	if (json_is_integer(pid))
		fprintf(output->to, " %" JSON_INTEGER_FORMAT, json_integer_value(pid));
	else if (!ended)
		fputs(" ?", output->to);
	if (ended)
		format_end(output, vm);
	else
		format_taps(output, json_object_get(vm, "taps"), macs);
	if (strcmp(state, "starting") == 0 || strcmp(state, "stopping") == 0)
		fprintf(output->to, " (%s)", state);
	fputc('\n', output->to);
}

void format_vm(const struct output *output, const struct names *names, const json_t *vm)
{
	vm_print(output, names, vm, false);
}

void format_vm_macs(const struct output *output, const struct names *names, const json_t *vm)
{
	vm_print(output, names, vm, true);
}

static void format_mb(const struct output *output, const json_t *number, json_int_t unit)
{
	json_int_t bytes = json_integer_value(number);

	if (json_is_integer(number)) /* what does not fill an MB takes one */
		fprintf(output->to, "%" JSON_INTEGER_FORMAT " MB",
			bytes / unit + (bytes % unit > 0));
	else
		fputs("? MB", output->to);
}

void format_volume(const struct output *output, const struct names *names, const json_t *volume)
{
	const char *vm = json_string_value(json_object_get(volume, "vm"));
	char name[NAMES_PATH_SIZE];

	names_show_volume(names, text_of(volume, "path"), text_of(volume, "label"), name);
	fputs("volume ", output->to);
	output_styled(output, STYLE_NAME, name);
	fputs(": ", output->to);
	format_mb(output, json_object_get(volume, "size_mb"), 1);
	fputs(", ", output->to);
	format_mb(output, json_object_get(volume, "allocated"), 1 << 20);
	fputs(" on disk", output->to);
	fputs(vm ? ", used by " : "", output->to);
	output_text(output, vm ? vm : "");
	fputc('\n', output->to);
}

enum stream_entry stream_entry(const json_t *entry)
{
	static const struct {
		const char *key;
		enum stream_entry kind;
	} kinds[] = {
	    {"line", STREAM_LINE}, {"line_b64", STREAM_LINE}, {"text", STREAM_LINE},
	    {"gap", STREAM_GAP},   {"ended", STREAM_ENDED},   {"detached", STREAM_DETACHED},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (json_object_get(entry, kinds[i].key))
			return kinds[i].kind;
	return STREAM_UNKNOWN;
}

/* Bytes that are no UTF-8 come as base64; what cannot be decoded is shown as it came. */
static void format_base64(const struct output *output, const char *text)
{
	size_t len = strlen(text);
	unsigned char *bytes = malloc(len + 1);
	int size = bytes && len % 4 == 0 && len < 65536
		       ? EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)len)
		       : -1;

	for (size_t i = len; size > 0 && i > 0 && i + 2 > len && text[i - 1] == '='; i--)
		size--;
	if (size >= 0)
		output_bytes(output, (const char *)bytes, (size_t)size);
	else
		output_text(output, text);
	free(bytes);
}

static void format_line(const struct output *output, const json_t *entry)
{
	const json_t *line = json_object_get(entry, "line");

	format_time(output, text_of(entry, "time"));
	fputc(' ', output->to);
	if (json_is_string(line))
		output_bytes(output, json_string_value(line), json_string_length(line));
	else
		format_base64(output, text_of(entry, "line_b64"));
}

/* The server's word for why it ends a stream. */
static void format_reason(const struct output *output, const char *word, const json_t *reason)
{
	const char *text = json_string_value(reason);

	fputs(word, output->to);
	fputs(": ", output->to);
	output_text(output, text ? text : "?");
}

/* A console ends with its VM, or when the server has a reason. */
static void format_ended(const struct output *output, const json_t *ended)
{
	if (json_is_string(ended)) {
		format_reason(output, "ended", ended);
		return;
	}
	fputs("stopped", output->to);
	format_how(output, ended);
}

/* What is no line of a stream; UNIT: what its lines are. */
static void format_turn(const struct output *output, const json_t *entry, const char *unit)
{
	switch (stream_entry(entry)) {
	case STREAM_GAP:
		fprintf(output->to, "gap: %" JSON_INTEGER_FORMAT " %s lost",
			json_integer_value(json_object_get(entry, "gap")), unit);
		break;
	case STREAM_DETACHED:
		format_reason(output, "detached", json_object_get(entry, "detached"));
		break;
	case STREAM_ENDED:
		format_ended(output, json_object_get(entry, "ended"));
		break;
	case STREAM_LINE:
	case STREAM_UNKNOWN:
		fputs("something that this version does not know", output->to);
		break;
	}
}

void format_console(const struct output *output, const char *name, const json_t *entry)
{
	fputs("console ", output->to);
	output_styled(output, STYLE_NAME, name);
	fputs(": ", output->to);
	if (stream_entry(entry) == STREAM_LINE)
		format_line(output, entry);
	else
		format_turn(output, entry, "lines");
	fputc('\n', output->to);
}

/* The server's text starts with the name it has for whom it is about; ours is put in its place. */
static void format_event(const struct output *output, const struct names *names,
			 const json_t *entry)
{
	const char *text = text_of(entry, "text"), *path = text_of(entry, "path");
	size_t len = strlen(path);
	char name[NAMES_PATH_SIZE];

	format_time(output, text_of(entry, "time"));
	fputs(": ", output->to);
	if (len > 0 && strncmp(text, path, len) == 0 && text[len] == ' ') {
		names_show(names, path, text_of(entry, "label"), name);
		output_styled(output, STYLE_NAME, name);
		text += len;
	}
	output_text(output, text);
}

void format_log(const struct output *output, const struct names *names, const json_t *entry)
{
	fputs("log: ", output->to);
	if (stream_entry(entry) == STREAM_LINE)
		format_event(output, names, entry);
	else
		format_turn(output, entry, "entries");
	fputc('\n', output->to);
}

void format_revoked(const struct output *output, const struct names *names, const json_t *ended)
{
	const char *kind = text_of(ended, "kind");
	const char *peer = json_string_value(json_object_get(ended, "peer"));
	char name[NAMES_PATH_SIZE];

	names_show(names, text_of(ended, "path"), text_of(ended, "label"), name);
	fputs("ended ", output->to);
	output_text(output, strcmp(kind, "vm") == 0 ? "VM" : kind);
	fputc(' ', output->to);
	output_styled(output, STYLE_NAME, name);
	fputs(peer ? " " : "", output->to);
	output_text(output, peer ? peer : "");
	fputc('\n', output->to);
}
