/*
 * New files: a temporary name, then a link, which is refused where there is one already.
 */
#include "newfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool say(struct refusal *why, const char *path, int error)
{
	return error == EEXIST ? refusal_say(why, "%s is there already", path)
			       : refusal_say(why, "%s: %s", path, strerror(error));
}

/* DIRECTORY/.NAME.XXXXXX; a long name is cut, so that the file system takes it. NULL: no memory. */
static char *temporary_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	int directory = slash ? (int)(slash + 1 - path) : 0;
	char *name;

	return asprintf(&name, "%.*s.%.100s.XXXXXX", directory, path, path + directory) < 0 ? NULL
											    : name;
}

struct newfile *newfile_open(const char *path, struct refusal *why)
{
	struct newfile *file = malloc(sizeof(*file));
	struct stat old;
	int error = lstat(path, &old) == 0 ? EEXIST : errno, fd;

	if (error != ENOENT || *path == '\0' || !file) {
		say(why, path, file ? error : ENOMEM);
		free(file);
		return NULL;
	}
	file->path = strdup(path);
	file->temporary = temporary_name(path);
	fd = file->path && file->temporary ? mkostemp(file->temporary, O_CLOEXEC) : -1;
	sparse_init(&file->sparse, fd);
	if (fd >= 0)
		return file;
	say(why, path, errno);
	newfile_close(file);
	return NULL;
}

bool newfile_put(struct newfile *file, const void *bytes, size_t size, struct refusal *why)
{
	int error = sparse_put(&file->sparse, bytes, size);

	return error == 0 || say(why, file->path, -error);
}

/* Not every file system has links. */
static int give_name(const char *temporary, const char *path)
{
	if (link(temporary, path) == 0)
		return unlink(temporary) < 0 ? errno : 0;
	if (errno != EPERM && errno != EOPNOTSUPP)
		return errno;
	return rename(temporary, path) < 0 ? errno : 0;
}

bool newfile_keep(struct newfile *file, struct refusal *why)
{
	int error = -sparse_end(&file->sparse);

	if (error == 0 && fsync(file->sparse.fd) < 0)
		error = errno;
	if (error == 0)
		error = give_name(file->temporary, file->path);
	if (error != 0)
		return say(why, file->path, error);
	close(file->sparse.fd);
	file->sparse.fd = -1;
	return true;
}

void newfile_close(struct newfile *file)
{
	if (!file)
		return;
	if (file->sparse.fd >= 0) {
		close(file->sparse.fd);
		unlink(file->temporary);
	}
	free(file->path);
	free(file->temporary);
	free(file);
}
