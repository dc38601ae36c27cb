/*
 * Reads a Solo5 image (elf.h): header, then program headers in one pass, then the two notes that
 * they point to. Everything is copied out of the image before it is looked at, so that neither
 * alignment nor the image's owner matters. May not allocate, map or open anything.
 */
#include "elf.h"

#include "hvt.h"
#include "mft.h"
#include "spt.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* System V ABI, "ELF header" and "Program header". */
struct file_header {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct program_header {
	uint32_t type, flags;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

#define MEGABYTE    0x100000u
#define CLASS_64    2
#define DATA_LITTLE 1
#define TYPE_EXEC   2
#define EM_X86_64   62
#define EM_AARCH64  183
#define PT_LOAD	    1
#define PT_NOTE	    4
#define PF_X	    1u
#define PF_W	    2u
#define PF_R	    4u

/* A note of Solo5's: header with the name padded to 8 bytes, the descriptor right behind it. */
struct note_header {
	uint32_t namesz, descsz, type;
	char name[8];
};

#define NOTE_NAME "Solo5"
#define NOTE_ABI1 0x31494241u
#define NOTE_MFT1 0x3154464du

struct abi1 {
	uint32_t target, version;
	uint32_t reserved[2]; /* cppcheck-suppress unusedStructMember */
};

/*
 * The manifest is 8-byte aligned within its note: four bytes of padding stand between the note's
 * header and it, and count as part of the descriptor.
 */
#define MFT_PADDING 4

_Static_assert(sizeof(struct file_header) == 64, "ELF64 file header");
_Static_assert(sizeof(struct program_header) == 56, "ELF64 program header");
_Static_assert(sizeof(struct note_header) == 20, "Solo5 note header");

struct reader {
	const uint8_t *bytes;
	size_t size;
	struct elf_image *out;
	char *why;
	bool has_abi;
};

__attribute__((format(printf, 2, 3))) static bool refuse(char *why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, ELF_WHY_SIZE, format, args);
	va_end(args);
	return false;
}

/* Copies LEN bytes at OFFSET; the callers have checked the range. */
static void copy_out(const struct reader *r, uint64_t offset, void *out, size_t len)
{
	memcpy(out, r->bytes + offset, len);
}

static bool within_image(const struct reader *r, uint64_t offset, uint64_t len)
{
	return offset <= r->size && len <= r->size - offset;
}

static bool read_ident(const struct reader *r, struct file_header *header)
{
	static const uint8_t magic[4] = {0x7f, 'E', 'L', 'F'};

	if (r->size < sizeof(magic) || memcmp(r->bytes, magic, sizeof(magic)) != 0)
		return refuse(r->why, "not an ELF file");
	if (r->size < sizeof(*header))
		return refuse(r->why,
			      "truncated: the ELF header takes %zu bytes, the image has %zu",
			      sizeof(*header), r->size);
	copy_out(r, 0, header, sizeof(*header));
	if (header->ident[4] != CLASS_64)
		return refuse(r->why, "ELF class is %u, only 64-bit images (2) run",
			      header->ident[4]);
	if (header->ident[5] != DATA_LITTLE)
		return refuse(r->why, "byte order is %u, only little-endian images (1) run",
			      header->ident[5]);
	if (header->ident[6] != 1 || header->version != 1)
		return refuse(r->why, "ELF version is %u and %u, only 1 exists", header->ident[6],
			      header->version);
	return true;
}

static bool read_header(const struct reader *r, struct file_header *header)
{
	if (!read_ident(r, header))
		return false;
	if (header->machine == EM_X86_64)
		r->out->machine = MACHINE_X86_64;
	else if (header->machine == EM_AARCH64)
		r->out->machine = MACHINE_AARCH64;
	else
		return refuse(r->why, "ELF machine is %u, neither x86-64 (62) nor aarch64 (183)",
			      header->machine);
	if (header->type != TYPE_EXEC)
		return refuse(r->why, "ELF type is %u, only static executables (2) run",
			      header->type);
	if (header->ehsize != sizeof(*header))
		return refuse(r->why, "ELF header size is %u, must be 64", header->ehsize);
	if (header->phentsize != sizeof(struct program_header))
		return refuse(r->why, "program header size is %u, must be 56", header->phentsize);
	if (header->phnum == 0)
		return refuse(r->why, "no program headers: nothing to load");
	if (!within_image(r, header->phoff, header->phnum * sizeof(struct program_header)))
		return refuse(r->why,
			      "truncated: %u program headers at byte %llu, the image has %zu",
			      header->phnum, (unsigned long long)header->phoff, r->size);
	return true;
}

/* Rounds OUT's range to ALIGN, the segment's own; false when that wraps or does not end on pages.
 */
static bool round_to_pages(struct elf_segment *out, uint64_t align)
{
	uint64_t end;

	if (align == 0 || (align & (align - 1)) != 0)
		return false;
	if (__builtin_add_overflow(out->vaddr, out->memsz, &end) ||
	    __builtin_add_overflow(end, align - 1, &end))
		return false;
	out->first = out->vaddr & -align;
	out->end = end & -align;
	return ((out->first | out->end) & (ELF_PAGE_SIZE - 1)) == 0;
}

static bool check_segment(const struct reader *r, unsigned n, const struct program_header *ph,
			  struct elf_segment *s)
{
	unsigned long long address = ph->vaddr;

