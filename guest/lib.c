/* Words, numbers and lines for the guests (guest.h). Knows no tender. */
#include "guest.h"

#include <stdarg.h>

#define LINE_SIZE 256

static struct boot_info kept;

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

int same(const char *a, const char *b)
{
	const char *rest = after_prefix(a, b);

	return rest != NULL && *rest == '\0';
}

void sleep_for_ever(void)
{
	for (uint64_t hours = 1;; hours++)
		sleep_until(hours * HOUR);
}

struct layout guest_layout(void)
{
	extern char image_start[], text_end[], rodata_end[], data_end[];

	return (struct layout){
	    .text = (uintptr_t)image_start,
	    .text_end = (uintptr_t)text_end,
	    .rodata_end = (uintptr_t)rodata_end,
	    .data_end = (uintptr_t)data_end,
	    .memory_end = kept.memory_size,
	};
}

int64_t syscall6(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
		 uint64_t f)
{
	register uint64_t r10 __asm__("r10") = d;
	register uint64_t r8 __asm__("r8") = e;
	register uint64_t r9 __asm__("r9") = f;
	int64_t result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

int64_t syscall4(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	return syscall6(number, a, b, c, d, 0, 0);
}

int64_t syscall3(uint64_t number, uint64_t a, uint64_t b, uint64_t c)
{
	return syscall6(number, a, b, c, 0, 0, 0);
}

/* The tender's may be read-only. */
static char *copy_cmdline(const char *cmdline)
{
	static char copy[CMDLINE_SIZE];

	__builtin_memcpy(copy, cmdline, sizeof(copy));
	copy[sizeof(copy) - 1] = '\0';
	return copy;
}

struct boot_info guest_boot(void)
{
	return kept;
}

int guest_run(const struct boot_info *boot)
{
	static char *argv[ARGS_MAX + 1];
	char *cmdline = copy_cmdline(boot->cmdline);
	int argc = 0;

	kept = *boot;
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
