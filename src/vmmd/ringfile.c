/* A ring's file must have its size before anybody maps it. */
#include "ringfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int ringfile_open(int dir_fd, const char *name, size_t size)
{
	int fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_size == (off_t)size || ftruncate(fd, (off_t)size) == 0))
		return fd;
	close(fd);
	return -ENOSPC;
}
