/* Why a VM ended that nobody stopped, from what the kernel says of its process. Pure. */
#ifndef VMM_ENDS_H
#define VMM_ENDS_H

#include <stdbool.h>

#include "entry.h"

/*
 * END and VALUE as process_end gives them; MEMORY_SHORT: the kernel has killed somebody for want of
 * memory since the VM started. A guest's fault under hvt is an exit status like any other: its
 * console has the words.
 */
enum stop_cause end_cause(enum vm_end end, uint32_t value, bool memory_short);

#endif
