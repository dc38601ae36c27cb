/* Every step is by descriptor, from the volume directory down. */
#include "volume_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "owned.h"

void place_file_name(const struct label *label, char out[STORAGE_NAME_SIZE])
{
	label_format(label, LABEL_DIGITS_MAX, out);
}

/* DIR's directory NAME, ours alone; DIR is closed. */
static int step_down(int dir, const char *name)
{
	const char *problem;
	int fd = owned_open(dir, name, &problem);

	close(dir);
	return fd;
}

static int file_system_open(const struct storage *storage, const struct path *path)
{
	char name[STORAGE_NAME_SIZE];
	int fd;

	place_file_name(&path->node[0].label, name);
	fd = storage_enter(storage, name);
	return fd < 0 ? fd : step_down(fd, ".");
}

int place_open(const struct storage *storage, const struct path *path)
{
	char name[STORAGE_NAME_SIZE];
	int fd = file_system_open(storage, path);

	for (uint32_t i = 1; i < path->depth && fd >= 0; i++) {
		place_file_name(&path->node[i].label, name);
		fd = step_down(fd, name);
	}
	return fd;
}

bool place_read_name(int dir, char out[NAME_SIZE])
{
	int fd = openat(dir, PLACE_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char text[NAME_SIZE + 1];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));

	if (fd >= 0)
		close(fd);
	if (n <= 0 || name_problem(text, (size_t)n) != NULL)
		return false;
	memcpy(out, text, (size_t)n);
	out[n] = 0;
	return true;
}

static int write_name(int dir, const char *name)
{
	const char *part = ":" PLACE_NAME VOLUME_PART; /* no volume's */
	char old[NAME_SIZE];
	size_t n = strlen(name);
	int fd, error = 0;

	if (place_read_name(dir, old) && strcmp(old, name) == 0)
		return 0;
	unlinkat(dir, part, 0);
	fd = openat(dir, part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (write(fd, name, n) != (ssize_t)n)
		error = -ENOSPC;
	else if (fsync(fd) < 0 || renameat(dir, part, dir, PLACE_NAME) < 0)
		error = -errno;
	close(fd);
	return error;
}

/* DIR's directory NAME, made if need be; DIR is closed. */
static int make_below(int dir, const char *name)
{
	int error = 0;

	if ((mkdirat(dir, name, 0700) < 0 && errno != EEXIST) || fsync(dir) < 0)
		error = -errno;
	if (error == 0)
		return step_down(dir, name);
	close(dir);
	return error;
}

int place_make(const struct storage *storage, const struct path *path)
{
	char name[STORAGE_NAME_SIZE];
	int fd = file_system_open(storage, path), error;

	for (uint32_t i = 0; fd >= 0; i++) {
		error = write_name(fd, path->node[i].name);
		if (error < 0) {
			close(fd);
			return error;
		}
		if (i + 1 == path->depth)
			return fd;
		place_file_name(&path->node[i + 1].label, name);
		fd = make_below(fd, name);
	}
	return fd;
}

int place_remove(const struct storage *storage, const struct path *path)
{
	struct path above = *path;
	char name[STORAGE_NAME_SIZE];
	int dir, error;

	above.depth--;
	dir = place_open(storage, &above);
	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	place_file_name(&path->node[above.depth].label, name);
	error = storage_remove_tree(dir, name);
	if (error == 0 && fsync(dir) < 0)
		error = -errno;
	close(dir);
	return error;
}

/* Whether there is nothing but its name in DIR. */
static bool is_bare(int dir)
{
	int own = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = own < 0 ? NULL : fdopendir(own);
	const struct dirent *entry;
	bool bare = list != NULL;

	if (list == NULL && own >= 0)
		close(own);
	while (bare && (entry = readdir(list)) != NULL)
		bare = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		       strcmp(entry->d_name, PLACE_NAME) == 0;
	if (list)
		closedir(list);
	return bare;
}

void place_prune(const struct storage *storage, const struct path *path)
{
	struct path at = *path, above = *path;
	char name[STORAGE_NAME_SIZE];
	bool gone = true;

	for (; gone && at.depth > 1; at.depth--) {
		int dir = place_open(storage, &at), parent;

		if (dir < 0)
			return;
		above.depth = at.depth - 1;
		parent = is_bare(dir) ? place_open(storage, &above) : -1;
		place_file_name(&at.node[above.depth].label, name);
		/* Without a name: we were killed here. */
		gone = parent >= 0 && (unlinkat(dir, PLACE_NAME, 0) == 0 || errno == ENOENT) &&
		       unlinkat(parent, name, AT_REMOVEDIR) == 0;
		close(dir);
		if (parent >= 0)
			close(parent);
	}
}

static void file_name(const char *name, bool part, char out[VOLUME_FILE_SIZE])
{
	snprintf(out, VOLUME_FILE_SIZE, "%s%s", name, part ? VOLUME_PART : VOLUME_SUFFIX);
}

int volume_open(int dir, const char *name, bool part, int flags, uint32_t size_mb)
{
	char file[VOLUME_FILE_SIZE];
	struct stat st;
	int fd;

	file_name(name, part, file);
	fd = openat(dir, file, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 &&
	    st.st_uid == geteuid() && st.st_size == (off_t)size_mb << 20 &&
	    fcntl(fd, F_SETFL, 0) == 0)
		return fd;
	close(fd);
	return -EPERM;
}

int volume_make_part(int dir, const char *name, uint32_t size_mb)
{
	char file[VOLUME_FILE_SIZE];
	int fd, error = 0;

	file_name(name, true, file);
	unlinkat(dir, file, 0);
	fd = openat(dir, file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)size_mb << 20) < 0 || fsync(fd) < 0)
		error = -errno;
	close(fd);
	if (error < 0)
		unlinkat(dir, file, 0);
	return error;
}

int volume_promote(int dir, const char *name, bool replace)
{
	char part[VOLUME_FILE_SIZE], file[VOLUME_FILE_SIZE];
	struct stat st;

	file_name(name, true, part);
	file_name(name, false, file);
	if (!replace && fstatat(dir, file, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	return renameat(dir, part, dir, file) < 0 || fsync(dir) < 0 ? -errno : 0;
}

int volume_remove(int dir, const char *name, bool part)
{
	char file[VOLUME_FILE_SIZE];

	file_name(name, part, file);
	if (unlinkat(dir, file, 0) < 0 && errno != ENOENT)
		return -errno;
	return fsync(dir) < 0 ? -errno : 0;
}

uint64_t volume_allocated(int dir, const char *name)
{
	char file[VOLUME_FILE_SIZE];
	struct stat st;

	file_name(name, false, file);
	if (fstatat(dir, file, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	return (uint64_t)st.st_blocks * 512;
}
