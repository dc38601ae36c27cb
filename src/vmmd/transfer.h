/*
 * Uploads and dumps: vmmd starts a vmm_volume (copier.h) for each, and gives the session the other
 * end of its socket. New contents are a file beside the volume, which takes its place when the
 * session says that all was written and the copier says that all of it is on the disk. The volume
 * is nobody else's meanwhile.
 */
#ifndef VMM_TRANSFER_H
#define VMM_TRANSFER_H

#include "job.h"
#include "session.h"
#include "volume.h"

/* Of a top delegation, at once. */
#define TRANSFERS_MAX 16

enum transfer_state {
	TRANSFER_PREPARING, /* a job makes the file */
	TRANSFER_COPYING,
	TRANSFER_COPIED, /* the session has not said that this was all */
	TRANSFER_ENDING, /* a job puts the file in its place, or removes it */
};

struct transfer {
	struct job job;
	struct transfer *next;
	struct volume *volume;
	bool upload;
	bool written; /* the session has written everything */
	bool dropped; /* nobody waits for it any more */
	enum transfer_state state;
	uint64_t session;
	uint32_t id;
	struct path by;	      /* the session's leaf */
	int pidfd, status_fd; /* of the copier; -1 */
	struct event *exited, *timer;
};

/* Starts the copier; a failure is said. */
void transfer_start(struct transfer *transfer);
/* What was uploaded becomes the volume, and the session is answered. */
void transfer_commit(struct transfer *transfer);
/*
 * Nothing comes of it, and no copier runs; the session, if it waits, is told why. TRANSFER may be
 * gone after this.
 */
void transfer_give_up(struct transfer *transfer, uint32_t status, const char *word,
		      const char *why);
/* Whether its volume is one of the delegation at PATH, or below. */
bool transfer_below(const struct transfer *transfer, const struct path *path);
/* "an upload of NAME", or without the name where SCOPE does not see it. */
void transfer_describe(const struct transfer *transfer, const struct path *scope, char *out,
		       size_t size);
/* MB that uploads below TOP take beside their volumes. */
uint64_t transfers_mb(const struct daemon *d, const struct path *top);
/* Ends those of volumes at PATH and below. */
void transfers_revoke(struct daemon *d, const struct path *path);
/* Ends every copier, and waits for that. */
void transfers_end(struct daemon *d);

#endif
