/*
 * A manifest as it stands in an image's MFT1 note and, filled in, in a guest's memory: Solo5's
 * struct mft. Included by src/ and by guest/; declares only.
 */
#ifndef VMM_MFT_H
#define VMM_MFT_H

#include <stdint.h>

#include "elf.h"

struct mft_head {
	uint32_t version, entries;
};

struct mft_block {
	uint64_t capacity; /* bytes */
	uint16_t sector;
};

struct mft_net {
	uint8_t mac[6];
	uint16_t mtu;
};

#define MFT_VERSION  1
#define MFT_RESERVED (1u << 30) /* the first entry's type */

/* Behind the head, ENTRIES of them. The first is reserved; a guest's handle is a device's place. */
struct mft_entry {
	char name[MFT_NAME_SIZE];
	uint32_t type;
	/* The monitor's to fill in: */
	union {
		struct mft_block block;
		struct mft_net net;
	};
	union {
		int32_t fd; /* spt: of the guest's own process */
		uint64_t backing;
	};
	uint8_t attached;
	uint8_t padding[7];
};

_Static_assert(sizeof(struct mft_entry) == 104, "Solo5's manifest entry");

#endif
