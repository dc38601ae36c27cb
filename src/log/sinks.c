/*
 * Everything once more, as lines: appended to a file, sent to syslog. Neither may fail the log:
 * what they do not take is lost there, which is said once, and how much it was when it is over.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "keeper.h"
#include "log.h"
#include "times.h"

#define SYSLOG_PRIORITY "<29>" /* daemon, notice */

void sink_set(struct sink *sink, int fd)
{
	if (sink->fd >= 0)
		close(sink->fd);
	*sink = (struct sink){.fd = fd};
}

/* An attempt came to ERROR (0: it went well). */
static void sink_note(struct sink *sink, const char *name, int error)
{
	if (error != 0) {
		if (sink->lost++ == 0)
			log_warning("%s does not take the event log: %s", name, strerror(error));
		return;
	}
	if (sink->lost > 0)
		log_warning("%s takes the event log again: %llu entries are missing", name,
			    (unsigned long long)sink->lost);
	sink->lost = 0;
}

static void file_write(struct sink *file, const struct log_entry *entry, const char *text)
{
	char line[TIME_TEXT_SIZE + ENTRY_TEXT_SIZE + 8], time[TIME_TEXT_SIZE];
	ssize_t written;
	size_t n;

	time_format_plain(entry->time_us, time);
	n = (size_t)snprintf(line, sizeof(line), "%s%s: %s\n", file->torn ? "\n" : "", time, text);
	errno = ENOSPC; /* of a write that takes less than all */
	written = write(file->fd, line, n);
	if (written > 0)
		file->torn = (size_t)written < n;
	sink_note(file, "the log's file", written == (ssize_t)n ? 0 : errno);
}

static void syslog_send(struct sink *syslog, char *text)
{
	char head[] = SYSLOG_PRIORITY "vmm: ";
	struct iovec parts[] = {{.iov_base = head, .iov_len = sizeof(head) - 1},
				{.iov_base = text, .iov_len = strlen(text)}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
	ssize_t sent = sendmsg(syslog->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);

	sink_note(syslog, "syslog", sent < 0 ? errno : 0);
}

void sinks_write(struct keeper *keeper, const struct log_entry *entry)
{
	char text[ENTRY_TEXT_SIZE];

	if (keeper->file.fd < 0 && keeper->syslog.fd < 0)
		return;
	entry_text(entry, 0, text);
	if (keeper->file.fd >= 0)
		file_write(&keeper->file, entry, text);
	if (keeper->syslog.fd >= 0)
		syslog_send(&keeper->syslog, text);
}
