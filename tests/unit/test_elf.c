/*
 * lib/elf.c: an image built here in memory is read; with any field broken, cut anywhere or changed
 * at random it is refused with a line that says what is wrong, or is still an image that keeps
 * every promise of elf.h. Images live in allocations of exactly their size, so that the sanitizers
 * see a byte too many.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <linux/elf.h>

#include "elf.h"

#define PHNUM	   8
#define TEXT_AT	   0x1000u
#define MFT_AT	   0x1100u
#define ENTRY_SIZE 104u
#define NOTE_HEAD  20u
#define DEVICES	   2u
#define MFT_DESC   (4u + 8u + (1 + DEVICES) * ENTRY_SIZE)
#define ABI_AT	   (MFT_AT + NOTE_HEAD + MFT_DESC)
#define IMAGE_SIZE (ABI_AT + NOTE_HEAD + 16u)
#define MUTATIONS  300000

#define EH(field)  offsetof(Elf64_Ehdr, field), sizeof(((Elf64_Ehdr *)0)->field)
#define IDENT(n)   (n), 1
#define PH_AT(n, field) \
	(sizeof(Elf64_Ehdr) + (n) * sizeof(Elf64_Phdr) + offsetof(Elf64_Phdr, field))
#define PH(n, field)		PH_AT(n, field), sizeof(((Elf64_Phdr *)0)->field)
#define MFT_HEAD(offset)	(MFT_AT + NOTE_HEAD + 4 + (offset)), 4
#define DEVICE(n, offset, size) (MFT_AT + NOTE_HEAD + 4 + 8 + (n)*ENTRY_SIZE + (offset)), (size)

enum { INTERP, TEXT, RODATA, EMPTY, DATA, FOREIGN, ABI, MFT };

struct image {
	uint8_t *bytes;
	size_t size;
};

static const Elf64_Phdr program_headers[PHNUM] = {
    [INTERP] = {.p_type = PT_INTERP, .p_offset = TEXT_AT, .p_filesz = 0x18, .p_memsz = 0x18},
    [TEXT] = {.p_type = PT_LOAD,
	      .p_flags = PF_X,
	      .p_offset = TEXT_AT,
	      .p_vaddr = 0x100000,
	      .p_filesz = 0x100,
	      .p_memsz = 0x100,
	      .p_align = 0x1000},
    [RODATA] = {.p_type = PT_LOAD,
		.p_flags = PF_R,
		.p_offset = MFT_AT,
		.p_vaddr = 0x101000,
		.p_filesz = IMAGE_SIZE - MFT_AT,
		.p_memsz = IMAGE_SIZE - MFT_AT,
		.p_align = 0x1000},
    [EMPTY] = {.p_type = PT_LOAD, .p_flags = PF_R, .p_align = 0x1000},
    [DATA] = {.p_type = PT_LOAD,
	      .p_flags = PF_R | PF_W,
	      .p_vaddr = 0x102000,
	      .p_memsz = 0x3123,
	      .p_align = 0x1000},
    /* OpenBSD's, as Solo5 images have one. */
    [FOREIGN] = {.p_type = PT_NOTE, .p_offset = TEXT_AT + 0x20, .p_filesz = 24, .p_memsz = 24},
    [ABI] = {.p_type = PT_NOTE, .p_offset = ABI_AT, .p_filesz = NOTE_HEAD + 16},
    [MFT] = {.p_type = PT_NOTE, .p_offset = MFT_AT, .p_filesz = NOTE_HEAD + MFT_DESC},
};

static void put(struct image *image, size_t offset, size_t size, uint64_t value)
{
	assert_true(offset + size <= image->size);
	memcpy(image->bytes + offset, &value, size);
}

static void put_note(struct image *image, size_t at, const char *name, uint32_t desc, uint32_t type)
{
	put(image, at, 4, strlen(name) + 1);
	put(image, at + 4, 4, desc);
	put(image, at + 8, 4, type);
	memcpy(image->bytes + at + 12, name, strlen(name));
}

static void put_device(struct image *image, unsigned n, const char *name, uint32_t type)
{
	size_t at = MFT_AT + NOTE_HEAD + 4 + 8 + n * ENTRY_SIZE;

	memcpy(image->bytes + at, name, strlen(name));
	put(image, at + MFT_NAME_SIZE, 4, type);
}

