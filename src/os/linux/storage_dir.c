/* The driver that works everywhere, and how a tree is removed, which all drivers need. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage_private.h"

/* Directories within directories: volumes lie far less deep. A descriptor is open for each. */
#define DEPTH_MAX 64

static int remove_at(int at, const char *name, unsigned depth);

static int remove_entries(DIR *dir, unsigned depth)
{
	struct dirent *entry;
	int error = 0;

	while (error == 0 && (errno = 0, entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			error = remove_at(dirfd(dir), entry->d_name, depth);
	return error ? error : -errno;
}

static int empty(int at, const char *name, unsigned depth)
{
	int fd, error;
	DIR *dir;

	if (depth == DEPTH_MAX)
		return -ELOOP;
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (dir == NULL) {
		error = -errno;
		close(fd);
		return error;
	}
	error = remove_entries(dir, depth + 1);
	closedir(dir);
	return error;
}

static int remove_directory(int at, const char *name)
{
	return unlinkat(at, name, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : -errno;
}

/* A whole subvolume of btrfs in one step, a read-only snapshot too. */
static bool destroy_subvolume(int at, const char *name)
{
	struct btrfs_ioctl_vol_args args = {0};

	snprintf(args.name, sizeof(args.name), "%s", name);
	return ioctl(at, BTRFS_IOC_SNAP_DESTROY, &args) == 0;
}

/* Each step says itself whether NAME is what it is for: nobody can swap it between two of ours. */
static int remove_at(int at, const char *name, unsigned depth)
{
	int error;

	if (unlinkat(at, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR)
		return -errno;
	error = remove_directory(at, name);
	if (error != -ENOTEMPTY || destroy_subvolume(at, name))
		return error == -ENOTEMPTY ? 0 : error;
	error = empty(at, name, depth);
	return error ? error : remove_directory(at, name);
}

int storage_remove_tree(int at, const char *name)
{
	return remove_at(at, name, 0);
}

static int make(const struct storage *storage, const char *name, struct refusal *why)
{
	if (mkdirat(storage->fd, name, 0700) < 0 && errno != EEXIST)
		return storage_fail(-errno, storage, name, "cannot be made", why);
	return 0;
}

const struct storage_driver storage_dir = {.name = "dir", .make = make};
