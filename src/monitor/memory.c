/* Guest memory (memory.h): the only file that turns a guest's address into a pointer after boot. */
#include "memory.h"

#include "report.h"
#include "spt.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

void memory_create(struct guest_memory *memory, uint64_t size)
{
	void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (bytes == MAP_FAILED)
		report_fatal("cannot map %llu MB of guest memory: %s",
			     (unsigned long long)(size >> 20), strerror(errno));
	*memory = (struct guest_memory){.bytes = bytes, .size = size};
}

/* Not at address 0, which no process may map, and never over something: that would be us. */
void memory_create_in_place(struct guest_memory *memory, uint64_t size, bool exec)
{
	int prot = PROT_READ | PROT_WRITE | (exec ? PROT_EXEC : 0);
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): what the ABI says */
	void *base = (void *)(uintptr_t)SPT_MEMORY_BASE;

	if (mmap(base, size - SPT_MEMORY_BASE, prot,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0) != base)
		report_fatal("cannot map %llu MB of guest memory from 0x%x on: %s%s",
			     (unsigned long long)(size >> 20), SPT_MEMORY_BASE, strerror(errno),
			     errno == EPERM ? " (vm.mmap_min_addr must not be above it)" : "");
	*memory = (struct guest_memory){.bytes = NULL, .size = size, .in_place = true};
}

/*
 * What is executable for an hvt guest is readable for the host, never executable. x86 has no
 * writing without reading.
 */
static int protection(const struct guest_memory *memory, const struct elf_segment *segment)
{
	if (memory->in_place)
		return (segment->read ? PROT_READ : 0) | (segment->write ? PROT_WRITE : 0) |
		       (segment->exec ? PROT_EXEC : 0);
	if (segment->write)
		return PROT_READ | PROT_WRITE;
	return segment->read || segment->exec ? PROT_READ : PROT_NONE;
}

void memory_load(struct guest_memory *memory, const struct elf_image *elf, const uint8_t *image)
{
	memory->nsegments = elf->nsegments;
	memcpy(memory->segment, elf->segment, sizeof(memory->segment));
	for (unsigned i = 0; i < elf->nsegments; i++) {
		const struct elf_segment *s = &elf->segment[i];

		memcpy(memory->bytes + s->vaddr, image + s->offset, s->filesz);
		if (mprotect(memory->bytes + s->first, s->end - s->first, protection(memory, s)) <
		    0)
			report_fatal("cannot protect the guest's memory: %s", strerror(errno));
	}
}

/* Whether [ADDRESS, ADDRESS + LEN) is memory from LOWEST on whose segments all have NEED. */
static bool accessible(const struct guest_memory *memory, uint64_t address, uint64_t len,
		       uint64_t lowest, int need)
{
	if (address < lowest || address > memory->size || len > memory->size - address)
		return false;
	for (unsigned i = 0; i < memory->nsegments; i++) {
		const struct elf_segment *s = &memory->segment[i];

		if (address < s->end && address + len > s->first &&
		    (protection(memory, s) & need) != need)
			return false;
	}
	return true;
}

const void *memory_readable(const struct guest_memory *memory, uint64_t address, uint64_t len)
{
	if (!accessible(memory, address, len, MEMORY_BOOT_INFO, PROT_READ))
		return NULL;
	return memory->bytes + address;
}

void *memory_writable(const struct guest_memory *memory, uint64_t address, uint64_t len)
{
	if (!accessible(memory, address, len, ELF_BASE_MIN, PROT_WRITE))
		return NULL;
	return memory->bytes + address;
}
