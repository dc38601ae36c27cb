/*
 * A session with a command certificate, from its first command to its last.
 */
#ifndef VMM_RUN_H
#define VMM_RUN_H

#include "client.h"

/* The -c commands in order. */
void run_commands(struct client *client);
/* What is typed, or comes from a pipe, until quit or its end. */
void run_input(struct client *client);

#endif