	if (s->filesz > s->memsz)
		return refuse(r->why, "segment %u: %llu bytes in the image, %llu in memory", n,
			      (unsigned long long)s->filesz, (unsigned long long)s->memsz);
	if (!round_to_pages(s, ph->align))
		return refuse(r->why,
			      "segment %u: 0x%llx bytes at 0x%llx, aligned to 0x%llx, are no "
			      "whole pages",
			      n, (unsigned long long)ph->memsz, address,
			      (unsigned long long)ph->align);
	if (s->first < ELF_BASE_MIN)
		return refuse(r->why, "segment %u: starts at 0x%llx, the lowest address is 0x%x", n,
			      (unsigned long long)s->first, ELF_BASE_MIN);
	if (s->first < r->out->end)
		return refuse(r->why, "segment %u: starts at 0x%llx, the one before ends at 0x%llx",
			      n, (unsigned long long)s->first, (unsigned long long)r->out->end);
	if (s->write && s->exec)
		return refuse(r->why, "segment %u: both writable and executable", n);
	return true;
}

/*
 * An entry without memory is a linker's empty segment (Solo5's script makes one for thread-local
 * data), whatever its address.
 */
static bool read_load(struct reader *r, unsigned n, const struct program_header *ph)
{
	struct elf_segment *s = &r->out->segment[r->out->nsegments];

	if (ph->filesz == 0 && ph->memsz == 0)
		return true;
	if (r->out->nsegments == ELF_SEGMENTS_MAX)
		return refuse(r->why, "more than %d loadable segments", ELF_SEGMENTS_MAX);
	*s = (struct elf_segment){
	    .offset = ph->offset,
	    .vaddr = ph->vaddr,
	    .filesz = ph->filesz,
	    .memsz = ph->memsz,
	    .read = ph->flags & PF_R,
	    .write = ph->flags & PF_W,
	    .exec = ph->flags & PF_X,
	};
	if (!check_segment(r, n, ph, s))
		return false;
	r->out->end = s->end;
	r->out->nsegments++;
	return true;
}

static bool read_abi(struct reader *r, uint64_t offset, uint32_t size)
{
	struct abi1 abi;

	if (r->has_abi)
		return refuse(r->why, "two ABI1 notes");
	if (size != sizeof(abi))
		return refuse(r->why, "ABI1 note has %u bytes, must have %zu", size, sizeof(abi));
	copy_out(r, offset, &abi, sizeof(abi));
	r->out->target = abi.target;
	r->out->abi_version = abi.version;
	r->has_abi = true;
	return true;
}

/* As Solo5's elftool makes them: 1 to 67 letters and digits. */
static bool device_name_ok(const char name[MFT_NAME_SIZE])
{
	size_t len = strnlen(name, MFT_NAME_SIZE);

	if (len == 0 || len == MFT_NAME_SIZE)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!((name[i] >= '0' && name[i] <= '9') || (name[i] >= 'A' && name[i] <= 'Z') ||
		      (name[i] >= 'a' && name[i] <= 'z')))
			return false;
	return true;
}

