/*
 * The image as a mapping: opened by path, or out of a descriptor that vmmd gave. Every function
 * exits with one line when something is wrong.
 */
#ifndef VMM_MONITOR_IMAGE_H
#define VMM_MONITOR_IMAGE_H

#include "elf.h"
#include "options.h"

struct image_file {
	struct elf_image elf; /* points into the mapping */
	const uint8_t *bytes;
	void *mapping; /* page-aligned, around BYTES */
	size_t mapping_size;
	int fd;
};

/* Maps and reads it, says its target on the status channel, refuses what this version does not run.
 */
void image_open(struct image_file *image, const struct options *options);
void image_close(struct image_file *image);

#endif
