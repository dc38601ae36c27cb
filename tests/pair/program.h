/* A role's program, started as vmmd starts it. */
#ifndef VMM_PAIR_PROGRAM_H
#define VMM_PAIR_PROGRAM_H

#include <sys/types.h>

#include "channel.h"

/* The program in the file PATH, with LOWER, which is taken over, as its channel. */
pid_t program_execute(const char *path, struct channel *lower);
/* The same with an OPTION, and after BEFORE was called in the new process; NULL: without. */
pid_t program_execute_as(const char *path, struct channel *lower, const char *option,
			 void (*before)(void));
/* Its status, once it has ended. UPPER, the other end of its channel, is closed. */
int program_wait(pid_t pid, struct channel *upper);

#endif
