/*
 * Files to send.
 */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Opened without waiting for who writes into a FIFO. */
static int open_checked(const char *path, struct refusal *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat stat;

	if (fd < 0 || fstat(fd, &stat) < 0) {
		refusal_say(why, "%s: %s", path, strerror(errno));
	} else if (!S_ISREG(stat.st_mode) && !S_ISBLK(stat.st_mode)) {
		refusal_say(why, "%s is neither a file nor a block device", path);
	} else {
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

bool source_open(struct source *source, const char *path, struct refusal *why)
{
	off_t size;

	*source = (struct source){.fd = open_checked(path, why)};
	if (source->fd < 0)
		return false;
	size = lseek(source->fd, 0, SEEK_END);
	if (size < 0) {
		refusal_say(why, "%s: %s", path, strerror(errno));
		source_close(source);
		return false;
	}
	source->size = (uint64_t)size;
	return true;
}

/* Where a file system does not know holes, all is data. False: it has become shorter. */
static bool find_data(struct source *source)
{
	off_t from = lseek(source->fd, (off_t)source->at, SEEK_DATA);
	off_t to;

	if (from < 0 && errno == ENXIO) {
		from = (off_t)source->size; /* a hole to the end */
		if (lseek(source->fd, 0, SEEK_END) < from)
			return false;
	} else if (from < 0) {
		from = (off_t)source->at;
	}
	to = lseek(source->fd, from, SEEK_HOLE);
	source->data_from = (uint64_t)from;
	source->data_to = to > from ? (uint64_t)to : source->size;
	return true;
}

ssize_t source_read(struct source *source, void *out, size_t size)
{
	uint64_t left = source->size - source->at;
	ssize_t n;

	if (left == 0)
		return 0;
	if (source->at >= source->data_to && !find_data(source))
		return -EPIPE;
	if (source->at < source->data_from && source->data_from - source->at < left)
		left = source->data_from - source->at;
	if (size > left)
		size = (size_t)left;
	if (source->at < source->data_from) {
		memset(out, 0, size);
		n = (ssize_t)size;
	} else {
		do
			n = pread(source->fd, out, size, (off_t)source->at);
		while (n < 0 && errno == EINTR);
		if (n <= 0)
			return n < 0 ? -errno : -EPIPE;
	}
	source->at += (uint64_t)n;
	return n;
}

void source_rewind(struct source *source)
{
	source->at = source->data_from = source->data_to = 0;
}

void source_close(struct source *source)
{
	if (source->fd >= 0)
		close(source->fd);
	source->fd = -1;
}
