/*
 * Directories that are ours alone. No link is followed in their last component; what belongs to
 * somebody else, or lets somebody else write, is refused. Functions return -errno with *PROBLEM, a
 * phrase that follows the path.
 */
#ifndef VMM_OWNED_H
#define VMM_OWNED_H

#include <stdbool.h>
#include <sys/types.h>

/* The directory at PATH, below AT where it is relative. */
int owned_open(int at, const char *path, const char **problem);
/* The same, made if need be; for an ordinary user what is above it too. */
int owned_make(const char *path, const char **problem);
/*
 * The directory NAME in AT, made if need be, for a process of ours that runs as UID: it and the
 * regular files in it are given to UID, and nobody else may look. Anything else in it, a file with
 * a second link too, is refused. Not root: it stays ours, UID is ignored.
 */
int owned_give(int at, const char *name, uid_t uid, const char **problem);
/*
 * Locks the directory FD for this process alone. A child of one that was killed a moment ago may
 * have it for a little longer; it is waited for. False: whoever has it keeps it.
 */
bool owned_lock(int fd);

#endif
