/*
 * Solo5 images: the ELF header, its loadable segments, the ABI note and the manifest note, read
 * with every bound checked and nothing trusted. Pure: the image is bytes in memory. Formats:
 * Solo5's elf_abi.h and mft_abi.h (ABI1 and MFT1 notes), System V ELF64. Used by vmm_monitor and by
 * vmm_ca.
 */
#ifndef VMM_ELF_H
#define VMM_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_SEGMENTS_MAX 32
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

struct elf_segment {
	uint64_t offset, vaddr, filesz,
	    memsz; /* checked: no wrap, offset + filesz within the image */
	bool read, write, exec;
};

struct mft_device {
	char name[MFT_NAME_SIZE];
	enum mft_type type;
};

struct elf_image {
	enum elf_machine machine;
	uint64_t entry;
	uint32_t target, abi_version;
	unsigned nsegments;
	struct elf_segment segment[ELF_SEGMENTS_MAX]; /* PT_LOAD, ascending, no overlap */
	const uint8_t *mft; /* the manifest itself inside of the image, as the guest is handed it */
	size_t mft_size;
	unsigned ndevices;
	struct mft_device device[MFT_ENTRIES_MAX];
};

/* False with one line in WHY (ELF_WHY_SIZE bytes): "truncated: segment 2 ends at byte 9000, the
 * image has 8192". */
bool elf_read(const uint8_t *bytes, size_t size, struct elf_image *out, char *why);
/* "hvt", "spt", ...; "unknown" for others. */
const char *elf_target_name(uint32_t target);

#endif
