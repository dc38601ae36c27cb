/*
 * The two directions of a copy between a volume and a stream socket whose other end may be anybody:
 * slow, silent, or sending too much. Memory is two fixed buffers. Blocks of zeros are not written
 * and holes are not read, so that what is sparse stays so.
 */
#ifndef VMM_COPY_H
#define VMM_COPY_H

#include <stdint.h>

#include "copier.h"

struct copy {
	int file, socket, status;
	uint64_t size;
	int patience_ms;  /* without a byte; -1: for ever */
	const char *step; /* after COPIER_FAILED, with errno: "the volume cannot be read" */
};

enum copier_end copy_out(struct copy *copy);
enum copier_end copy_in(struct copy *copy);

#endif
