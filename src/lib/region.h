/*
 * Memory that outlives its process: a file that vmmd made, mapped read-write; or, where that cannot
 * be, memory alone.
 */
#ifndef VMM_REGION_H
#define VMM_REGION_H

#include <stddef.h>
#include <stdint.h>

/* All zero: none. */
struct region {
	uint8_t *base;
	size_t size;
	size_t reserved; /* bytes from its start that have memory behind them */
};

/* Maps FILE, which must be SIZE bytes long, or touching the end of it would kill us. 0 or -errno.
 */
int region_map(struct region *region, int file, size_t size);
/* SIZE bytes of zeros. 0 or -errno. */
int region_anonymous(struct region *region, size_t size);
/*
 * Sees to it that the first REACH bytes have memory behind them: on a file system that is full, a
 * store into the hole of a file is SIGBUS, here it is an error. 0 or -errno.
 */
int region_reserve(struct region *region, size_t reach);
/* Goes on in memory of its own, with what has been reserved copied: at another address. 0 or
 * -errno. */
int region_leave_file(struct region *region);
void region_unmap(struct region *region);

#endif
