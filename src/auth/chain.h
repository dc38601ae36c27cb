/* A chain as it was sent. Sealed, so that it stays what was verified, and its map whole. */
#ifndef VMM_AUTH_CHAIN_H
#define VMM_AUTH_CHAIN_H

#include <stddef.h>
#include <stdint.h>

struct chain_bytes {
	const uint8_t *bytes;
	size_t size;
};

/* Maps the memfd FD for the rest of this process. NULL, or what is wrong, as a phrase about who
 * sent it. */
const char *chain_map(int fd, struct chain_bytes *out);

#endif
