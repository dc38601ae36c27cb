/*
 * Solo5 images: the ELF header, its loadable segments, the ABI note and the manifest note, read
 * with every bound checked and nothing trusted. Pure: the image is bytes in memory. Formats:
 * Solo5's elf_abi.h and mft_abi.h (ABI1 and MFT1 notes), System V ELF64. Used by vmm_monitor and by
 * vmm_ca, so that what cannot start is refused before it is signed.
 *
 * Every function that returns false has filled WHY (ELF_WHY_SIZE bytes) with one line for people:
 * "truncated: segment 2 ends at byte 9000, the image has 8192". Text from the image is in it only
 * after it was checked to be letters and digits.
 */
#ifndef VMM_ELF_H
#define VMM_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_SEGMENTS_MAX 32
#define ELF_PAGE_SIZE	 4096
#define ELF_BASE_MIN	 0x100000 /* below is the monitor's: page tables, boot information */
#define MEMORY_PAGE	 0x200000 /* what memory is given in to hvt guests: 2 MB */
#define MFT_ENTRIES_MAX	 64
#define MFT_NAME_SIZE	 68 /* terminator included */
#define ELF_WHY_SIZE	 256

enum elf_target {
	TARGET_HVT = 1,
	TARGET_SPT,
	TARGET_VIRTIO,
	TARGET_MUEN,
	TARGET_GENODE,
	TARGET_XEN
};
enum elf_machine { MACHINE_X86_64, MACHINE_AARCH64 };
enum mft_type { MFT_BLOCK = 1, MFT_NET = 2 };

/* Checked: no wrap, filesz <= memsz, offset + filesz within the image, never write and exec. */
struct elf_segment {
	uint64_t offset, vaddr, filesz, memsz;
	uint64_t first, end; /* the pages that it occupies and protects: [first, end) */
	bool read, write, exec;
};

struct mft_device {
	char name[MFT_NAME_SIZE]; /* letters and digits, unique among devices of its type */
	enum mft_type type;
};

struct elf_image {
	enum elf_machine machine;
	uint64_t entry; /* in an executable segment */
	uint64_t end;	/* the highest segment's */
	uint32_t target, abi_version;
	unsigned nsegments;
	struct elf_segment segment[ELF_SEGMENTS_MAX]; /* PT_LOAD, ascending, no page shared */
	const uint8_t *mft; /* the manifest itself inside of the image, as the guest is handed it */
	size_t mft_size;
	unsigned ndevices;
	struct mft_device device[MFT_ENTRIES_MAX - 1];
};

/* Whether BYTES are a well-formed image of whatever target and machine. OUT points into BYTES. */
bool elf_read(const uint8_t *bytes, size_t size, struct elf_image *out, char *why);
/* Whether vmm_monitor runs it on MACHINE: hvt or spt, each in ABI version 2. */
bool elf_runs_on(const struct elf_image *image, enum elf_machine machine, char *why);
/* What it gets of MEMORY bytes: hvt whole MEMORY_PAGEs, others whole MB. Never more. */
uint64_t elf_memory(const struct elf_image *image, uint64_t memory);
/* Whether its segments lie within what it gets of MEMORY bytes. */
bool elf_fits(const struct elf_image *image, uint64_t memory, char *why);

/* "hvt", "spt", ...; "unknown" for others. */
const char *elf_target_name(uint32_t target);
/* "x86-64", "aarch64" */
const char *elf_machine_name(enum elf_machine machine);
/* "block", "net" */
const char *mft_type_name(enum mft_type type);

#endif
