/*
 * Volumes as files (volumes.h has how they lie). What is half made is called NAME.part until it
 * takes its place. No link is followed; what is not ours alone, or no plain file of one link, is
 * refused. Functions return 0, a descriptor, or -errno.
 */
#ifndef VMM_VOLUME_DIR_H
#define VMM_VOLUME_DIR_H

#include <stdbool.h>
#include <sys/types.h>

#include "storage.h"

#define VOLUME_SUFFIX	 ".vol"
#define VOLUME_PART	 ".part"
#define VOLUME_FILE_SIZE (NAME_SIZE + 8) /* NAME and a suffix */
#define PLACE_NAME	 "name"

/* The name of a top delegation's file system, and of a directory of one below, into OUT. */
void place_file_name(const struct label *label, char out[STORAGE_NAME_SIZE]);
/* The directory of the delegation at PATH. */
int place_open(const struct storage *storage, const struct path *path);
/* The same, made where it is not there, with everything above it but the file system. */
int place_make(const struct storage *storage, const struct path *path);
/* Removes the delegation's directory with everything in it; 0 where there is none. */
int place_remove(const struct storage *storage, const struct path *path);
/* Removes the directory if it has no volume and no delegation, and then those above it. */
void place_prune(const struct storage *storage, const struct path *path);
/* What the directory's "name" says; false: nothing that may be a name. */
bool place_read_name(int dir, char out[NAME_SIZE]);

/* Opens NAME's file, or what is to become its contents: SIZE_MB long. */
int volume_open(int dir, const char *name, bool part, int flags, uint32_t size_mb);
/* Makes NAME.part, all zeros, in place of one that is there. */
int volume_make_part(int dir, const char *name, uint32_t size_mb);
/* NAME.part, which is on the disk, becomes the volume, in place of the one before with REPLACE. */
int volume_promote(int dir, const char *name, bool replace);
int volume_remove(int dir, const char *name, bool part);
/* Bytes that the volume takes on the disk. */
uint64_t volume_allocated(int dir, const char *name);

#endif
