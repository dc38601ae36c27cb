/* Writes log lines: one write(2) a line, so that lines of several processes do not mix. */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LINE_MAX_BYTES 2048

static const char *program = "vmm";
static bool verbose, terminal;

void log_init(const char *name, bool debug)
{
	program = name;
	verbose = debug;
	terminal = isatty(STDERR_FILENO);
}

/* TEXT, control characters escaped, appended to LINE at N of at most LINE_MAX_BYTES - 2. */
static size_t append_escaped(char *line, size_t n, const char *text)
{
	static const char hex[] = "0123456789abcdef";

	for (; *text && n < LINE_MAX_BYTES - 6; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte >= 0x20 && byte != 0x7f) {
			line[n++] = *text;
			continue;
		}
		line[n++] = '\\';
		line[n++] = 'x';
		line[n++] = hex[byte >> 4];
		line[n++] = hex[byte & 15];
	}
	return n;
}

static void write_line(enum log_level level, const char *format, va_list args)
{
	char text[LINE_MAX_BYTES], line[LINE_MAX_BYTES];
	int n;

	vsnprintf(text, sizeof(text), format, args);
	n = terminal ? snprintf(line, sizeof(line), "%s: ", program)
		     : snprintf(line, sizeof(line), "<%d>%s: ", (int)level, program);
	n = (int)append_escaped(line, (size_t)n, text);
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, (size_t)n) < 0) {
		/* A log that cannot be written must not stop the daemon. */
	}
}

void log_line(enum log_level level, const char *format, ...)
{
	va_list args;

	if (level == LOG_LEVEL_DEBUG && !verbose)
		return;
	va_start(args, format);
	write_line(level, format, args);
	va_end(args);
}

void log_fatal(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line(LOG_LEVEL_ERROR, format, args);
	va_end(args);
	exit(1);
}
