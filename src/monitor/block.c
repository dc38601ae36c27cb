/* Disks (block.h). */
#include "block.h"

#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void check_kind(int fd, const char *name)
{
	int flags = fcntl(fd, F_GETFL);
	struct stat st;

	if (flags < 0 || fstat(fd, &st) < 0)
		report_fatal("--block: %s: %s", name, strerror(errno));
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		report_fatal("--block: %s: is neither a file nor a block device", name);
	if ((flags & O_ACCMODE) != O_RDWR)
		report_fatal("--block: %s: is not open for reading and writing", name);
}

void block_attach(struct device *device, const struct given *given)
{
	const char *name = given->source;
	off_t end;

	device->fd = given->fd < 0 ? open(name, O_RDWR | O_CLOEXEC) : given->fd;
	if (device->fd < 0)
		report_fatal("--block: %s: %s", name, strerror(errno));
	check_kind(device->fd, name);
	end = lseek(device->fd, 0, SEEK_END);
	if (end < 0)
		report_fatal("--block: %s: %s", name, strerror(errno));
	if (end == 0)
		report_fatal("--block: %s: is empty", name);
	if (end % device->sector != 0)
		report_fatal("--block: %s: its %lld bytes are no multiple of the sector size, %u",
			     name, (long long)end, device->sector);
	device->capacity = (uint64_t)end;
}

bool block_within(const struct device *device, uint64_t offset, uint64_t len)
{
	return offset % device->sector == 0 && len % device->sector == 0 &&
	       offset < device->capacity && len <= device->capacity - offset;
}

static size_t next_chunk(const struct device *device, uint64_t offset, uint64_t len)
{
	if (device->capacity < BLOCK_CHUNK || offset > device->capacity - BLOCK_CHUNK)
		return device->sector;
	return len < BLOCK_CHUNK ? len : BLOCK_CHUNK;
}

bool block_read(const struct device *device, uint64_t offset, void *data, uint64_t len)
{
	uint8_t *at = data;

	while (len > 0) {
		size_t size = next_chunk(device, offset, len);

		if (pread(device->fd, at, size, (off_t)offset) != (ssize_t)size)
			return false;
		at += size;
		offset += size;
		len -= size;
	}
	return true;
}

bool block_write(const struct device *device, uint64_t offset, const void *data, uint64_t len)
{
	const uint8_t *at = data;

	while (len > 0) {
		size_t size = next_chunk(device, offset, len);

		if (pwrite(device->fd, at, size, (off_t)offset) != (ssize_t)size)
			return false;
		at += size;
		offset += size;
		len -= size;
	}
	return true;
}
