/*
 * Contents of volumes on their way, from a file or into one, while other commands go on. Each goes
 * on until it is done, fails, or Ctrl-C; one that was not done leaves nothing behind.
 */
#ifndef VMM_TRANSFER_H
#define VMM_TRANSFER_H

#include "client.h"

enum transfer_kind { TRANSFER_UPLOAD, TRANSFER_DUMP };

struct transfer;

/* Begins one between the volume TYPED and FILE, for COMMAND; or tells why not. */
void transfer_start(struct client *client, enum transfer_kind kind, const char *command,
		    const char *typed, const char *file);
/* Tells of those that are over, and frees them. After it, whether there is any. */
bool transfers_open(struct client *client);
/* Ends all of them, which is told. */
void transfers_end(struct client *client);

/* On a terminal: whether it is time to say how far one is; says it; takes it off the screen. */
bool transfers_due(const struct client *client);
void transfers_show(struct client *client);
void transfers_hide(struct client *client);

#endif
