/* The runtime directory: ours alone, on a tmpfs. */
#include "rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "owned.h"

/* Says of a tmpfs that vmmd mounted it. */
#define MARK ".mounted-by-vmmd"

/* Whether the file system at FD is the tmpfs that an earlier vmmd mounted. */
static bool has_mark(int fd)
{
	return faccessat(fd, MARK, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int mount_memory(const char *path, const char **problem)
{
	int fd, mark;

	*problem = "cannot be mounted as a tmpfs";
	if (mount("vmm", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") < 0)
		return -errno;
	fd = owned_open(AT_FDCWD, path, problem);
	mark = fd < 0 ? -1 : openat(fd, MARK, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (mark >= 0)
		close(mark);
	return fd;
}

bool rundir_in_memory(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == TMPFS_MAGIC;
}

int rundir_open(const char *path, bool *mounted, const char **problem)
{
	int fd;

	*mounted = false;
	if (mkdir(path, 0700) < 0 && errno != EEXIST) {
		*problem = "cannot be made";
		return -errno;
	}
	fd = owned_open(AT_FDCWD, path, problem);
	if (fd < 0 || geteuid() != 0)
		return fd;
	*mounted = true;
	if (rundir_in_memory(fd)) {
		*mounted = has_mark(fd);
		return fd;
	}
	close(fd);
	return mount_memory(path, problem);
}

int rundir_unmount(const char *path)
{
	return umount(path) < 0 ? -errno : 0;
}
