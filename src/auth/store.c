/* Lists in files, see store.h. Every call that may fail is looked at: SECURITY depends on it. */
#include "store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

#define UNFINISHED	".new"
#define UNFINISHED_SIZE (TABLE_NAME_SIZE + 32)

static bool is_list(const char *name)
{
	return strlen(name) == TABLE_NAME_SIZE - 1 &&
	       strspn(name, "0123456789abcdef") == TABLE_NAME_SIZE - 1;
}

static bool is_unfinished(const char *name)
{
	size_t len = strlen(name), end = strlen(UNFINISHED);

	return len > end && strcmp(name + len - end, UNFINISHED) == 0;
}

static bool entry_visit(int directory, bool clean, const char *name,
			bool (*visit)(void *arg, const char *name), void *arg, struct refusal *why)
{
	if (is_list(name))
		return visit(arg, name);
	if (clean && is_unfinished(name) && unlinkat(directory, name, 0) < 0 && errno != ENOENT)
		return refusal_say(why, "revocations/%s: cannot be removed: %s", name,
				   strerror(errno));
	return true;
}

bool store_each(int directory, bool clean, bool (*visit)(void *arg, const char *name), void *arg,
		struct refusal *why)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	bool good = true;

	if (!stream) {
		refusal_say(why, "revocations: cannot be read: %s", strerror(errno));
		if (fd >= 0)
			close(fd);
		return false;
	}
	errno = 0;
	while (good && (entry = readdir(stream)) != NULL) {
		good = entry_visit(directory, clean, entry->d_name, visit, arg, why);
		errno = 0;
	}
	if (good && errno != 0)
		good = refusal_say(why, "revocations: cannot be read: %s", strerror(errno));
	closedir(stream);
	return good;
}

static int open_list(int directory, const char *name, struct stat *stat)
{
	int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (fstat(fd, stat) == 0 && S_ISREG(stat->st_mode))
		return fd;
	close(fd);
	return -EINVAL;
}

static void mark_of(const struct stat *stat, struct store_mark *out)
{
	*out = (struct store_mark){.inode = stat->st_ino, .changed = stat->st_mtim};
}

int store_look(int directory, const char *name, struct store_mark *out)
{
	struct stat stat;
	int fd = open_list(directory, name, &stat);

	if (fd < 0)
		return fd;
	close(fd);
	mark_of(&stat, out);
	return 0;
}

/* SIZE bytes and no more are in FD: 0 or -errno. */
static int read_whole(int fd, uint8_t *out, size_t size)
{
	uint8_t beyond;

	while (size > 0) {
		ssize_t n = read(fd, out, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		out += n;
		size -= (size_t)n;
	}
	return read(fd, &beyond, 1) == 0 ? 0 : -EIO;
}

static bool read_open(int fd, off_t size, const char *name, struct table *out, struct refusal *why)
{
	uint8_t *bytes = size > 0 && (uint64_t)size <= TABLES_MAX ? malloc((size_t)size) : NULL;
	int error;

	if (!bytes)
		return refusal_say(why, size > 0 && (uint64_t)size <= TABLES_MAX
					    ? "there is no memory for it"
					    : "is no revocation list");
	error = read_whole(fd, bytes, (size_t)size);
	if (error < 0) {
		free(bytes);
		return refusal_say(why, "cannot be read: %s", strerror(-error));
	}
	if (!table_open(bytes, (size_t)size, out, why))
		return false;
	char expected[TABLE_NAME_SIZE];
	table_name(out->id, expected);
	if (strcmp(expected, name) == 0)
		return true;
	table_free(out);
	return refusal_say(why, "is the list that belongs into %s", expected);
}

bool store_read(int directory, const char *name, struct table *out, struct store_mark *mark,
		struct refusal *why)
{
	struct refusal detail = {{0}};
	struct stat stat = {0};
	int fd = open_list(directory, name, &stat);
	bool good;

	if (fd < 0) {
		good = refusal_say(&detail, "cannot be opened: %s",
				   fd == -EINVAL ? "it is no regular file" : strerror(-fd));
	} else {
		good = read_open(fd, stat.st_size, name, out, &detail);
		close(fd);
		mark_of(&stat, mark);
	}
	return good || refusal_say(why, "revocations/%s %s", name, detail.text);
}

static int write_whole(int fd, const uint8_t *bytes, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, bytes, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		bytes += n;
		size -= (size_t)n;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/* TABLE into a file of its own, on the disk. 0 or -errno; then there is no such file. */
static int write_unfinished(int directory, const struct table *table, const char *name)
{
	int fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			0600);
	int error;

	if (fd < 0)
		return -errno;
	error = write_whole(fd, table->bytes, table->size);
	if (close(fd) < 0 && error == 0)
		error = -errno;
	if (error < 0)
		unlinkat(directory, name, 0);
	return error;
}

/* What keeps TABLE from its place NAME. */
static enum stored check_older(int directory, const struct table *table, const char *name,
			       struct refusal *why)
{
	struct store_mark mark;
	struct table old;
	enum stored result = STORED;

	if (store_look(directory, name, &mark) == -ENOENT)
		return STORED;
	if (!store_read(directory, name, &old, &mark, why))
		return STORED_NOT;
	if (memcmp(old.number, table->number, CRL_NUMBER_SIZE) >= 0) {
		result = STORED_NEWER;
		refusal_say(why,
			    "the list that is in force has number %" PRIu64 ", this one %" PRIu64
			    ": it must be higher",
			    table_number(&old), table_number(table));
	}
	table_free(&old);
	return result;
}

static enum stored put_in_place(int directory, int synced, const struct table *table,
				const char *name, struct refusal *why)
{
	char unfinished[UNFINISHED_SIZE];
	uint64_t unique;
	int error;

	/* Nobody else's: a name that another process renames must never be half of ours. */
	error = getrandom(&unique, sizeof(unique), 0) == sizeof(unique) ? 0 : -EIO;
	snprintf(unfinished, sizeof(unfinished), "%s.%016" PRIx64 UNFINISHED, name, unique);
	if (error == 0)
		error = write_unfinished(directory, table, unfinished);
	if (error == 0 && renameat(directory, unfinished, directory, name) < 0) {
		error = -errno;
		unlinkat(directory, unfinished, 0);
	}
	if (error < 0) {
		refusal_say(why, "the list could not be stored: %s", strerror(-error));
		return STORED_NOT;
	}
	if (fsync(synced) == 0)
		return STORED;
	refusal_say(why,
		    "it is in force, but may be lost in a power failure (%s): revoke once more, "
		    "the next list has a higher number",
		    strerror(errno));
	return STORED_UNSURELY;
}

enum stored store_write(int directory, const struct table *table, struct refusal *why)
{
	char name[TABLE_NAME_SIZE];
	enum stored result = STORED;
	/* A descriptor of its own: the lock goes with this process. */
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	table_name(table->id, name);
	if (fd < 0 || flock(fd, LOCK_EX) < 0) {
		refusal_say(why, "the list could not be stored: %s", strerror(errno));
		result = STORED_NOT;
	}
	if (result == STORED)
		result = check_older(directory, table, name, why);
	if (result == STORED)
		result = put_in_place(directory, fd, table, name, why);
	if (fd >= 0)
		close(fd);
	return result;
}
