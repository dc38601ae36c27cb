/*
 * The devices of a guest, open and checked. Every function exits with one line when something is
 * wrong.
 */
#ifndef VMM_MONITOR_ATTACH_H
#define VMM_MONITOR_ATTACH_H

#include "options.h"
#include "statpage.h"

#define ETHERNET_HEADER 14

struct device {
	enum mft_type type; /* 0: none */
	int fd;
	const char *name; /* the image's */
	/* net */
	uint8_t mac[6];
	bool has_mac;
	uint16_t mtu; /* frames are ETHERNET_HEADER longer */
	bool lost;    /* reading has failed, and the guest knows */
	/* block, in bytes */
	uint64_t capacity; /* a multiple of SECTOR, at least one */
	uint16_t sector;
};

struct devices {
	/* By place in the manifest, which is what the guest calls them; the first is none. */
	struct device at[MFT_ENTRIES_MAX];
	/* Places, in the order in which they were given. */
	unsigned nnets, nblocks;
	unsigned net[GIVEN_MAX], block[GIVEN_MAX];
	struct statpage *tally; /* what the guest does is counted there */
};

/*
 * All that ELF declares and OPTIONS give, which must be the same. A net device has a MAC when it
 * was given one; its MTU is the interface's as far as that can be found out. ELF must stay.
 */
void devices_attach(struct devices *devices, const struct elf_image *elf,
		    const struct options *options);
/* Net devices that have no MAC get a random one, locally administered. */
void devices_make_macs(struct devices *devices);

#endif
