/*
 * Starting a program: vfork semantics, by descriptor, with exactly the descriptors listed.
 */
#ifndef VMM_SPAWN_H
#define VMM_SPAWN_H

#include <stdint.h>
#include <sys/types.h>

#include "namespaces.h"

#define SPAWN_FDS_MAX 48

struct spawn {
	int program; /* descriptor of the file to execute */
	char *const *argv;
	unsigned nfds;
	const int *fds;			     /* fds[i] becomes descriptor i; -1: i stays closed */
	const struct namespaces *namespaces; /* joined; NULL: none */
	uid_t uid;			     /* and gid; 0: unchanged */
	int cpu;			     /* the only one it may run on; -1: any */
	uint64_t address_space;		     /* limit in bytes; 0: none */
	int note; /* a file that the process writes who it is to, first; 0: none */
};

/*
 * Returns when the program is running or could not be executed. 0, PID and a pidfd (close-on-exec),
 * or -errno with *STEP naming what failed ("enter the namespaces").
 */
int spawn(const struct spawn *what, pid_t *pid, int *pidfd, const char **step);

#endif
