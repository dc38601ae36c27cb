/* The control port's sockets. They stay vmmd's, so that the backlog outlives a gate. */
#ifndef VMM_LISTEN_H
#define VMM_LISTEN_H

#include "daemon.h"

/* Opens a socket for each --listen, or with -n for nothing in particular; exits with a line on
 * failure. */
void listen_open(struct daemon *d);

#endif
