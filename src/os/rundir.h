/*
 * The runtime directory, in memory where the system lets us.
 */
#ifndef VMM_RUNDIR_H
#define VMM_RUNDIR_H

#include <stdbool.h>

/*
 * Makes PATH if need be, requires that it is ours alone, mounts a tmpfs on it when we are root and
 * it is not in memory yet. *MOUNTED: vmmd did that, now or earlier. Returns its descriptor or
 * -errno with *PROBLEM, a phrase.
 */
int rundir_open(const char *path, bool *mounted, const char **problem);
/* Whether the directory's files are in memory. */
bool rundir_in_memory(int fd);
/* Undoes the mount; 0 or -errno. */
int rundir_unmount(const char *path);

#endif
