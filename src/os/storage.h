/*
 * File systems for volumes: one for each top delegation, made in the volume directory. Three
 * drivers, of which the one is chosen that fits what the directory is on:
 *
 *   dir    a directory; the disk's own size is the limit
 *   btrfs  a subvolume; its qgroup's limit of referenced bytes (quota is switched on if need be)
 *   zfs    a dataset below the one that is mounted there; its refquota
 *
 * Calls block for as long as disks and tools take: vmmd makes them in a process of their own
 * (src/vmmd/job.h). They return 0 or -errno with WHY, one line that names path and tool.
 */
#ifndef VMM_STORAGE_H
#define VMM_STORAGE_H

#include <limits.h>
#include <stdint.h>

#include "policy.h"

enum storage_kind { STORAGE_DIR, STORAGE_BTRFS, STORAGE_ZFS, STORAGE_KINDS };

#define STORAGE_NAME_SIZE    65	 /* of a file system: 64 hex digits and a NUL */
#define STORAGE_DATASET_SIZE 192 /* of the zfs dataset above them */

struct storage {
	enum storage_kind kind;
	int fd; /* the volume directory */
	char path[PATH_MAX];
	char dataset[STORAGE_DATASET_SIZE]; /* zfs alone */
};

/* "dir", "btrfs", "zfs" */
const char *storage_kind_name(enum storage_kind kind);

/*
 * Opens PATH, which is there and ours (owned.h), and changes nothing. INSIST: the driver it must
 * be; NULL: any, dir for an ordinary user. A kind that is no kind, or another one than what is
 * there, is an error that says what is there; dir is there everywhere.
 */
int storage_open(const char *path, const char *insist, struct storage *out, struct refusal *why);

/*
 * Makes the file system NAME, 64 hex digits, if there is none, its root ours alone; and gives it
 * room for files of LIMIT_MB in all and what a file system needs beside them, whatever it had.
 */
int storage_make(const struct storage *storage, const char *name, uint64_t limit_mb,
		 struct refusal *why);
/*
 * Removes it with everything in it, snapshots of zfs too; 0 where there is none. A directory of
 * that name that another driver made is removed likewise.
 */
int storage_remove(const struct storage *storage, const char *name, struct refusal *why);
/*
 * Its root directory; or -errno, -ENOENT where there is none, -ENODEV where there is a directory
 * that is no file system of that driver's. Does not block.
 */
int storage_enter(const struct storage *storage, const char *name);

/*
 * Removes NAME in AT, a directory of such a file system, with everything below it; 0 where there is
 * none, or -errno. Follows no link, and crosses no mount: one is an error (-EBUSY). Subvolumes of
 * btrfs go as well.
 */
int storage_remove_tree(int at, const char *name);

#endif
