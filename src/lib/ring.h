/*
 * A console's ring: the last lines a guest wrote, in memory that the caller maps from a file, so
 * that they outlive the process that keeps them. Pure: no system call, no clock.
 *
 * Crash-safe: the keeper may be killed between any two instructions, and the next one that attaches
 * finds every byte that the FIFO gave, once. For that, bytes are read straight into zeroed space of
 * the ring and committed after; what a killed keeper had read but not committed lies beyond the
 * head and ends with the last byte that is not zero. (Only NUL bytes at the very end of such a read
 * are lost.) Every change that counts is one 64-bit store, made after what it publishes.
 *
 * Lines end with '\n', or after RING_LINE_MAX bytes without one. The newline, and one '\r' before
 * it, are not part of the line; all other bytes are as the guest wrote them. At least the last
 * RING_DATA bytes are kept, of at most RING_LINES lines. The file is not trusted: what is
 * inconsistent is started over, what looks consistent is never read out of bounds.
 */
#ifndef VMM_RING_H
#define VMM_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RING_LINES    1024
#define RING_LINE_MAX 4096
#define RING_DATA     (256 * 1024)
/* Space that is kept zeroed for the next read, beyond RING_DATA. */
#define RING_WINDOW (16 * 1024)
#define RING_AREA   (RING_DATA + RING_WINDOW)
/* Bytes of the region, and of the file: header, index, data. A new file is all zeros. */
#define RING_SIZE (4096 + RING_LINES * 32 + RING_AREA)

/* What ring_line gives for the line between two VMs on one path. */
#define RING_MARKER "--- started again ---"

struct ring_header;
struct ring_slot;

/* One keeper's view of a region; nothing in it needs to be freed. */
struct ring {
	struct ring_header *header;
	struct ring_slot *slots;
	uint8_t *data;
	uint64_t scanned; /* no line ends before this position */
};

enum ring_found { RING_NEW, RING_CONTINUED, RING_DAMAGED };

/*
 * Attaches to REGION (RING_SIZE bytes, aligned to 8): takes over what an earlier keeper left, with
 * lines that it had not got to dated NOW_US; an empty or damaged region becomes an empty ring.
 */
enum ring_found ring_attach(struct ring *ring, void *region, int64_t now_us);

/*
 * How many bytes of REGION, from its start, ring_attach and the next ring_space may touch: memory
 * for them must be there. Grows with the ring up to RING_SIZE; needs the header's page alone.
 */
size_t ring_reach(const void *region);
/*
 * Where the next bytes are to be read to: zeroed, *SIZE of them (1 to RING_WINDOW). The oldest
 * lines make room. What is put there counts, in order, from then on, whether ring_commit is reached
 * or not.
 */
uint8_t *ring_space(struct ring *ring, size_t *size);
/* The first N bytes of that space were filled (N at most its SIZE): cuts them into lines. */
void ring_commit(struct ring *ring, size_t n, int64_t now_us);
/* The VM ended: what it wrote after its last newline becomes a line, if there is any. */
void ring_flush(struct ring *ring, int64_t now_us);
/* Another VM follows: flushes and adds the marker, unless the ring is empty or ends with one. */
void ring_mark(struct ring *ring, int64_t now_us);

/* How many bytes it was given since it began. */
uint64_t ring_position(const struct ring *ring);
/* Lines are numbered from 0 as they are completed: the oldest one kept, and the next one to come.
 */
uint64_t ring_first(const struct ring *ring);
uint64_t ring_next(const struct ring *ring);
/* Where to start reading for lines of SINCE_US or later, at most the last LINES of them (0: all).
 */
uint64_t ring_seek(const struct ring *ring, int64_t since_us, uint32_t lines);
/* Line SEQ; false when it is not there, or not any more. BYTES has room for RING_LINE_MAX. */
bool ring_line(const struct ring *ring, uint64_t seq, int64_t *time_us, uint8_t *bytes,
	       uint32_t *size);

#endif
