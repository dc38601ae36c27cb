/*
 * Which device of an image's manifest each given one is. Pure; vmm_ca and vmm_monitor bind with the
 * same code.
 */
#ifndef VMM_DEVICES_H
#define VMM_DEVICES_H

#include "elf.h"

/*
 * NAME[i] is what the i-th given device of TYPE was called, "" where the manifest is to choose:
 * such ones take, in their order, those that nobody named, in the manifest's. BOUND[i] becomes its
 * index in IMAGE->device. False with WHY (ELF_WHY_SIZE bytes), a sentence that begins with OPTION:
 * a name that is not declared or given twice, or not exactly as many as are declared.
 */
bool devices_bind(const struct elf_image *image, enum mft_type type, const char *option,
		  const char *const *name, unsigned count, unsigned *bound, char *why);

/*
 * The index in IMAGE->device of the one of TYPE that is called NAME. False with WHY, as above: it
 * is not declared.
 */
bool devices_find(const struct elf_image *image, enum mft_type type, const char *option,
		  const char *name, unsigned *index, char *why);

#endif