static struct image image_create(void)
{
	const Elf64_Ehdr header = {
	    .e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
	    .e_type = ET_EXEC,
	    .e_machine = EM_X86_64,
	    .e_version = EV_CURRENT,
	    .e_entry = 0x100020,
	    .e_phoff = sizeof(header),
	    .e_ehsize = sizeof(header),
	    .e_phentsize = sizeof(Elf64_Phdr),
	    .e_phnum = PHNUM,
	};
	struct image image = {calloc(1, IMAGE_SIZE), IMAGE_SIZE};

	assert_non_null(image.bytes);
	memcpy(image.bytes, &header, sizeof(header));
	memcpy(image.bytes + sizeof(header), program_headers, sizeof(program_headers));
	put_note(&image, TEXT_AT + 0x20, "OpenBSD", 4, 1);
	put_note(&image, ABI_AT, "Solo5", 16, 0x31494241);
	put(&image, ABI_AT + NOTE_HEAD, 4, TARGET_HVT);
	put(&image, ABI_AT + NOTE_HEAD + 4, 4, 2);
	put_note(&image, MFT_AT, "Solo5", MFT_DESC, 0x3154464d);
	put(&image, MFT_HEAD(0), 1);
	put(&image, MFT_HEAD(4), 1 + DEVICES);
	put_device(&image, 0, "", 1u << 30);
	put_device(&image, 1, "service", MFT_NET);
	put_device(&image, 2, "storage", MFT_BLOCK);
	return image;
}

static void image_free(struct image *image)
{
	free(image->bytes);
}

static void assert_refused(const struct image *image, const char *expected)
{
	struct elf_image out;
	char why[ELF_WHY_SIZE] = "";

	if (elf_read(image->bytes, image->size, &out, why))
		fail_msg("accepted, expected: %s", expected);
	if (strstr(why, expected) == NULL)
		fail_msg("'%s' does not say '%s'", why, expected);
	assert_null(strchr(why, '\n'));
}

static void test_valid(void **state)
{
	struct image image = image_create();
	struct elf_image out;
	char why[ELF_WHY_SIZE] = "";

	(void)state;
	if (!elf_read(image.bytes, image.size, &out, why))
		fail_msg("%s", why);
	assert_int_equal(out.machine, MACHINE_X86_64);
	assert_int_equal(out.entry, 0x100020);
	assert_int_equal(out.target, TARGET_HVT);
	assert_int_equal(out.abi_version, 2);
	assert_int_equal(out.nsegments, 3);
	assert_int_equal(out.segment[0].first, 0x100000);
	assert_int_equal(out.segment[0].end, 0x101000);
	assert_true(out.segment[0].exec && !out.segment[0].read && !out.segment[0].write);
	assert_true(out.segment[1].read && !out.segment[1].exec && !out.segment[1].write);
	assert_true(out.segment[2].read && out.segment[2].write && !out.segment[2].exec);
	assert_int_equal(out.segment[2].memsz, 0x3123);
	assert_int_equal(out.segment[2].end, 0x106000);
	assert_int_equal(out.end, 0x106000);
	assert_ptr_equal(out.mft, image.bytes + MFT_AT + NOTE_HEAD + 4);
	assert_int_equal(out.mft_size, 8 + 3 * ENTRY_SIZE);
	assert_int_equal(out.ndevices, 2);
	assert_string_equal(out.device[0].name, "service");
	assert_int_equal(out.device[0].type, MFT_NET);
	assert_string_equal(out.device[1].name, "storage");
	assert_int_equal(out.device[1].type, MFT_BLOCK);
	image_free(&image);
}

static void test_runs_on(void **state)
{
	struct image image = image_create();
	struct elf_image out;
	char why[ELF_WHY_SIZE];

	(void)state;
	assert_true(elf_read(image.bytes, image.size, &out, why));
	assert_true(elf_runs_on(&out, MACHINE_X86_64, why));
	assert_false(elf_runs_on(&out, MACHINE_AARCH64, why));
	assert_string_equal(why, "made for x86-64, this machine is aarch64");
	out.target = TARGET_SPT;
	assert_true(elf_runs_on(&out, MACHINE_X86_64, why));
	out.target = TARGET_VIRTIO;
	assert_false(elf_runs_on(&out, MACHINE_X86_64, why));
	assert_string_equal(why, "made for target virtio (3), this version runs hvt and spt");
	out.target = 99;
	assert_false(elf_runs_on(&out, MACHINE_X86_64, why));
	assert_string_equal(why, "made for target unknown (99), this version runs hvt and spt");
	out.abi_version = 3;
	out.target = TARGET_SPT;
	assert_false(elf_runs_on(&out, MACHINE_X86_64, why));
	assert_string_equal(why, "made for spt ABI version 3, this version runs 2");
	out.target = TARGET_HVT;
	assert_false(elf_runs_on(&out, MACHINE_X86_64, why));
	assert_string_equal(why, "made for hvt ABI version 3, this version runs 2");
	image_free(&image);
}

