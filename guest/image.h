/*
 * What makes a guest an image for a Solo5 tender: IMAGE_FOR(TARGET_..., ABI version) in the
 * tender's file. Formats: Solo5's elf_abi.h and mft_abi.h.
 */
#ifndef VMM_GUEST_IMAGE_H
#define VMM_GUEST_IMAGE_H

#include "mft.h"

#include <stddef.h>

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

/* What a guest's devices are comes from the build: -DDEVICES=NET(service)BLOCK(storage) */
#ifndef DEVICES
#define DEVICES
#endif
#define NET(device)   {.name = #device, .type = MFT_NET},
#define BLOCK(device) {.name = #device, .type = MFT_BLOCK},
#define ENTRIES	      {.type = MFT_RESERVED}, DEVICES

struct mft {
	struct mft_head head;
	struct mft_entry entry[sizeof((struct mft_entry[]){ENTRIES}) / sizeof(struct mft_entry)];
};

/* 8-byte aligned in the note. */
struct mft_note {
	struct note_header header;
	uint32_t padding;
	struct mft mft;
};

_Static_assert(offsetof(struct mft_note, mft.entry) == 24 + 8, "as Solo5's struct mft1_note");

/* A host that is asked to execute the file looks for an interpreter that cannot be. */
#define IMAGE_FOR(abi_target, abi_version)                                                        \
	__attribute__((section(".note.abi"), used,                                                \
		       aligned(4))) static const struct abi_note abi = {                          \
	    .header = NOTE(16, 0x31494241),                                                       \
	    .target = (abi_target),                                                               \
	    .version = (abi_version),                                                             \
	};                                                                                        \
	__attribute__((section(".note.manifest"), used,                                           \
		       aligned(8))) static const struct mft_note manifest = {                     \
	    .header = NOTE(sizeof(manifest) - sizeof(manifest.header), 0x3154464d),               \
	    .mft = {.head = {MFT_VERSION, sizeof(manifest.mft.entry) / sizeof(struct mft_entry)}, \
		    .entry = {ENTRIES}},                                                          \
	};                                                                                        \
	__attribute__((section(".interp"),                                                        \
		       used)) static const char interpreter[] = "/nonexistent/a unikernel/"

#endif
