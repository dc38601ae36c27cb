/*
 * Listening sockets that the service manager opened and hands over, as sd_listen_fds(3) tells it:
 * our side of that. The manager keeps them open too: whoever connects while no vmmd runs waits for
 * the next one instead of being refused.
 */
#ifndef VMM_HANDED_H
#define VMM_HANDED_H

#include <stdbool.h>
#include <stddef.h>

#include "policy.h"

#define HANDED_FIRST_FD 3

/*
 * How many were handed to this process, by $LISTEN_PID and $LISTEN_FDS: the descriptors from
 * HANDED_FIRST_FD on. 0 when these variables are not there or meant for another process. -1 with
 * WHY when they make no sense or there are more than MOST.
 */
int handed_count(unsigned most, struct refusal *why);
/*
 * Takes handed socket number I: requires that it is a TCP socket that listens, makes it
 * close-on-exec and non-blocking, writes its address as --listen has it to ADDRESS, of SIZE bytes.
 * The descriptor, the caller's from here on, or -1 with WHY, which calls it as $LISTEN_FDNAMES
 * does.
 */
int handed_take(unsigned i, char *address, size_t size, struct refusal *why);
/* Takes the variables out of the environment: what is handed is handed once. */
void handed_forget(void);

#endif