static void test_fits(void **state)
{
	struct image image = image_create();
	struct elf_image out;
	char why[ELF_WHY_SIZE];

	(void)state;
	assert_true(elf_read(image.bytes, image.size, &out, why));
	assert_true(elf_fits(&out, 2 << 20, why));
	assert_true(elf_fits(&out, 3 << 20, why));
	assert_false(elf_fits(&out, 1 << 20, why));
	assert_string_equal(why, "needs at least 2 MB of memory, is given 1 MB");
	out.end = (2 << 20) + 1;
	assert_false(elf_fits(&out, 3 << 20, why));
	assert_string_equal(why, "needs at least 4 MB of memory, is given 3 MB");
	out.end = UINT64_MAX;
	assert_false(elf_fits(&out, UINT64_C(1) << 32, why));
	image_free(&image);
}

/* Large pages are hvt's alone. */
static void test_memory_unit(void **state)
{
	struct image image = image_create();
	struct elf_image out;
	char why[ELF_WHY_SIZE];

	(void)state;
	assert_true(elf_read(image.bytes, image.size, &out, why));
	assert_int_equal(elf_memory(&out, 33 << 20), 32 << 20);
	assert_int_equal(elf_memory(&out, 1 << 20), 0);
	out.target = TARGET_SPT;
	assert_int_equal(elf_memory(&out, 33 << 20), 33 << 20);
	out.end = (2 << 20) + 1;
	assert_true(elf_fits(&out, 3 << 20, why));
	assert_false(elf_fits(&out, 2 << 20, why));
	assert_string_equal(why, "needs at least 3 MB of memory, is given 2 MB");
	image_free(&image);
}

