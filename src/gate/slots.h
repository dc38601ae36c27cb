/*
 * How many workers may hold a large chain in parsed form at once: OpenSSL needs some four times its
 * size for a moment. A slot is a lock on one byte of a file that all workers share; the kernel
 * gives it back when its holder ends, however it ends.
 */
#ifndef VMM_GATE_SLOTS_H
#define VMM_GATE_SLOTS_H

#include <stddef.h>

#define SLOTS	   4
#define SLOT_BYTES (1u << 20) /* chains up to here need none */

/* The file; or -errno. */
int slots_new(void);
/* Waits until a slot is free and takes it: its number, or -errno. */
int slot_take(int slots);
void slot_return(int slots, int slot);

#endif
