/* Words, numbers and lines for the guests (guest.h). Knows no tender. */
#include "guest.h"

#include <stdarg.h>

#define LINE_SIZE 256

/* The compiler calls these by itself. */
void *memcpy(void *to, const void *from, size_t len);
void *memset(void *to, int byte, size_t len);

void *memcpy(void *to, const void *from, size_t len)
{
	void *start = to;

	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(len) : : "memory");
	return start;
}

void *memset(void *to, int byte, size_t len)
{
	void *start = to;

	__asm__ volatile("rep stosb" : "+D"(to), "+c"(len) : "a"(byte) : "memory");
	return start;
}

const char *after_prefix(const char *text, const char *prefix)
{
	for (; *prefix != '\0'; text++, prefix++)
		if (*text != *prefix)
			return NULL;
	return text;
}

uint64_t number_parse(const char *text)
{
	uint64_t value = 0;

	for (; *text >= '0' && *text <= '9'; text++)
		value = value * 10 + (uint64_t)(*text - '0');
	return value;
}

struct line {
	char bytes[LINE_SIZE];
	size_t len;
};

static void put_char(struct line *line, char c)
{
	if (line->len < sizeof(line->bytes))
		line->bytes[line->len++] = c;
}

static void put_string(struct line *line, const char *text)
{
	while (*text != '\0')
		put_char(line, *text++);
}

static void put_number(struct line *line, uint64_t value, unsigned base)
{
	char digits[20];
	size_t n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value > 0);
	while (n > 0)
		put_char(line, digits[--n]);
}

void print(const char *format, ...)
{
	struct line line;
	va_list args;

	line.len = 0;
	va_start(args, format);
	for (; *format != '\0'; format++) {
		if (*format != '%' || format[1] == '\0') {
			put_char(&line, *format);
			continue;
		}
		format++;
		if (*format == 's')
			put_string(&line, va_arg(args, const char *));
		else if (*format == 'd' || *format == 'x')
			put_number(&line, va_arg(args, uint64_t), *format == 'd' ? 10 : 16);
		else
			put_char(&line, *format);
	}
	va_end(args);
	console_write(line.bytes, line.len);
}

int guest_run(char *cmdline)
{
	static char *argv[ARGS_MAX + 1];
	int argc = 0;

	while (argc < ARGS_MAX) {
		while (*cmdline == ' ')
			cmdline++;
		if (*cmdline == '\0')
			break;
		argv[argc++] = cmdline;
		while (*cmdline != ' ' && *cmdline != '\0')
			cmdline++;
		if (*cmdline == ' ')
			*cmdline++ = '\0';
	}
	argv[argc] = NULL;
	return guest_main(argc, argv);
}