static bool read_device(const struct reader *r, unsigned n, const struct mft_entry *entry)
{
	struct elf_image *out = r->out;
	struct mft_device *device = &out->device[out->ndevices];

	if (entry->type != MFT_BLOCK && entry->type != MFT_NET)
		return refuse(r->why,
			      "manifest: device %u is of type %u, neither block (1) nor net (2)", n,
			      entry->type);
	if (!device_name_ok(entry->name))
		return refuse(r->why,
			      "manifest: name of device %u is not 1 to %d letters and digits", n,
			      MFT_NAME_SIZE - 1);
	if (entry->attached)
		return refuse(r->why, "manifest: device '%s' claims to be attached already",
			      entry->name);
	for (unsigned i = 0; i < out->ndevices; i++)
		if (out->device[i].type == (enum mft_type)entry->type &&
		    strcmp(out->device[i].name, entry->name) == 0)
			return refuse(r->why, "manifest: two %s devices '%s'",
				      mft_type_name(out->device[i].type), entry->name);
	memcpy(device->name, entry->name, sizeof(device->name));
	device->type = (enum mft_type)entry->type;
	out->ndevices++;
	return true;
}

/* The first entry is reserved: of its own type, without a name, not attached. */
static bool first_entry_ok(const struct mft_entry *entry)
{
	return entry->type == MFT_RESERVED && entry->name[0] == '\0' &&
	       entry->name[MFT_NAME_SIZE - 1] == '\0' && !entry->attached;
}

static bool read_entries(const struct reader *r, uint64_t offset, uint32_t entries)
{
	struct mft_entry entry;

	copy_out(r, offset, &entry, sizeof(entry));
	if (!first_entry_ok(&entry))
		return refuse(r->why, "manifest: the first entry is not the reserved one");
	for (unsigned n = 1; n < entries; n++) {
		copy_out(r, offset + n * sizeof(entry), &entry, sizeof(entry));
		if (!read_device(r, n, &entry))
			return false;
	}
	return true;
}

static bool read_manifest(struct reader *r, uint64_t offset, uint32_t size)
{
	struct mft_head head;
	uint32_t expected;

	if (r->out->mft != NULL)
		return refuse(r->why, "two MFT1 notes");
	if (size < MFT_PADDING + sizeof(head))
		return refuse(r->why, "manifest: %u bytes are too few for one", size);
	copy_out(r, offset + MFT_PADDING, &head, sizeof(head));
	if (head.version != MFT_VERSION)
		return refuse(r->why, "manifest: version is %u, must be %d", head.version,
			      MFT_VERSION);
	if (head.entries < 1 || head.entries > MFT_ENTRIES_MAX)
		return refuse(r->why, "manifest: has %u entries, must have 1 to %d", head.entries,
			      MFT_ENTRIES_MAX);
	expected = MFT_PADDING + sizeof(head) + head.entries * sizeof(struct mft_entry);
	if (size != expected)
		return refuse(r->why, "manifest: %u entries take %u bytes, the note has %u",
			      head.entries, expected, size);
	r->out->mft = r->bytes + offset + MFT_PADDING;
	r->out->mft_size = size - MFT_PADDING;
	return read_entries(r, offset + MFT_PADDING + sizeof(head), head.entries);
}

/* Solo5's linker scripts give each note a program header of its own; what is not Solo5's is
 * skipped.
 */
static bool read_note(struct reader *r, unsigned n, const struct program_header *ph)
{
	struct note_header note;

	if (ph->filesz < sizeof(note))
		return true;
	copy_out(r, ph->offset, &note, sizeof(note));
	if (note.namesz != sizeof(NOTE_NAME) ||
	    memcmp(note.name, NOTE_NAME, sizeof(NOTE_NAME)) != 0)
		return true;
	if (note.descsz > ph->filesz - sizeof(note))
		return refuse(r->why, "note in program header %u: %u bytes do not fit into %llu", n,
			      note.descsz, (unsigned long long)(ph->filesz - sizeof(note)));
	if (note.type == NOTE_ABI1)
		return read_abi(r, ph->offset + sizeof(note), note.descsz);
	if (note.type == NOTE_MFT1)
		return read_manifest(r, ph->offset + sizeof(note), note.descsz);
	return true;
}

