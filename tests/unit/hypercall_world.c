/* See hypercall_world.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "hypercall_world.h"

static const struct elf_image image = {
    .nsegments = 4,
    .segment =
	{
	    {.vaddr = TEXT, .memsz = 1, .first = TEXT, .end = RODATA, .exec = true},
	    {.vaddr = RODATA, .memsz = 1, .first = RODATA, .end = HIDDEN, .read = true},
	    {.vaddr = HIDDEN, .memsz = 1, .first = HIDDEN, .end = DATA},
	    {.vaddr = DATA,
	     .memsz = 1,
	     .first = DATA,
	     .end = DATA + 0x1000,
	     .read = true,
	     .write = true},
	},
};

int world_setup(void **state)
{
	static struct guest_memory memory;
	static const uint8_t bytes[1];

	memory_create(&memory, SIZE);
	memory_load(&memory, &image, bytes);
	*state = &memory;
	return 0;
}

int world_teardown(void **state)
{
	struct guest_memory *memory = *state;

	return munmap(memory->bytes, memory->size);
}

void assert_faults(const struct guest_memory *memory, struct devices *devices, uint32_t number,
		   uint64_t address, const char *why)
{
	struct hypercall_end end = {0};

	assert_int_equal(hypercall(memory, devices, number, address, &end), GUEST_FAULTED);
	assert_string_equal(end.why, why);
}
