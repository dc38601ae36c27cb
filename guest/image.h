/*
 * What makes a guest an image for a Solo5 tender: IMAGE_FOR(TARGET_..., ABI version) in the
 * tender's file. Formats: Solo5's elf_abi.h and mft_abi.h.
 */
#ifndef VMM_GUEST_IMAGE_H
#define VMM_GUEST_IMAGE_H

#include <stddef.h>
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

enum { MFT_BLOCK = 1, MFT_NET, MFT_RESERVED = 1 << 30 };

/* A device; a tender fills in what it found for it. */
struct mft_entry {
	char name[68];
	uint32_t type;
	union {
		struct {
			uint64_t capacity;
			uint16_t sector_size;
		} block;
		struct {
			uint8_t mac[6];
			uint16_t mtu;
		} net;
	};
	int32_t descriptor; /* of the host, for who is a process of it */
	uint8_t unused[4], attached, padding[7];
};

/* What a guest's devices are comes from the build: -DDEVICES=NET(service)BLOCK(storage) */
#ifndef DEVICES
#define DEVICES
#endif
#define NET(device)   {.name = #device, .type = MFT_NET},
#define BLOCK(device) {.name = #device, .type = MFT_BLOCK},
#define ENTRIES	      {.type = MFT_RESERVED}, DEVICES

struct mft {
	uint32_t version, entries;
	struct mft_entry entry[sizeof((struct mft_entry[]){ENTRIES}) / sizeof(struct mft_entry)];
};

/* 8-byte aligned in the note. */
struct mft_note {
	struct note_header header;
	uint32_t padding;
	struct mft mft;
};

_Static_assert(sizeof(struct mft_entry) == 104, "as Solo5's struct mft_entry");
_Static_assert(offsetof(struct mft_note, mft.entry) == 24 + 8, "as Solo5's struct mft1_note");

/* A host that is asked to execute the file looks for an interpreter that cannot be. */
#define IMAGE_FOR(abi_target, abi_version)                                            \
	__attribute__((section(".note.abi"), used,                                    \
		       aligned(4))) static const struct abi_note abi = {              \
	    .header = NOTE(16, 0x31494241),                                           \
	    .target = (abi_target),                                                   \
	    .version = (abi_version),                                                 \
	};                                                                            \
	__attribute__((section(".note.manifest"), used,                               \
		       aligned(8))) static const struct mft_note manifest = {         \
	    .header = NOTE(sizeof(manifest) - sizeof(manifest.header), 0x3154464d),   \
	    .mft = {.version = 1,                                                     \
		    .entries = sizeof(manifest.mft.entry) / sizeof(struct mft_entry), \
		    .entry = {ENTRIES}},                                              \
	};                                                                            \
	__attribute__((section(".interp"),                                            \
		       used)) static const char interpreter[] = "/nonexistent/a unikernel/"

#endif
