/* Chooses the driver; what all of them have in common. */
#include "storage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mounted.h"
#include "owned.h"
#include "storage_private.h"

#define NAME_DIGITS (STORAGE_NAME_SIZE - 1)

static const struct storage_driver *const drivers[STORAGE_KINDS] = {
    [STORAGE_DIR] = &storage_dir,
    [STORAGE_BTRFS] = &storage_btrfs,
    [STORAGE_ZFS] = &storage_zfs,
};

const char *storage_kind_name(enum storage_kind kind)
{
	return drivers[kind]->name;
}

int storage_fail(int error, const struct storage *storage, const char *name, const char *problem,
		 struct refusal *why)
{
	refusal_say(why, "%s/%s %s: %s", storage->path, name, problem, strerror(-error));
	return error;
}

/* Of a file system as the kernel names it. */
static enum storage_kind kind_of(const char *type)
{
	if (strcmp(type, "btrfs") == 0)
		return STORAGE_BTRFS;
	return strcmp(type, "zfs") == 0 || strcmp(type, "fuse.zfs") == 0 ? STORAGE_ZFS
									 : STORAGE_DIR;
}

/* A directory works everywhere, and is all that an ordinary user can have. */
static int choose(const char *path, const char *type, const char *insist, enum storage_kind *kind,
		  struct refusal *why)
{
	enum storage_kind there = kind_of(type);

	*kind = geteuid() == 0 ? there : STORAGE_DIR;
	if (insist == NULL)
		return 0;
	for (*kind = STORAGE_DIR; *kind < STORAGE_KINDS; (*kind)++)
		if (strcmp(drivers[*kind]->name, insist) == 0)
			break;
	if (*kind == STORAGE_KINDS) {
		refusal_say(why, "--storage %s: must be dir, btrfs or zfs", insist);
		return -EINVAL;
	}
	if (*kind != STORAGE_DIR && *kind != there) {
		refusal_say(why, "--storage %s: %s is on %s (%s)", insist, path, type,
			    drivers[there]->name);
		return -EINVAL;
	}
	if (*kind != STORAGE_DIR && geteuid() != 0) {
		refusal_say(why, "--storage %s takes root; an ordinary user has dir", insist);
		return -EPERM;
	}
	return 0;
}

/* Tools want the whole path. */
static int find_path(int fd, char *path)
{
	char self[64];
	ssize_t n;

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	n = readlink(self, path, PATH_MAX - 1);
	if (n < 0)
		return -errno;
	path[n] = 0;
	return 0;
}

static int open_kind(const char *path, const char *insist, struct storage *out, struct refusal *why)
{
	struct mounted mounted = {"a mount outside of its root directory", ""};
	int error = mounted_at(out->fd, &mounted);

	if (error == 0 || error == -ENOENT)
		error = find_path(out->fd, out->path);
	if (error) {
		refusal_say(why, "what %s is on cannot be found out: %s", path, strerror(-error));
		return error;
	}
	error = choose(path, mounted.type, insist, &out->kind, why);
	if (error == 0 && drivers[out->kind]->prepare)
		error = drivers[out->kind]->prepare(out, mounted.source, why);
	return error;
}

int storage_open(const char *path, const char *insist, struct storage *out, struct refusal *why)
{
	const char *problem;
	int error;

	memset(out, 0, sizeof(*out));
	out->fd = owned_open(AT_FDCWD, path, &problem);
	if (out->fd < 0) {
		refusal_say(why, "%s %s: %s", path, problem, strerror(-out->fd));
		return out->fd;
	}
	error = open_kind(path, insist, out, why);
	if (error) {
		close(out->fd);
		out->fd = -1;
	}
	return error;
}

/* Also what keeps names from being paths and options. */
static bool is_name(const char *name)
{
	return strlen(name) == NAME_DIGITS && strspn(name, "0123456789abcdef") == NAME_DIGITS;
}

static int check_name(const struct storage *storage, const char *name, struct refusal *why)
{
	return is_name(name) ? 0
			     : storage_fail(-EINVAL, storage, name, "is not 64 hex digits", why);
}

static int enter(const struct storage *storage, const char *name, const char **problem)
{
	const struct storage_driver *driver = drivers[storage->kind];
	int fd = owned_open(storage->fd, name, problem);

	if (fd < 0 || driver->made == NULL || driver->made(storage, name, fd))
		return fd;
	close(fd);
	return -ENODEV;
}

int storage_enter(const struct storage *storage, const char *name)
{
	const char *problem;

	return is_name(name) ? enter(storage, name, &problem) : -EINVAL;
}

/* What was there before us has perhaps another mode, or was made when we were killed. */
static int close_to_others(const struct storage *storage, const char *name, struct refusal *why)
{
	const char *problem;
	int fd = enter(storage, name, &problem), error;

	if (fd == -ENODEV) {
		refusal_say(why,
			    "%s/%s is no %s of its own that is mounted there: move it away or"
			    " start with --storage dir",
			    storage->path, name, drivers[storage->kind]->what);
		return fd;
	}
	if (fd < 0)
		return storage_fail(fd, storage, name, problem, why);
	error = fchmod(fd, 0700) < 0 || fsync(storage->fd) < 0 ? -errno : 0;
	close(fd);
	return error ? storage_fail(error, storage, name, "cannot be made ours alone", why) : 0;
}

int storage_make(const struct storage *storage, const char *name, uint64_t limit_mb,
		 struct refusal *why)
{
	int error = check_name(storage, name, why);

	if (error == 0)
		error = drivers[storage->kind]->make(storage, name, why);
	if (error == 0)
		error = close_to_others(storage, name, why);
	return error || drivers[storage->kind]->limit == NULL
		   ? error
		   : drivers[storage->kind]->limit(storage, name, limit_mb, why);
}

int storage_remove(const struct storage *storage, const char *name, struct refusal *why)
{
	int error = check_name(storage, name, why);

	if (error == 0 && drivers[storage->kind]->remove)
		error = drivers[storage->kind]->remove(storage, name, why);
	if (error)
		return error;
	error = storage_remove_tree(storage->fd, name);
	if (error == 0 && fsync(storage->fd) < 0)
		error = -errno;
	return error ? storage_fail(error, storage, name, "cannot be removed", why) : 0;
}
