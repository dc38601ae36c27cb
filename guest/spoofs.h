/*
 * The frames that spoof sends: what a guest may not let out where its delegation has a range of
 * addresses, and, to be seen beside them, what it may.
 */
#ifndef VMM_GUEST_SPOOFS_H
#define VMM_GUEST_SPOOFS_H

#include <stddef.h>
#include <stdint.h>

#define SPOOF_MAX 512 /* bytes of a frame */

/* Who the guest is, and whose address it pretends to have. */
struct identity {
	uint8_t mac[6], address[4], other[4];
};

struct spoof {
	const char *what;
	/* Makes a frame of SELF's with MARK, a text, as it is somewhere in it; its length. */
	size_t (*make)(const struct identity *self, const char *mark, uint8_t *frame);
};

extern const struct spoof spoofs[], honest[];
extern const unsigned spoofs_count, honest_count;

#endif