static bool read_program_header(struct reader *r, unsigned n, const struct program_header *ph)
{
	if (ph->filesz != 0 && !within_image(r, ph->offset, ph->filesz))
		return refuse(
		    r->why, "truncated: segment %u has %llu bytes at byte %llu, the image has %zu",
		    n, (unsigned long long)ph->filesz, (unsigned long long)ph->offset, r->size);
	if (ph->type == PT_LOAD)
		return read_load(r, n, ph);
	if (ph->type == PT_NOTE)
		return read_note(r, n, ph);
	return true;
}

static bool check_entry(const struct reader *r)
{
	const struct elf_image *out = r->out;

	for (unsigned i = 0; i < out->nsegments; i++) {
		const struct elf_segment *s = &out->segment[i];

		if (s->exec && out->entry >= s->vaddr && out->entry - s->vaddr < s->memsz)
			return true;
	}
	return refuse(r->why, "entry point 0x%llx is in no executable segment",
		      (unsigned long long)out->entry);
}

bool elf_read(const uint8_t *bytes, size_t size, struct elf_image *out, char *why)
{
	struct reader r = {.bytes = bytes, .size = size, .out = out, .why = why};
	struct file_header header = {0};
	struct program_header ph;

	memset(out, 0, sizeof(*out));
	if (!read_header(&r, &header))
		return false;
	out->entry = header.entry;
	for (unsigned n = 0; n < header.phnum; n++) {
		copy_out(&r, header.phoff + n * sizeof(ph), &ph, sizeof(ph));
		if (!read_program_header(&r, n, &ph))
			return false;
	}
	if (!check_entry(&r))
		return false;
	if (!r.has_abi)
		return refuse(why, "no ABI1 note: not a Solo5 image");
	if (out->mft == NULL)
		return refuse(why, "no MFT1 note: the image has no Solo5 manifest");
	return true;
}

bool elf_runs_on(const struct elf_image *image, enum elf_machine machine, char *why)
{
	static const uint32_t versions[] = {
	    [TARGET_HVT] = HVT_ABI_VERSION,
	    [TARGET_SPT] = SPT_ABI_VERSION,
	};
	uint32_t version;

	if (image->machine != machine)
		return refuse(why, "made for %s, this machine is %s",
			      elf_machine_name(image->machine), elf_machine_name(machine));
	if (image->target != TARGET_HVT && image->target != TARGET_SPT)
		return refuse(why, "made for target %s (%u), this version runs hvt and spt",
			      elf_target_name(image->target), image->target);
	version = versions[image->target];
	if (image->abi_version != version)
		return refuse(why, "made for %s ABI version %u, this version runs %u",
			      elf_target_name(image->target), image->abi_version, version);
	return true;
}

/* Large pages are what an hvt guest's page tables are made of. */
static uint64_t memory_unit(const struct elf_image *image)
{
	return image->target == TARGET_HVT ? MEMORY_PAGE : MEGABYTE;
}

uint64_t elf_memory(const struct elf_image *image, uint64_t memory)
{
	return memory - memory % memory_unit(image);
}

bool elf_fits(const struct elf_image *image, uint64_t memory, char *why)
{
	uint64_t unit = memory_unit(image);
	uint64_t units = image->end / unit + (image->end % unit != 0);

	if (units <= memory / unit)
		return true;
	return refuse(why, "needs at least %llu MB of memory, is given %llu MB",
		      (unsigned long long)units * (unit / MEGABYTE),
		      (unsigned long long)(memory / MEGABYTE));
}

const char *elf_target_name(uint32_t target)
{
	static const char *const names[] = {
	    [TARGET_HVT] = "hvt",   [TARGET_SPT] = "spt",	[TARGET_VIRTIO] = "virtio",
	    [TARGET_MUEN] = "muen", [TARGET_GENODE] = "genode", [TARGET_XEN] = "xen",
	};

	if (target == 0 || target >= sizeof(names) / sizeof(names[0]))
		return "unknown";
	return names[target];
}

const char *elf_machine_name(enum elf_machine machine)
{
	return machine == MACHINE_X86_64 ? "x86-64" : "aarch64";
}

const char *mft_type_name(enum mft_type type)
{
	return type == MFT_BLOCK ? "block" : "net";
}
