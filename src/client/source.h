/*
 * A file to send, from its start to the end that it has when it is opened. Its holes are not read.
 */
#ifndef VMM_SOURCE_H
#define VMM_SOURCE_H

#include <sys/types.h>

#include "policy.h"

struct source {
	int fd;
	uint64_t size, at;	     /* bytes */
	uint64_t data_from, data_to; /* what is known not to be a hole, at AT or behind it */
};

/* A regular file or a block device. False with WHY. */
bool source_open(struct source *source, const char *path, struct refusal *why);
/* At most SIZE (> 0) bytes; 0 at the end. -errno; -EPIPE: it has become shorter. */
ssize_t source_read(struct source *source, void *out, size_t size);
/* From the start again. */
void source_rewind(struct source *source);
void source_close(struct source *source);

#endif