/* One field broken: where, how many bytes, with what, what is said. */
static const struct {
	size_t offset, size;
	uint64_t value;
	const char *expected;
} broken[] = {
    {IDENT(0), 0x7e, "not an ELF file"},
    {IDENT(3), 'G', "not an ELF file"},
    {IDENT(4), 1, "ELF class is 1"},
    {IDENT(5), 2, "byte order is 2"},
    {IDENT(6), 0, "ELF version is 0 and 1"},
    {EH(e_type), 1, "ELF type is 1"},
    {EH(e_type), 3, "ELF type is 3"},
    {EH(e_machine), 3, "ELF machine is 3"},
    {EH(e_version), 2, "ELF version is 1 and 2"},
    {EH(e_entry), 0, "entry point 0x0 is in no executable segment"},
    {EH(e_entry), 0x100100, "entry point 0x100100 is in no executable"},
    {EH(e_entry), 0x101000, "entry point 0x101000 is in no executable"},
    {EH(e_entry), UINT64_MAX, "is in no executable"},
    {EH(e_phoff), IMAGE_SIZE, "truncated: 8 program headers"},
    {EH(e_phoff), UINT64_MAX - 8, "truncated: 8 program headers"},
    {EH(e_ehsize), 52, "ELF header size is 52"},
    {EH(e_phentsize), 32, "program header size is 32"},
    {EH(e_phnum), 0, "no program headers"},
    {EH(e_phnum), 0xffff, "truncated: 65535 program headers"},
    {PH(TEXT, p_type), 0, "is in no executable"},
    {PH(TEXT, p_flags), PF_R, "is in no executable"},
    {PH(TEXT, p_flags), PF_R | PF_W | PF_X, "segment 1: both writable and executable"},
    {PH(TEXT, p_flags), PF_W | PF_X, "segment 1: both writable and executable"},
    {PH(TEXT, p_offset), IMAGE_SIZE, "truncated: segment 1 has 256 bytes at byte"},
    {PH(TEXT, p_offset), IMAGE_SIZE - 0xff, "truncated: segment 1"},
    {PH(TEXT, p_offset), UINT64_MAX, "truncated: segment 1"},
    {PH(TEXT, p_vaddr), 0, "segment 1: starts at 0x0, the lowest address is 0x100000"},
    {PH(TEXT, p_vaddr), 0xff000, "segment 1: starts at 0xff000, the lowest"},
    {PH(TEXT, p_vaddr), 0x101000, "segment 2: starts at 0x101000, the one before ends at 0x102000"},
    {PH(TEXT, p_vaddr), 0xfffffffffffff000, "are no whole pages"},
    {PH(TEXT, p_vaddr), 0xffffffffffffff80, "are no whole pages"},
    {PH(TEXT, p_filesz), 0x101, "segment 1: 257 bytes in the image, 256 in memory"},
    {PH(TEXT, p_filesz), UINT64_MAX, "truncated: segment 1"},
    {PH(TEXT, p_memsz), 0xff, "segment 1: 256 bytes in the image, 255 in memory"},
    {PH(TEXT, p_memsz), 0x1001, "segment 2: starts at 0x101000, the one before ends at 0x102000"},
    {PH(TEXT, p_memsz), UINT64_MAX, "segment 1: 0xffffffffffffffff bytes at 0x100000"},
    {PH(TEXT, p_memsz), UINT64_MAX - 0x100000, "are no whole pages"},
    {PH(TEXT, p_align), 0, "aligned to 0x0, are no whole pages"},
    {PH(TEXT, p_align), 1, "aligned to 0x1, are no whole pages"},
    {PH(TEXT, p_align), 0x1800, "aligned to 0x1800, are no whole pages"},
    {PH(TEXT, p_align), 0x200000, "segment 1: starts at 0x0, the lowest"},
    {PH(RODATA, p_vaddr), 0x100000, "segment 2: starts at 0x100000, the one before ends"},
    {PH(DATA, p_vaddr), 0x101000, "segment 4: starts at 0x101000, the one before ends"},
    {PH(DATA, p_filesz), IMAGE_SIZE + 1, "truncated: segment 4"},
    {PH(EMPTY, p_memsz), 1, "segment 3: starts at 0x0, the lowest"},
    {PH(INTERP, p_offset), IMAGE_SIZE, "truncated: segment 0"},
    {PH(ABI, p_type), 0, "no ABI1 note"},
    {PH(ABI, p_offset), IMAGE_SIZE - 4, "truncated: segment 6"},
    {PH(ABI, p_filesz), NOTE_HEAD + 15, "note in program header 6: 16 bytes do not fit into 15"},
    {PH(ABI, p_filesz), 12, "no ABI1 note"},
    {PH(ABI, p_offset), MFT_AT, "note in program header 6: 324 bytes do not fit into 16"},
    {PH(MFT, p_type), 0, "no MFT1 note"},
    {PH(MFT, p_offset), ABI_AT, "truncated: segment 7"},
    {PH(FOREIGN, p_offset), ABI_AT, "note in program header 5: 16 bytes do not fit into 4"},
    {ABI_AT, 4, 5, "no ABI1 note"},
    {ABI_AT + 4, 4, 15, "ABI1 note has 15 bytes, must have 16"},
    {ABI_AT + 4, 4, 17, "17 bytes do not fit into 16"},
    {ABI_AT + 4, 4, UINT32_MAX, "do not fit into 16"},
    {ABI_AT + 8, 4, 0x3154464d, "manifest: version is 2"},
    {ABI_AT + 8, 4, 7, "no ABI1 note"},
    {ABI_AT + 12, 1, 's', "no ABI1 note"},
    {MFT_AT + 4, 4, 11, "manifest: 11 bytes are too few"},
    {MFT_AT + 4, 4, MFT_DESC - 1, "manifest: 3 entries take 324 bytes, the note has 323"},
    {MFT_AT + 4, 4, MFT_DESC - ENTRY_SIZE, "manifest: 3 entries take 324 bytes, the note has 220"},
    {MFT_AT + 4, 4, UINT32_MAX, "note in program header 7"},
    {MFT_AT + 12, 1, 's', "no MFT1 note"},
    {MFT_HEAD(0), 0, "manifest: version is 0"},
    {MFT_HEAD(0), 2, "manifest: version is 2"},
    {MFT_HEAD(4), 0, "manifest: has 0 entries"},
    {MFT_HEAD(4), 2, "manifest: 2 entries take 220 bytes, the note has 324"},
    {MFT_HEAD(4), 65, "manifest: has 65 entries, must have 1 to 64"},
    {MFT_HEAD(4), UINT32_MAX, "manifest: has 4294967295 entries"},
    {DEVICE(0, 0, 1), 'x', "the first entry is not the reserved one"},
    {DEVICE(0, MFT_NAME_SIZE - 1, 1), 'x', "the first entry is not the reserved one"},
    {DEVICE(0, MFT_NAME_SIZE, 4), MFT_NET, "the first entry is not the reserved one"},
    {DEVICE(0, 96, 1), 1, "the first entry is not the reserved one"},
    {DEVICE(1, MFT_NAME_SIZE, 4), 3, "manifest: device 1 is of type 3"},
    {DEVICE(1, MFT_NAME_SIZE, 4), 1u << 30, "manifest: device 1 is of type 1073741824"},
    {DEVICE(1, 0, 1), 0, "manifest: name of device 1"},
    {DEVICE(1, 3, 1), '\n', "manifest: name of device 1"},
    {DEVICE(1, 3, 1), 0xe4, "manifest: name of device 1"},
    {DEVICE(1, 96, 1), 1, "manifest: device 'service' claims to be attached"},
};

