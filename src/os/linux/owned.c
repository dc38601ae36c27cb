/* Directories of ours, checked through the descriptor, never by name and then again by name. */
#include "owned.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_WAITS   100
#define LOCK_WAIT_US 100000

#define FLAGS	     (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

int owned_open(int at, const char *path, const char **problem)
{
	struct stat st;
	int fd = openat(at, path, FLAGS);

	*problem = "cannot be opened as a directory";
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && st.st_uid == geteuid() && !(st.st_mode & (S_IWGRP | S_IWOTH)))
		return fd;
	*problem = "must belong to the user vmmd runs as and be writable by nobody else";
	close(fd);
	return -EPERM;
}

int owned_make(const char *path, const char **problem)
{
	char above[PATH_MAX];

	*problem = "cannot be made";
	if (snprintf(above, sizeof(above), "%s", path) >= (int)sizeof(above))
		return -ENAMETOOLONG;
	/* An ordinary user's ~/.local/state; what cannot be made shows below. */
	for (char *at = strchr(above + 1, '/'); at && geteuid() != 0; at = strchr(at + 1, '/')) {
		*at = 0;
		mkdir(above, 0700);
		*at = '/';
	}
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	return owned_open(AT_FDCWD, path, problem);
}

static int give_file(int dir, const char *name, uid_t uid)
{
	int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC), error = -EPERM;
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1)
		error = fchownat(fd, "", uid, uid, AT_EMPTY_PATH) < 0 ? -errno : 0;
	close(fd);
	return error;
}

static int give_files(int fd, uid_t uid)
{
	int own = openat(fd, ".", FLAGS), error = 0;
	DIR *dir = own < 0 ? NULL : fdopendir(own);
	struct dirent *entry;

	if (dir == NULL) {
		error = -errno;
		if (own >= 0)
			close(own);
		return error;
	}
	while (error == 0 && (entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			error = give_file(dirfd(dir), entry->d_name, uid);
	closedir(dir);
	return error;
}

/* While its files change hands the directory is root's: nobody swaps them midway. */
static int give(int fd, uid_t uid, const char **problem)
{
	int error;

	*problem = "cannot be given to the process that uses it";
	if (fchown(fd, 0, 0) < 0 || fchmod(fd, 0700) < 0)
		return -errno;
	error = give_files(fd, uid);
	if (error == -EPERM)
		*problem = "holds something else than regular files with one link each";
	if (error == 0 && fchown(fd, uid, uid) < 0)
		error = -errno;
	return error;
}

int owned_give(int at, const char *name, uid_t uid, const char **problem)
{
	struct stat st;
	int fd, error;

	*problem = "cannot be made";
	if (mkdirat(at, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	if (geteuid() != 0)
		return owned_open(at, name, problem);
	*problem = "cannot be opened as a directory";
	fd = openat(at, name, FLAGS);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid == uid && !(st.st_mode & (S_IRWXG | S_IRWXO)))
		return fd;
	error = give(fd, uid, problem);
	if (error == 0)
		return fd;
	close(fd);
	return error;
}

bool owned_lock(int fd)
{
	for (int i = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; i++) {
		if (i == LOCK_WAITS)
			return false;
		usleep(LOCK_WAIT_US);
	}
	return true;
}
