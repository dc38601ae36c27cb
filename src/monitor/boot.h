/* What a guest finds at MEMORY_BOOT_INFO: struct hvt_boot_info, its manifest, its command line. */
#ifndef VMM_MONITOR_BOOT_H
#define VMM_MONITOR_BOOT_H

#include "memory.h"

/* ARGS joined with spaces become the command line; exits with one line when they are too long. */
void boot_info_write(const struct guest_memory *memory, const struct elf_image *elf,
		     uint64_t cycle_freq, char *const *args);

#endif