static void test_broken_field(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct image image = image_create();

		put(&image, broken[i].offset, broken[i].size, broken[i].value);
		assert_refused(&image, broken[i].expected);
		image_free(&image);
	}
}

static void test_duplicates(void **state)
{
	struct image image = image_create();

	(void)state;
	put(&image, PH(FOREIGN, p_offset), ABI_AT);
	put(&image, PH(FOREIGN, p_filesz), NOTE_HEAD + 16);
	assert_refused(&image, "two ABI1 notes");
	put(&image, PH(FOREIGN, p_offset), MFT_AT);
	put(&image, PH(FOREIGN, p_filesz), NOTE_HEAD + MFT_DESC);
	assert_refused(&image, "two MFT1 notes");
	image_free(&image);

	image = image_create();
	put_device(&image, 2, "service", MFT_NET);
	assert_refused(&image, "two net devices 'service'");
	put_device(&image, 2, "service", MFT_BLOCK);
	assert_true(
	    elf_read(image.bytes, image.size, &(struct elf_image){0}, (char[ELF_WHY_SIZE]){0}));
	image_free(&image);
}

/* The longest name is 67 characters; 68 have no terminator. */
static void test_long_name(void **state)
{
	char name[MFT_NAME_SIZE + 1];
	struct image image = image_create();
	struct elf_image out;
	char why[ELF_WHY_SIZE];

	(void)state;
	memset(name, 'a', sizeof(name));
	name[MFT_NAME_SIZE - 1] = '\0';
	put_device(&image, 1, name, MFT_NET);
	assert_true(elf_read(image.bytes, image.size, &out, why));
	assert_string_equal(out.device[0].name, name);
	name[MFT_NAME_SIZE - 1] = 'a';
	name[MFT_NAME_SIZE] = '\0';
	put_device(&image, 1, name, MFT_NET);
	assert_refused(&image, "manifest: name of device 1 is not 1 to 67 letters and digits");
	image_free(&image);
}

/* As many segments as are read, and one more: program headers at the end of a larger image. */
static void test_many_segments(void **state)
{
	struct image image = image_create();
	size_t extra = ELF_SEGMENTS_MAX - 2;
	size_t size = image.size + (PHNUM + extra) * sizeof(Elf64_Phdr);
	struct elf_image out;
	char why[ELF_WHY_SIZE];

	(void)state;
	image.bytes = realloc(image.bytes, size);
	assert_non_null(image.bytes);
	memcpy(image.bytes + image.size, program_headers, sizeof(program_headers));
	for (size_t i = 0; i < extra; i++) {
		Elf64_Phdr ph = program_headers[DATA];

		ph.p_vaddr = 0x200000 + i * 0x1000;
		ph.p_memsz = 1;
		memcpy(image.bytes + image.size + (PHNUM + i) * sizeof(ph), &ph, sizeof(ph));
	}
	put(&image, EH(e_phoff), image.size);
	image.size = size;
	put(&image, EH(e_phnum), PHNUM + extra);
	assert_refused(&image, "more than 32 loadable segments");
	put(&image, EH(e_phnum), PHNUM + extra - 1);
	assert_true(elf_read(image.bytes, image.size, &out, why));
	assert_int_equal(out.nsegments, ELF_SEGMENTS_MAX);
	image_free(&image);
}

