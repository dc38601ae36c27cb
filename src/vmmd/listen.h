/* The control port's sockets. They stay vmmd's, so that the backlog outlives a gate. */
#ifndef VMM_LISTEN_H
#define VMM_LISTEN_H

#include "daemon.h"

/*
 * Takes the sockets that the service manager hands over (handed.h) and opens one for each --listen;
 * where there are neither, one for [::]:1025. With -n all are looked at, and one for nothing in
 * particular is opened. Exits with a line on failure.
 */
void listen_open(struct daemon *d);

#endif
