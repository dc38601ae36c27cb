/* Lines of the status channel (status_words.h). */
#include "status_words.h"

#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyz"
#define DIGITS	"0123456789"
#define UPPER	"ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* Printable ASCII or a question mark. */
static void take(const char *bytes, size_t n, char out[DETAIL_SIZE])
{
	size_t used = 0;

	for (; used < n && used < DETAIL_SIZE - 1; used++)
		out[used] = bytes[used] >= ' ' && bytes[used] <= '~' ? bytes[used] : '?';
	out[used] = 0;
}

static bool made_of(const char *text, const char *allowed, size_t size)
{
	size_t len = strlen(text);

	return len > 0 && len < size && strspn(text, allowed) == len;
}

/* "K NAME", where both are as they must be. */
static bool parse_device(const char *text, struct status_line *out)
{
	size_t digits = strspn(text, DIGITS);
	uint32_t index = 0;

	if (digits == 0 || digits > 2 || text[digits] != ' ' || (digits == 2 && text[0] == '0'))
		return false;
	for (size_t i = 0; i < digits; i++)
		index = index * 10 + (uint32_t)(text[i] - '0');
	out->index = index;
	memmove(out->text, text + digits + 1, strlen(text + digits + 1) + 1);
	return index < DEVICES_MAX && made_of(out->text, LETTERS UPPER DIGITS, DEVICE_SIZE);
}

static bool parse_target(const char *text, struct status_line *out)
{
	memmove(out->text, text, strlen(text) + 1);
	return made_of(out->text, LETTERS, TARGET_SIZE);
}

static bool parse_error(const char *text, struct status_line *out)
{
	memmove(out->text, text, strlen(text) + 1);
	return true;
}

static bool parse_ready(const char *text, struct status_line *out)
{
	out->text[0] = 0;
	return *text == 0;
}

void status_parse(const char *bytes, size_t n, struct status_line *out)
{
	static const struct {
		const char *prefix;
		enum status_word word;
		bool (*parse)(const char *text, struct status_line *out);
	} words[] = {
	    {"target ", STATUS_TARGET, parse_target}, {"net ", STATUS_NET, parse_device},
	    {"block ", STATUS_BLOCK, parse_device},   {"ready", STATUS_READY, parse_ready},
	    {"error ", STATUS_ERROR, parse_error},
	};

	*out = (struct status_line){.word = STATUS_BAD};
	if (n > 0 && bytes[n - 1] == '\n')
		n--;
	take(bytes, n, out->text);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t len = strlen(words[i].prefix);

		if (strncmp(out->text, words[i].prefix, len) != 0)
			continue;
		if (words[i].parse(out->text + len, out))
			out->word = words[i].word;
		break;
	}
	if (out->word == STATUS_BAD)
		*out = (struct status_line){.word = STATUS_BAD};
}
