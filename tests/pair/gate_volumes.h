/*
 * What gate_upper does with volumes, in the place of vmmd and of vmm_volume. What happens is in the
 * path: of a write, "taken" is refused, "small" has room for 1 MB (others for 1 GB), "late" fails
 * in words after 1 MB, "dead" without any, "stopped" is not read; of a read, "mbN" has N MB (others
 * 1 MB), "short" ends half-way, "stopped" brings nothing, "held" is stopped when all was sent.
 * Contents are always the same pattern: byte I is I % 65521 * 31 / 4 % 256. Said, a line each:
 *
 *   write PATH SIZE      VOLUME_WRITE, -1 for an unknown size
 *   stored PATH BYTES right|wrong     all of it came, and VOLUME_WRITTEN before its end
 *   broken PATH BYTES right|wrong     it ended without
 *   read PATH            VOLUME_READ
 *   sent PATH BYTES      so many were taken; left PATH ...: until the session was gone
 */
#ifndef GATE_VOLUMES_H
#define GATE_VOLUMES_H

#include <poll.h>

#include "channel.h"

#define VOLUME_TRANSFERS_MAX 64

/* A request about volumes from SESSION; false: it is about something else. */
bool volumes_request(const struct channel *session, const struct incoming *in);
/* Sockets to poll: how many. */
unsigned volumes_poll(struct pollfd *fds);
/* After a poll: reads and writes what can be. */
void volumes_turn(void);
/* "go PATH": what is stopped goes on; "fail PATH": what is under way there is refused. */
void volumes_command(const char *line);
void volumes_session_gone(const struct channel *session);

#endif
