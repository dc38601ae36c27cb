/*
 * What makes a guest an image for a Solo5 tender: IMAGE_FOR(TARGET_..., ABI version) in the
 * tender's file. Formats: Solo5's elf_abi.h and mft_abi.h.
 */
#ifndef VMM_GUEST_IMAGE_H
#define VMM_GUEST_IMAGE_H

#include <stdint.h>

enum { TARGET_HVT = 1, TARGET_SPT };

/* An ELF note of Solo5's. */
struct note_header {
	uint32_t namesz, descsz, type;
	char name[8];
};

#define NOTE(desc, kind)                                               \
	{                                                              \
		.namesz = 6, .descsz = (desc), .type = (kind), "Solo5" \
	}

struct abi_note {
	struct note_header header;
	uint32_t target, version, reserved[2];
};

/* The manifest of a guest without devices: its reserved first entry. 8-byte aligned in the note. */
struct mft_note {
	struct note_header header;
	uint32_t padding;
	uint32_t version, entries;
	struct {
		char name[68];
		uint32_t type;
		uint64_t properties[2], backing, attached;
	} entry[1];
};

_Static_assert(sizeof(struct mft_note) == 24 + 8 + 104, "as Solo5's struct mft1_note");

/* A host that is asked to execute the file looks for an interpreter that cannot be. */
#define IMAGE_FOR(abi_target, abi_version)                                          \
	__attribute__((section(".note.abi"), used,                                  \
		       aligned(4))) static const struct abi_note abi = {            \
	    .header = NOTE(16, 0x31494241),                                         \
	    .target = (abi_target),                                                 \
	    .version = (abi_version),                                               \
	};                                                                          \
	__attribute__((section(".note.manifest"), used,                             \
		       aligned(8))) static const struct mft_note manifest = {       \
	    .header = NOTE(sizeof(manifest) - sizeof(manifest.header), 0x3154464d), \
	    .version = 1,                                                           \
	    .entries = 1,                                                           \
	    .entry = {{.type = UINT32_C(1) << 30}},                                 \
	};                                                                          \
	__attribute__((section(".interp"),                                          \
		       used)) static const char interpreter[] = "/nonexistent/a unikernel/"

#endif
