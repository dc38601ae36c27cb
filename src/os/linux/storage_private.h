/*
 * Between storage.c and its drivers. NAME has been checked; errors and WHY as in storage.h.
 */
#ifndef VMM_STORAGE_PRIVATE_H
#define VMM_STORAGE_PRIVATE_H

#include "storage.h"

struct storage_driver {
	const char *name;
	/* Completes STORAGE, which is open; changes nothing on the disk. NULL: nothing to do. */
	int (*prepare)(struct storage *storage, const char *source, struct refusal *why);
	/* Makes the file system NAME if there is none, mounted, without a limit yet. */
	int (*make)(const struct storage *storage, const char *name, struct refusal *why);
	int (*limit)(const struct storage *storage, const char *name, uint64_t limit_mb,
		     struct refusal *why);
	/* Removes what is more than a directory: what is left of it then is removed as one. */
	int (*remove)(const struct storage *storage, const char *name, struct refusal *why);
	/* Whether FD, the directory NAME, is what make makes. NULL: any directory is. */
	bool (*made)(const struct storage *storage, const char *name, int fd);
	const char *what; /* "subvolume" */
};

extern const struct storage_driver storage_dir, storage_btrfs, storage_zfs;

/* Fills WHY with "PATH/NAME PROBLEM: ERROR in words"; ERROR, so that it can be returned. */
int storage_fail(int error, const struct storage *storage, const char *name, const char *problem,
		 struct refusal *why);

#endif
