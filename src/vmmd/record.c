/* Records of VMs in the runtime directory. Every name is fixed, every open refuses links. */
#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ringfile.h"
#include "statpage.h"

#define RECORD_MAX MESSAGE_MAX

static const struct field record_fields[] = {
    WIRE_U32(struct vm_record, format),
    WIRE_STRING(struct vm_record, boot_id),
    WIRE_STRUCT(struct vm_record, request, request_fields),
    WIRE_U32(struct vm_record, state),
    WIRE_U32(struct vm_record, pid),
    WIRE_U32(struct vm_record, uid),
    WIRE_U64(struct vm_record, start_ticks),
    WIRE_U64(struct vm_record, started_us),
    WIRE_U64(struct vm_record, ended_us),
    WIRE_U32(struct vm_record, end),
    WIRE_U32(struct vm_record, end_value),
    WIRE_U32(struct vm_record, cause),
    WIRE_STRUCT(struct vm_record, by, path_fields),
    WIRE_U32(struct vm_record, waits),
    WIRE_U64(struct vm_record, oom_kills),
    WIRE_U32(struct vm_record, digest_known),
    WIRE_BYTES(struct vm_record, sha256),
    WIRE_STRING(struct vm_record, target),
    WIRE_STRINGS(struct vm_record, command),
    WIRE_LIST(struct vm_record, tap, ntaps, tap_info_fields),
    WIRE_END,
};

/* One record at a time is read or written. */
static uint8_t bytes[RECORD_MAX];

void record_dir_name(const uint8_t *path_id, char *out)
{
	for (unsigned i = 0; i < DIGEST_SIZE; i++)
		sprintf(out + 2 * (size_t)i, "%02x", path_id[i]);
}

bool record_dir_id(const char *name, uint8_t *id)
{
	if (strspn(name, "0123456789abcdef") != 2 * DIGEST_SIZE || name[2 * DIGEST_SIZE] != 0)
		return false;
	for (size_t i = 0; i < DIGEST_SIZE; i++)
		if (sscanf(name + 2 * i, "%2hhx", &id[i]) != 1)
			return false;
	return true;
}

int record_open_dir(const struct daemon *d, const uint8_t *path_id)
{
	char name[2 * DIGEST_SIZE + 1];
	int fd;

	record_dir_name(path_id, name);
	if (mkdirat(d->vms_fd, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(d->vms_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int record_write(int dir_fd, const char *name, const struct vm_record *record)
{
	ssize_t size = wire_encode(record_fields, record, bytes, sizeof(bytes)), n;
	int fd, error = 0;

	if (size < 0)
		return -EMSGSIZE;
	fd = openat(dir_fd, "record.new", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (fd < 0)
		return -errno;
	n = write(fd, bytes, (size_t)size);
	if (n != size)
		error = n < 0 ? -errno : -ENOSPC;
	close(fd);
	if (error == 0 && renameat(dir_fd, "record.new", dir_fd, name) < 0)
		error = -errno;
	if (error < 0)
		unlinkat(dir_fd, "record.new", 0);
	return error;
}

int record_read(int dir_fd, const char *name, struct vm_record *out)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, bytes, sizeof(bytes));
	close(fd);
	if (n < 0)
		return -errno;
	if (!wire_decode(record_fields, bytes, (size_t)n, out, sizeof(*out)) ||
	    out->format != RECORD_FORMAT)
		return -EBADMSG;
	return 0;
}

int record_promote(int dir_fd)
{
	/* The record last: as long as it is called the next one, this is done again. */
	if (renameat(dir_fd, FIFO_NEXT, dir_fd, FIFO_NAME) < 0 && errno != ENOENT)
		return -errno;
	if (renameat(dir_fd, PAGE_NEXT, dir_fd, PAGE_NAME) < 0 && errno != ENOENT)
		return -errno;
	return renameat(dir_fd, RECORD_NEXT, dir_fd, RECORD_NAME) < 0 ? -errno : 0;
}

void record_remove_next(int dir_fd)
{
	unlinkat(dir_fd, RECORD_NEXT, 0);
	unlinkat(dir_fd, FIFO_NEXT, 0);
	unlinkat(dir_fd, PAGE_NEXT, 0);
	unlinkat(dir_fd, "go", 0);
}

int record_open_spawned(int dir_fd, bool fresh)
{
	int flags = fresh ? O_CREAT | O_TRUNC : 0;
	int fd = openat(dir_fd, "spawned", O_RDWR | O_NOFOLLOW | O_CLOEXEC | flags, 0600);

	return fd < 0 ? -errno : fd;
}

int record_open_fifo(int dir_fd, const char *name, bool fresh)
{
	struct stat st;
	int fd;

	if (fresh) {
		unlinkat(dir_fd, name, 0);
		if (mkfifoat(dir_fd, name, 0600) < 0)
			return -errno;
	}
	fd = openat(dir_fd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode))
		return fd;
	close(fd);
	return -EINVAL;
}

int record_make_page(int dir_fd, const char *name)
{
	int fd, error;

	unlinkat(dir_fd, name, 0);
	fd = ringfile_open(dir_fd, name, STATPAGE_SIZE);
	if (fd < 0)
		return fd;
	/* Its memory is had now: the monitor, which maps it, would end where there is none. */
	error = posix_fallocate(fd, 0, STATPAGE_SIZE);
	if (error == 0)
		return fd;
	close(fd);
	return -error;
}

int record_open_page(int dir_fd, int flags)
{
	int fd = openat(dir_fd, PAGE_NAME, flags | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

void record_remove_dir(const struct daemon *d, const uint8_t *path_id)
{
	static const char *const files[] = {RECORD_NAME, "record.new", RECORD_NEXT, FIFO_NAME,
					    FIFO_NEXT,	 PAGE_NAME,    PAGE_NEXT,   "ring",
					    "go",	 "spawned"};
	char name[2 * DIGEST_SIZE + 1];
	int fd;

	record_dir_name(path_id, name);
	fd = openat(d->vms_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		unlinkat(fd, files[i], 0);
	close(fd);
	unlinkat(d->vms_fd, name, AT_REMOVEDIR);
}
