/* Words of the monitor (report.h). May not allocate: it speaks from inside the sandbox too. */
#include "report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_SIZE 1024

static int status_fd = -1;

int write_all(int fd, const void *bytes, uint64_t len)
{
	const char *at = bytes;

	while (len > 0) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		len -= (uint64_t)n;
	}
	return 0;
}

/* PREFIX, the formatted text cut to fit, a newline: in one write, so that lines stay whole. */
static int write_line(int fd, const char *prefix, const char *format, va_list args)
{
	char line[LINE_SIZE];
	size_t len = (size_t)snprintf(line, sizeof(line), "%s", prefix);

	vsnprintf(line + len, sizeof(line) - len - 1, format, args);
	len = strlen(line);
	line[len] = '\n';
	return write_all(fd, line, len + 1);
}

void report_status(const char *format, ...)
{
	va_list args;
	int error;

	if (status_fd < 0)
		return;
	va_start(args, format);
	error = write_line(status_fd, "", format, args);
	va_end(args);
	/* Nobody waits for this guest any more: it must not start unseen. */
	if (error < 0)
		_exit(1);
}

void report_to(int fd)
{
	status_fd = fd;
}

void report_ready(void)
{
	report_status("ready");
	if (status_fd >= 0)
		close(status_fd);
	status_fd = -1;
}

void report_warning(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line(STDERR_FILENO, "vmm_monitor: ", format, args);
	va_end(args);
}

void report_fatal(const char *format, ...)
{
	va_list args;
	int error = -EBADF;

	va_start(args, format);
	if (status_fd >= 0)
		error = write_line(status_fd, "error ", format, args);
	va_end(args);
	va_start(args, format);
	if (error < 0)
		write_line(STDERR_FILENO, "vmm_monitor: ", format, args);
	va_end(args);
	_exit(1);
}
