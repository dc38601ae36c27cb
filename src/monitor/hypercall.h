/*
 * What a guest may ask for: one table of calls (hypercall.c), every argument through memory.h's
 * door.
 */
#ifndef VMM_MONITOR_HYPERCALL_H
#define VMM_MONITOR_HYPERCALL_H

#include "attach.h"
#include "memory.h"

#define HYPERCALL_WHY_SIZE 128

enum hypercall_outcome { GUEST_RUNS, GUEST_HALTED, GUEST_FAULTED };

struct hypercall_end {
	int status;		      /* after GUEST_HALTED */
	char why[HYPERCALL_WHY_SIZE]; /* after GUEST_FAULTED: what it did, "puts: ..." */
};

/*
 * Serves call NUMBER with its structure at ADDRESS. END is filled unless the guest goes on. What
 * the host cannot do for a device is the guest's to hear, and no fault. DEVICES keep which are
 * lost.
 */
enum hypercall_outcome hypercall(const struct guest_memory *memory, struct devices *devices,
				 uint32_t number, uint64_t address, struct hypercall_end *end);

#endif
