/* The runtime directory: ours alone, on a tmpfs. */
#include "rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static int open_checked(const char *path, const char **problem)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), error;

	*problem = "cannot be opened as a directory";
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && st.st_uid == geteuid() && !(st.st_mode & (S_IWGRP | S_IWOTH)))
		return fd;
	*problem = "must belong to the user vmmd runs as and be writable by nobody else";
	error = -EPERM;
	close(fd);
	return error;
}

int rundir_open(const char *path, bool *mounted, const char **problem)
{
	struct statfs fs;
	int fd;

	*mounted = false;
	if (mkdir(path, 0700) < 0 && errno != EEXIST) {
		*problem = "cannot be made";
		return -errno;
	}
	fd = open_checked(path, problem);
	if (fd < 0 || fstatfs(fd, &fs) < 0 || fs.f_type == TMPFS_MAGIC || geteuid() != 0)
		return fd;
	close(fd);
	*problem = "cannot be mounted as a tmpfs";
	if (mount("vmm", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") < 0)
		return -errno;
	*mounted = true;
	return open_checked(path, problem);
}

int rundir_unmount(const char *path)
{
	return umount(path) < 0 ? -errno : 0;
}
