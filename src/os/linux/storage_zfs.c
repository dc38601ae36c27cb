/*
 * Datasets, by the platform's tool: there is no stable library. Serves OpenZFS and zfs-fuse, which
 * name a mounted dataset as the source of its mount.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "mounted.h"
#include "owned.h"
#include "storage_private.h"
#include "tool.h"

#define DATASET_SIZE (STORAGE_DATASET_SIZE + STORAGE_NAME_SIZE)

typedef int zfs_step(const struct storage *storage, const char *name, struct refusal *why);

/*
 * Some failures pass: zfs-fuse lets go of what it has unmounted a moment later, and a tool that
 * somebody started before us, and who was killed, may still be running.
 */
static int patiently(zfs_step *step, const struct storage *storage, const char *name,
		     struct refusal *why)
{
	const struct timespec moment = {.tv_nsec = 100 * 1000 * 1000};
	int error = step(storage, name, why);

	for (int i = 0; i < 30 && error == -EIO; i++) {
		nanosleep(&moment, NULL);
		error = step(storage, name, why);
	}
	return error;
}

static const char *dataset_of(const struct storage *storage, const char *name, char *out)
{
	snprintf(out, DATASET_SIZE, "%s/%s", storage->dataset, name);
	return out;
}

static int prepare(struct storage *storage, const char *source, struct refusal *why)
{
	const char *argv[] = {"zfs", "list", "-H", "-o", "name", storage->dataset, NULL};

	if (strlen(source) >= sizeof(storage->dataset)) {
		refusal_say(why, "%s is on a dataset whose name is too long: %s", storage->path,
			    source);
		return -ENAMETOOLONG;
	}
	snprintf(storage->dataset, sizeof(storage->dataset), "%s", source);
	return tool_run(argv, NULL, why);
}

/*
 * 1, 0 or -errno. The whole list is asked for, as a tool that cannot look fails no otherwise than
 * for what is not there.
 */
static int exists(const struct storage *storage, const char *name, struct refusal *why)
{
	const char *argv[] = {
	    "zfs",  "list",	      "-H", "-r", "-d", "1", "-t", "filesystem", "-o",
	    "name", storage->dataset, NULL};
	char *list, *next = NULL, wanted[DATASET_SIZE];
	int error = tool_run(argv, &list, why), found = 0;

	if (error)
		return error;
	dataset_of(storage, name, wanted);
	for (char *at = strtok_r(list, "\n", &next); at; at = strtok_r(NULL, "\n", &next))
		found |= strcmp(at, wanted) == 0;
	free(list);
	return found;
}

static bool made(const struct storage *storage, const char *name, int fd)
{
	struct mounted mounted;
	char dataset[DATASET_SIZE];

	return mounted_at(fd, &mounted) == 0 &&
	       strcmp(mounted.source, dataset_of(storage, name, dataset)) == 0;
}

/* Inherited where that leads to the right place; else the directory is somewhere in its dataset. */
static int create(const struct storage *storage, const char *name, struct refusal *why)
{
	const char *get[] = {"zfs", "get", "-H", "-o", "value", "mountpoint", storage->dataset,
			     NULL};
	char dataset[DATASET_SIZE], point[PATH_MAX + 96], *above;
	const char *inherits[] = {"zfs", "create", dataset, NULL};
	const char *says[] = {"zfs", "create", "-o", point, dataset, NULL};
	int error = tool_run(get, &above, why);

	if (error)
		return error;
	above[strcspn(above, "\n")] = 0;
	dataset_of(storage, name, dataset);
	snprintf(point, sizeof(point), "mountpoint=%s/%s", storage->path, name);
	error = tool_run(strcmp(above, storage->path) == 0 ? inherits : says, NULL, why);
	free(above);
	return error;
}

/* Whether something has to be mounted first: other errors are the caller's to find. */
static bool is_missing(const struct storage *storage, const char *name)
{
	int fd = storage_enter(storage, name);

	if (fd >= 0)
		close(fd);
	return fd == -ENOENT || fd == -ENODEV;
}

static int mount_it(const struct storage *storage, const char *name, struct refusal *why)
{
	char dataset[DATASET_SIZE];
	const char *argv[] = {"zfs", "mount", dataset_of(storage, name, dataset), NULL};

	return is_missing(storage, name) ? tool_run(argv, NULL, why) : 0;
}

static int make_once(const struct storage *storage, const char *name, struct refusal *why)
{
	int there = exists(storage, name, why), error;

	if (there < 0)
		return there;
	/*
	 * An empty directory may be left of a mount; anything else would be hidden by ours. (EBUSY:
	 * somebody else has just mounted it.)
	 */
	if (!there && unlinkat(storage->fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT &&
	    errno != EBUSY)
		return storage_fail(-errno, storage, name, "is there already and no dataset", why);
	error = there ? 0 : create(storage, name, why);
	return error ? error : mount_it(storage, name, why);
}

static int make(const struct storage *storage, const char *name, struct refusal *why)
{
	return patiently(make_once, storage, name, why);
}

static bool is_limited(const char *dataset)
{
	const char *argv[] = {"zfs", "get", "-H", "-o", "value", "refquota", dataset, NULL};
	struct refusal why;
	char *value;
	bool is;

	if (tool_run(argv, &value, &why) < 0)
		return false;
	is = strcmp(value, "none\n") != 0 && strcmp(value, "0\n") != 0;
	free(value);
	return is;
}

/*
 * What a tenant's own files take, snapshots aside, which are the operator's. Beside the volumes
 * there is what describes them. What was removed a moment ago counts for seconds more, in which zfs
 * refuses a smaller limit: then the one that is there has to do.
 */
static int limit(const struct storage *storage, const char *name, uint64_t limit_mb,
		 struct refusal *why)
{
	char property[64], dataset[DATASET_SIZE];
	const char *argv[] = {"zfs", "set", property, dataset_of(storage, name, dataset), NULL};
	int error;

	snprintf(property, sizeof(property), "refquota=%" PRIu64 "M",
		 limit_mb + limit_mb / 16 + 16);
	error = tool_run(argv, NULL, why);
	return error == -EIO && is_limited(dataset) ? 0 : error;
}

static int destroy_once(const struct storage *storage, const char *name, struct refusal *why)
{
	char dataset[DATASET_SIZE];
	const char *argv[] = {"zfs", "destroy", "-r", dataset_of(storage, name, dataset), NULL};
	int there = exists(storage, name, why);

	return there <= 0 ? there : tool_run(argv, NULL, why);
}

static int destroy(const struct storage *storage, const char *name, struct refusal *why)
{
	return patiently(destroy_once, storage, name, why);
}

const struct storage_driver storage_zfs = {
    .name = "zfs",
    .what = "dataset",
    .prepare = prepare,
    .make = make,
    .limit = limit,
    .remove = destroy,
    .made = made,
};
