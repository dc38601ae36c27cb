/*
 * One set of empty namespaces, made once and joined by every role and monitor: a network without
 * interfaces, a root directory without files, System V IPC and a host name of their own.
 */
#ifndef VMM_NAMESPACES_H
#define VMM_NAMESPACES_H

#define NAMESPACES_MAX 5

struct namespaces {
	int fd[NAMESPACES_MAX]; /* close-on-exec, in the order in which they can be joined */
	unsigned n;		/* 0: they are not to be had */
};

/*
 * Makes the set, inside of a user namespace when we are not root. DIRECTORY is any existing
 * directory, used as a mount point out of sight of everybody else. 0 or -errno.
 */
int namespaces_prepare(struct namespaces *set, const char *directory);

#endif
