/*
 * Subvolumes, by the kernel's own interface (linux/btrfs.h): a handful of ioctls, so that neither a
 * library nor a tool is needed. The volume directory may lie anywhere in the file system.
 */
#include <errno.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "owned.h"
#include "storage_private.h"

static bool made(const struct storage *storage, const char *name, int fd)
{
	struct statfs fs;
	struct stat st;

	(void)storage, (void)name;
	return fstatfs(fd, &fs) == 0 && fs.f_type == BTRFS_SUPER_MAGIC && fstat(fd, &st) == 0 &&
	       st.st_ino == BTRFS_FIRST_FREE_OBJECTID;
}

static int make(const struct storage *storage, const char *name, struct refusal *why)
{
	struct btrfs_ioctl_vol_args args = {0};
	mode_t old = umask(077); /* a subvolume's mode is what this leaves */
	int error;

	snprintf(args.name, sizeof(args.name), "%s", name);
	error = ioctl(storage->fd, BTRFS_IOC_SUBVOL_CREATE, &args) < 0 ? -errno : 0;
	umask(old);
	if (error && error != -EEXIST)
		return storage_fail(error, storage, name, "cannot be made a subvolume", why);
	return 0;
}

/* Nothing happens where it is on. What was written before is counted while we go on. */
static int switch_quota_on(int fd)
{
	struct btrfs_ioctl_quota_ctl_args args = {.cmd = BTRFS_QUOTA_CTL_ENABLE};

	if (ioctl(fd, BTRFS_IOC_QUOTA_CTL, &args) == 0 || errno == EEXIST || errno == EINPROGRESS)
		return 0;
	return -errno;
}

/*
 * Twice what the volumes have: an extent is counted whole for as long as a part of it is used, so
 * that a volume that is written in places of its own choosing takes up to twice its size. (64 MB
 * after 8,000 writes of 4 KB: 90.)
 */
static uint64_t room_bytes(uint64_t limit_mb)
{
	return (2 * limit_mb + 16) << 20;
}

static int limit(const struct storage *storage, const char *name, uint64_t limit_mb,
		 struct refusal *why)
{
	/* The qgroup of the subvolume that the descriptor is in. */
	struct btrfs_ioctl_qgroup_limit_args args = {
	    .lim = {.flags = BTRFS_QGROUP_LIMIT_MAX_RFER, .max_rfer = room_bytes(limit_mb)}};
	int fd = storage_enter(storage, name), error;

	if (fd < 0)
		return storage_fail(fd, storage, name, "cannot be entered", why);
	error = switch_quota_on(fd);
	if (error) {
		close(fd);
		return storage_fail(error, storage, name, "has no quota: it cannot be switched on",
				    why);
	}
	error = ioctl(fd, BTRFS_IOC_QGROUP_LIMIT, &args) < 0 ? -errno : 0;
	close(fd);
	return error ? storage_fail(error, storage, name, "cannot be limited", why) : 0;
}

static uint64_t subvolume_id(const struct storage *storage, const char *name)
{
	struct btrfs_ioctl_get_subvol_info_args info;
	int fd = storage_enter(storage, name);
	bool known = fd >= 0 && ioctl(fd, BTRFS_IOC_GET_SUBVOL_INFO, &info) == 0;

	if (fd >= 0)
		close(fd);
	return known ? info.treeid : 0;
}

/*
 * The subvolume goes first: kernels from 6.10 on refuse while it is there, and remove the qgroup
 * themselves when they have dropped the last of it. Older ones leave it, so its end is no error.
 */
static int remove_with_qgroup(const struct storage *storage, const char *name, struct refusal *why)
{
	struct btrfs_ioctl_qgroup_create_args args = {.qgroupid = subvolume_id(storage, name)};
	int error = storage_remove_tree(storage->fd, name);

	if (error)
		return storage_fail(error, storage, name, "cannot be removed", why);
	if (args.qgroupid)
		ioctl(storage->fd, BTRFS_IOC_QGROUP_CREATE, &args);
	return 0;
}

const struct storage_driver storage_btrfs = {
    .name = "btrfs",
    .what = "subvolume",
    .make = make,
    .limit = limit,
    .remove = remove_with_qgroup,
    .made = made,
};
