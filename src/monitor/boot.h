/*
 * What a guest finds when it starts: its target's boot information, its manifest, its command line.
 * Each exits with one line when ARGS, joined with spaces, are too long for a command line.
 */
#ifndef VMM_MONITOR_BOOT_H
#define VMM_MONITOR_BOOT_H

#include "attach.h"
#include "memory.h"

/* At MEMORY_BOOT_INFO: struct hvt_boot_info. */
void boot_info_write_hvt(const struct guest_memory *memory, const struct elf_image *elf,
			 const struct devices *devices, uint64_t cycle_freq, char *const *args);
/* At SPT_BOOT_INFO: struct spt_boot_info. */
void boot_info_write_spt(const struct guest_memory *memory, const struct elf_image *elf,
			 const struct devices *devices, int epollfd, int timerfd,
			 char *const *args);

#endif
