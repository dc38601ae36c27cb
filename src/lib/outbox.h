/*
 * Messages that wait for a peer that does not keep up. Bounded by who fills it: a session is read
 * again only when its outbox is empty, a role that lets it grow is ended.
 */
#ifndef VMM_OUTBOX_H
#define VMM_OUTBOX_H

#include "channel.h"

struct queued;

struct outbox {
	struct queued *first, **end;
	size_t bytes;
};

void outbox_init(struct outbox *box);
/*
 * Sends at once when nothing waits, else queues a copy; FDS stay the caller's (they are
 * duplicated). 0, or -errno when the peer is gone or memory is.
 */
int outbox_send(struct outbox *box, struct channel *to, uint32_t type, const void *body,
		const int *fds);
/* Sends what waits: 0 all of it, -EAGAIN not yet, another -errno: the peer is gone. */
int outbox_flush(struct outbox *box, struct channel *to);
void outbox_clear(struct outbox *box);

#endif
