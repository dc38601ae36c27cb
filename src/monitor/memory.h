/*
 * The guest's memory and the one door to it. Addresses are the guest's own: an hvt guest's physical
 * ones, which it uses one to one; an spt guest lives in this process, its memory where it thinks it
 * is. Host protections follow the image's segments: they bind an spt guest at once, KVM keeps an
 * hvt guest from writing what is read-only here, and the door keeps the monitor from being made to.
 */
#ifndef VMM_MONITOR_MEMORY_H
#define VMM_MONITOR_MEMORY_H

#include "elf.h"

/* [0, ELF_BASE_MIN) of an hvt guest is the monitor's: descriptor and page tables, then what the
 * guest may read. */
#define MEMORY_BOOT_INFO 0x10000

struct guest_memory {
	uint8_t *bytes;
	uint64_t size;
	bool in_place; /* BYTES is address 0 */
	unsigned nsegments;
	struct elf_segment segment[ELF_SEGMENTS_MAX];
};

/* Zeroed, not yet backed by anything. Exits when there is no address space for it. */
void memory_create(struct guest_memory *memory, uint64_t size);
/* At its own addresses, from SPT_MEMORY_BASE on; all that is no segment executable with EXEC. */
void memory_create_in_place(struct guest_memory *memory, uint64_t size, bool exec);
/* Copies ELF's segments from IMAGE and protects them. They fit (elf_fits). */
void memory_load(struct guest_memory *memory, const struct elf_image *elf, const uint8_t *image);

/* LEN bytes that the guest may read; NULL: it may not, or they do not exist. */
const void *memory_readable(const struct guest_memory *memory, uint64_t address, uint64_t len);
/* Likewise for writing. */
void *memory_writable(const struct guest_memory *memory, uint64_t address, uint64_t len);

#endif
