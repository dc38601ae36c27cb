/* Files of /proc (usage.h; proc_pid_stat(5) and its neighbours say what is in them). */
#include "usage.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#define PROCESS_TEXT_SIZE 8192	       /* the longest, status, has some 1,500 bytes */
#define HOST_TEXT_SIZE	  (128 * 1024) /* a line for each of 1,024 CPUs */
#define STAT_MINFLT	  10
#define STAT_MAJFLT	  12
#define STAT_UTIME	  14
#define STAT_STIME	  15

/* Digits at *AT, behind blanks, and what follows; false: there are none, or too many. */
static bool take_number(const char **at, uint64_t *out)
{
	const char *p = *at;
	uint64_t value = 0;

	while (*p == ' ' || *p == '\t')
		p++;
	if (*p < '0' || *p > '9')
		return false;
	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
			return false;
	*at = p;
	*out = value;
	return true;
}

/* The number behind NAME at the start of a line, multiplied by UNIT. */
static bool find_number(const char *text, const char *name, uint64_t unit, uint64_t *out)
{
	size_t n = strlen(name);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, n) != 0)
			continue;
		line += n;
		return take_number(&line, out) && !__builtin_mul_overflow(*out, unit, out);
	}
	return false;
}

/* Clock ticks, a constant of the kernel's interface, not of its timer. */
static bool ticks_us(uint64_t ticks, uint64_t *out)
{
	return !__builtin_mul_overflow(ticks, UINT64_C(1000000) / (uint64_t)sysconf(_SC_CLK_TCK),
				       out);
}

bool usage_parse_stat(const char *text, struct process_usage *out)
{
	/* The second field is the program's name in parentheses, which may hold anything. */
	const char *at = strrchr(text, ')');
	uint64_t field[STAT_STIME + 1] = {0};
	struct process_usage found = *out;

	if (at == NULL || at[1] != ' ' || at[2] == 0)
		return false;
	at += 3; /* the third is a letter */
	for (unsigned i = 4; i <= STAT_STIME; i++) {
		while (*at == ' ' || *at == '-') /* tpgid may be -1 */
			at++;
		if (!take_number(&at, &field[i]))
			return false;
	}
	found.minor_faults = field[STAT_MINFLT];
	found.major_faults = field[STAT_MAJFLT];
	if (!ticks_us(field[STAT_UTIME], &found.user_us) ||
	    !ticks_us(field[STAT_STIME], &found.system_us))
		return false;
	*out = found;
	return true;
}

bool usage_parse_status(const char *text, struct process_usage *out)
{
	struct process_usage found = *out;
	uint64_t of_files;

	if (!find_number(text, "VmHWM:", 1024, &found.peak) ||
	    !find_number(text, "VmRSS:", 1024, &found.resident) ||
	    !find_number(text, "RssFile:", 1024, &of_files) ||
	    !find_number(text, "RssShmem:", 1024, &found.shared) ||
	    !find_number(text, "voluntary_ctxt_switches:", 1, &found.voluntary_switches) ||
	    !find_number(text, "nonvoluntary_ctxt_switches:", 1, &found.involuntary_switches) ||
	    __builtin_add_overflow(found.shared, of_files, &found.shared))
		return false;
	*out = found;
	return true;
}

bool usage_parse_io(const char *text, struct process_io *out)
{
	struct process_io found;

	if (!find_number(text, "rchar:", 1, &found.read) ||
	    !find_number(text, "wchar:", 1, &found.written))
		return false;
	*out = found;
	return true;
}

/* Lines that begin with "cpu" and a digit. */
static uint32_t count_cpus(const char *text)
{
	uint32_t n = 0;

	for (const char *line = strstr(text, "\ncpu"); line; line = strstr(line + 1, "\ncpu"))
		n += line[4] >= '0' && line[4] <= '9';
	return n;
}

bool usage_parse_cpus(const char *text, struct host_usage *out)
{
	enum { USER, NICE, SYSTEM, IDLE, IOWAIT, IRQ, SOFTIRQ, COLUMNS };
	struct host_usage found = *out;
	uint64_t us[COLUMNS];

	if (strncmp(text, "cpu ", 4) != 0)
		return false;
	text += 4;
	for (unsigned i = 0; i < COLUMNS; i++)
		if (!take_number(&text, &us[i]) || !ticks_us(us[i], &us[i]))
			return false;
	/* Guests' time is a part of user and nice. */
	found.user_us = us[USER] + us[NICE];
	found.system_us = us[SYSTEM] + us[IRQ] + us[SOFTIRQ];
	found.idle_us = us[IDLE] + us[IOWAIT];
	found.cpus = count_cpus(text);
	*out = found;
	return true;
}

bool usage_parse_memory(const char *text, struct host_usage *out)
{
	struct host_usage found = *out;

	if (!find_number(text, "MemTotal:", 1024, &found.memory) ||
	    !find_number(text, "MemAvailable:", 1024, &found.available))
		return false;
	*out = found;
	return true;
}

/* What does not fit is left out; the parsers miss it. */
static bool read_text(int fd, char *text, size_t size)
{
	ssize_t n = pread(fd, text, size - 1, 0);

	if (n <= 0)
		return false;
	text[n] = 0;
	return true;
}

bool process_usage_read(int stat, int status, struct process_usage *out)
{
	char text[PROCESS_TEXT_SIZE];
	struct process_usage found = *out;

	if (!read_text(stat, text, sizeof(text)) || !usage_parse_stat(text, &found) ||
	    !read_text(status, text, sizeof(text)) || !usage_parse_status(text, &found))
		return false;
	*out = found;
	return true;
}

bool process_io_read(int io, struct process_io *out)
{
	char text[PROCESS_TEXT_SIZE];

	return read_text(io, text, sizeof(text)) && usage_parse_io(text, out);
}

bool host_usage_read(int stat, int meminfo, struct host_usage *out)
{
	static char text[HOST_TEXT_SIZE];
	struct host_usage found = *out;

	if (!read_text(stat, text, sizeof(text)) || !usage_parse_cpus(text, &found) ||
	    !read_text(meminfo, text, sizeof(text)) || !usage_parse_memory(text, &found))
		return false;
	*out = found;
	return true;
}
