/*
 * A file written from its start to its end, in which whole blocks of zeros become holes. It need
 * not be empty of old: it is a new one, or was cut to nothing.
 */
#ifndef VMM_SPARSE_H
#define VMM_SPARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPARSE_BLOCK  4096
#define SPARSE_BUFFER (64 * SPARSE_BLOCK)

struct sparse {
	int fd;	       /* the caller's */
	uint64_t size; /* bytes that were put */
	size_t used;
	uint8_t buffer[SPARSE_BUFFER];
};

void sparse_init(struct sparse *sparse, int fd);
/* The next SIZE bytes. 0 or -errno. */
int sparse_put(struct sparse *sparse, const void *bytes, size_t size);
/* That was all: what is left is written, and the file's length is SIZE. 0 or -errno. */
int sparse_end(struct sparse *sparse);

#endif
