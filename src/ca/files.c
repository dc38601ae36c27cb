/*
 * Files in and out, see files.h. Plain POSIX: link() never overwrites, rename() replaces at once.
 */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool refuse_errno(const char *path, struct refusal *why)
{
	return refusal_say(why, "%.300s: %s", path, strerror(errno));
}

/* Reads SIZE bytes; a file that changes under our hands is an error. */
static bool read_all(int fd, const char *path, struct blob *out, struct refusal *why)
{
	for (size_t done = 0; done < out->size;) {
		ssize_t n = read(fd, out->data + done, out->size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return refuse_errno(path, why);
		if (n == 0)
			return refusal_say(why, "%.300s: became shorter while it was read", path);
		done += (size_t)n;
	}
	return true;
}

static bool read_open(int fd, const char *path, size_t max, struct blob *out, struct refusal *why)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return refuse_errno(path, why);
	if (!S_ISREG(st.st_mode))
		return refusal_say(why, "%.300s: is no regular file", path);
	if (st.st_size > (off_t)max)
		return refusal_say(why, "%.300s: has %lld bytes, the limit is %zu", path,
				   (long long)st.st_size, max);
	out->size = (size_t)st.st_size;
	out->data = malloc(out->size + 1);
	if (out->data == NULL)
		return refusal_say(why, "%.300s: out of memory", path);
	if (read_all(fd, path, out, why))
		return true;
	free(out->data);
	out->data = NULL;
	return false;
}

bool file_read(const char *path, size_t max, struct blob *out, struct refusal *why)
{
	/* Not to hang on a FIFO. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	bool ok;

	*out = (struct blob){0};
	if (fd < 0)
		return refuse_errno(path, why);
	ok = read_open(fd, path, max, out, why);
	close(fd);
	return ok;
}

bool file_exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

bool file_name(const char *stem, const char *suffix, char *out, struct refusal *why)
{
	if ((size_t)snprintf(out, PATH_MAX, "%s%s", stem, suffix) < PATH_MAX)
		return true;
	return refusal_say(why, "%.100s...: the path is too long", stem);
}

bool file_stem(const char *path, const char *suffix, char *out, struct refusal *why)
{
	size_t len = strlen(path), cut = strlen(suffix);

	if (len <= cut || strcmp(path + len - cut, suffix) != 0 || path[len - cut - 1] == '/')
		return refusal_say(why, "'%.200s' is not called NAME%s", path, suffix);
	if (!file_name(path, "", out, why))
		return false;
	out[len - cut] = '\0';
	return true;
}

/* Whether PATH may be written as KIND says, and whether nothing is there yet. */
static bool destination_check(const char *path, enum output_kind kind, bool *fresh,
			      struct refusal *why)
{
	struct stat st;

	*fresh = lstat(path, &st) < 0;
	if (*fresh)
		return errno == ENOENT || refuse_errno(path, why);
	if (kind != OUTPUT_REPLACE)
		return refusal_say(why, "%.300s: exists already and is not overwritten", path);
	if (!S_ISREG(st.st_mode))
		return refusal_say(why, "%.300s: is no regular file, not replaced", path);
	return true;
}

static bool write_all(int fd, const char *path, const uint8_t *data, size_t size,
		      struct refusal *why)
{
	while (size > 0) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return refuse_errno(path, why);
		data += n;
		size -= (size_t)n;
	}
	return fsync(fd) == 0 || refuse_errno(path, why);
}

static mode_t mode_of(enum output_kind kind)
{
	mode_t mask = umask(0);

	umask(mask);
	return kind == OUTPUT_KEY ? 0400 : 0666 & ~mask;
}

bool outputs_add(struct outputs *outputs, const char *path, enum output_kind kind, const void *data,
		 size_t size, struct refusal *why)
{
	struct output *file = &outputs->file[outputs->count];

	if (outputs->count == OUTPUTS_MAX)
		return refusal_say(why, "more than %d files to write", OUTPUTS_MAX);
	if (!file_name(path, "", file->path, why) ||
	    !destination_check(path, kind, &file->fresh, why))
		return false;
	file->data = malloc(size + 1);
	if (file->data == NULL)
		return refusal_say(why, "%.300s: out of memory", path);
	memcpy(file->data, data, size);
	file->size = size;
	file->kind = kind;
	file->staged[0] = '\0';
	outputs->count++;
	return true;
}

/* Writes FILE beside its destination. */
static bool output_stage(struct output *file, struct refusal *why)
{
	const char *slash = strrchr(file->path, '/');
	int dir = slash == NULL ? 0 : (int)(slash - file->path) + 1, fd;
	char staged[PATH_MAX];
	bool ok;

	if (snprintf(staged, PATH_MAX, "%.*s.vmm_ca.XXXXXX", dir, file->path) >= PATH_MAX)
		return refusal_say(why, "%.100s...: the path is too long", file->path);
	fd = mkostemp(staged, O_CLOEXEC);
	if (fd < 0)
		return refuse_errno(file->path, why);
	memcpy(file->staged, staged, sizeof(staged));
	ok = write_all(fd, file->path, file->data, file->size, why);
	if (ok && fchmod(fd, mode_of(file->kind)) < 0)
		ok = refuse_errno(file->path, why);
	if (close(fd) < 0 && ok)
		ok = refuse_errno(file->path, why);
	return ok;
}

static bool output_place(struct output *file, struct refusal *why)
{
	if (file->kind == OUTPUT_REPLACE) {
		if (rename(file->staged, file->path) < 0)
			return refuse_errno(file->path, why);
		file->staged[0] = '\0';
	} else if (link(file->staged, file->path) < 0) {
		return refuse_errno(file->path, why);
	}
	return true;
}

static bool outputs_write(struct outputs *outputs, struct refusal *why)
{
	for (unsigned i = 0; i < outputs->count; i++)
		if (!output_stage(&outputs->file[i], why))
			return false;
	for (unsigned i = 0; i < outputs->count; i++) {
		if (output_place(&outputs->file[i], why))
			continue;
		/* What replaced an older file cannot be undone, what is new can. */
		while (i-- > 0)
			if (outputs->file[i].fresh)
				(void)unlink(outputs->file[i].path);
		return false;
	}
	return true;
}

bool outputs_commit(struct outputs *outputs, struct refusal *why)
{
	sigset_t interrupts, before;
	bool ok;

	/* Who interrupts here would leave some of the files, and staged ones. */
	sigemptyset(&interrupts);
	sigaddset(&interrupts, SIGHUP);
	sigaddset(&interrupts, SIGINT);
	sigaddset(&interrupts, SIGTERM);
	sigprocmask(SIG_BLOCK, &interrupts, &before);
	ok = outputs_write(outputs, why);
	for (unsigned i = 0; i < outputs->count; i++)
		if (outputs->file[i].staged[0] != '\0')
			(void)unlink(outputs->file[i].staged);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return ok;
}

void outputs_end(struct outputs *outputs)
{
	for (unsigned i = 0; i < outputs->count; i++) {
		OPENSSL_cleanse(outputs->file[i].data, outputs->file[i].size);
		free(outputs->file[i].data);
	}
	outputs->count = 0;
}
