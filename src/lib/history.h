/*
 * One ring of the event log: the last entries of one top delegation, or of the host, in memory that
 * the caller maps from a file, so that they outlive the process that keeps them. Entries are bytes
 * with a number, which grows. Pure: no system call, no clock.
 *
 * Crash-safe: the keeper may be killed between any two instructions, and the next one that attaches
 * finds every entry that was added, whole. The file is not trusted: what is inconsistent is started
 * over, what looks consistent is never read out of bounds.
 */
#ifndef VMM_HISTORY_H
#define VMM_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the region, and of the file. A new file is all zeros. */
#define HISTORY_SIZE (256 * 1024)
/* The longest entry. */
#define HISTORY_ENTRY_MAX 8192

struct history_header;

/* One keeper's view of a region; nothing in it needs to be freed. */
struct history {
	struct history_header *header;
	uint8_t *data;
	uint64_t last; /* number of the newest entry; 0: there is none */
};

enum history_found { HISTORY_NEW, HISTORY_CONTINUED, HISTORY_DAMAGED };

/*
 * Attaches to REGION (HISTORY_SIZE bytes, aligned to 8) and takes over what an earlier keeper left;
 * an empty or damaged region becomes an empty ring.
 */
enum history_found history_attach(struct history *history, void *region);

/* How many bytes of the region, from its start, are touched by adding an entry of N bytes. */
size_t history_reach(const struct history *history, size_t n);
/* Whether an entry of N bytes fits without losing the oldest one. */
bool history_fits(const struct history *history, size_t n);
/* Loses the oldest entry. There must be one. */
void history_drop(struct history *history);
/* Adds an entry that fits, its number SEQ above all earlier ones. */
void history_add(struct history *history, uint64_t seq, const uint8_t *bytes, size_t n);

/* A reader's view of one entry; valid until the ring changes. */
struct history_entry {
	uint64_t seq;
	const uint8_t *bytes;
	size_t n;
	uint64_t at;	/* its position */
	uint64_t after; /* where to go on reading */
};

/*
 * The first entry at position AT or after it. Positions start at 0 and grow; they are another's to
 * keep, and stay good when entries are lost. False: there is none (yet).
 */
bool history_read(const struct history *history, uint64_t at, struct history_entry *out);

#endif
