/*
 * One set of empty namespaces, made once and joined by every role and monitor: a network without
 * interfaces, a root directory without files, System V IPC and a host name of their own.
 */
#ifndef VMM_NAMESPACES_H
#define VMM_NAMESPACES_H

struct namespaces {
	int net, ipc, uts, mount; /* descriptors, close-on-exec; -1: not available */
};

/*
 * Makes the set; needs root. DIRECTORY is any existing directory, used as a mount point out of
 * sight of everybody else. 0 or -errno, then all are -1.
 */
int namespaces_prepare(struct namespaces *set, const char *directory);

#endif