static void test_truncated(void **state)
{
	struct image image = image_create();

	(void)state;
	for (size_t size = 0; size < image.size; size++) {
		/* malloc(0) may be NULL, which is no bytes at all. */
		struct image cut = {malloc(size > 0 ? size : 1), size};

		assert_non_null(cut.bytes);
		memcpy(cut.bytes, image.bytes, size);
		assert_refused(&cut, size < 4 ? "not an ELF file" : "truncated");
		image_free(&cut);
	}
	image_free(&image);
}

/* What every caller relies on. */
static void assert_promises(const struct image *image, const struct elf_image *out)
{
	uint64_t end = ELF_BASE_MIN;

	assert_in_range(out->nsegments, 1, ELF_SEGMENTS_MAX);
	for (unsigned i = 0; i < out->nsegments; i++) {
		const struct elf_segment *s = &out->segment[i];

		assert_true(s->first >= end && s->first <= s->vaddr);
		assert_true(s->memsz <= s->end - s->vaddr && s->filesz <= s->memsz);
		assert_true(s->filesz == 0 ||
			    (s->offset <= image->size && s->filesz <= image->size - s->offset));
		assert_true(s->first % ELF_PAGE_SIZE == 0 && s->end % ELF_PAGE_SIZE == 0);
		assert_false(s->write && s->exec);
		end = s->end;
	}
	assert_true(out->end == end);
	assert_true(out->mft >= image->bytes && out->mft_size <= image->size &&
		    (size_t)(out->mft - image->bytes) <= image->size - out->mft_size);
	assert_in_range(out->ndevices, 0, MFT_ENTRIES_MAX - 1);
	for (unsigned i = 0; i < out->ndevices; i++)
		assert_in_range(strnlen(out->device[i].name, MFT_NAME_SIZE), 1, MFT_NAME_SIZE - 1);
}

static uint64_t next_random(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

/* Overwrites 1, 2, 4 or 8 bytes, mostly in the headers and notes, with values near the edges. */
static void mutate(struct image *image, uint64_t *x)
{
	static const uint64_t edges[] = {0,	     1,		 0xff,	    0x1000,    0x100000,
					 IMAGE_SIZE, UINT64_MAX, INT64_MAX, UINT32_MAX};
	static const size_t sizes[] = {1, 2, 4, 8};
	size_t size = sizes[next_random(x) % 4];
	size_t headers = sizeof(Elf64_Ehdr) + PHNUM * sizeof(Elf64_Phdr);
	size_t at = next_random(x) % 2 ? next_random(x) % headers
				       : MFT_AT + next_random(x) % (IMAGE_SIZE - MFT_AT);
	uint64_t value = next_random(x) % 3 ? edges[next_random(x) % 9] + next_random(x) % 3 - 1
					    : next_random(x);

	if (at + size <= image->size)
		put(image, at, size, value);
}

static void test_mutations(void **state)
{
	struct image pristine = image_create(), image = image_create();
	struct elf_image out;
	uint64_t x = 0x9e3779b97f4a7c15;
	unsigned accepted = 0;
	char why[ELF_WHY_SIZE];

	(void)state;
	for (unsigned i = 0; i < MUTATIONS; i++) {
		memcpy(image.bytes, pristine.bytes, image.size);
		for (uint64_t n = 1 + next_random(&x) % 4; n > 0; n--)
			mutate(&image, &x);
		memset(why, 0, sizeof(why));
		if (elf_read(image.bytes, image.size, &out, why)) {
			assert_promises(&image, &out);
			accepted++;
		} else {
			assert_int_not_equal(why[0], '\0');
			assert_null(strchr(why, '\n'));
		}
	}
	/* Both sides were seen. */
	assert_in_range(accepted, 1, MUTATIONS - 1);
	image_free(&pristine);
	image_free(&image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_valid),	 cmocka_unit_test(test_runs_on),
	    cmocka_unit_test(test_fits),	 cmocka_unit_test(test_memory_unit),
	    cmocka_unit_test(test_broken_field), cmocka_unit_test(test_duplicates),
	    cmocka_unit_test(test_long_name),	 cmocka_unit_test(test_many_segments),
	    cmocka_unit_test(test_truncated),	 cmocka_unit_test(test_mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
