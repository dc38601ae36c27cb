/* A guest's memory for tests of src/monitor/hypercall.c. */
#ifndef HYPERCALL_WORLD_H
#define HYPERCALL_WORLD_H

#include "hypercall.h"

#define SIZE   0x400000u
#define TEXT   0x100000u /* executable only */
#define RODATA 0x101000u
#define HIDDEN 0x102000u /* neither read nor write */
#define DATA   0x103000u /* and after it plain memory */

/* For cmocka: the state is the guest's memory. */
int world_setup(void **state);
int world_teardown(void **state);

/* Call NUMBER with its structure at ADDRESS is a fault, for which WHY is said. */
void assert_faults(const struct guest_memory *memory, struct devices *devices, uint32_t number,
		   uint64_t address, const char *why);

#endif
