/*
 * Devices against the manifest, see manifest.h.
 */
#include "manifest.h"

#include <stdio.h>
#include <string.h>

#define NAMES_SIZE 200

/* The names of IMAGE's devices of TYPE, for people; how many. */
static unsigned declared(const struct elf_image *image, enum mft_type type, char names[NAMES_SIZE])
{
	unsigned count = 0;
	size_t used = 0;

	names[0] = '\0';
	for (unsigned i = 0; i < image->ndevices; i++) {
		if (image->device[i].type != type)
			continue;
		if (used < NAMES_SIZE - MFT_NAME_SIZE - 4)
			used += (size_t)snprintf(names + used, NAMES_SIZE - used, "%s%s",
						 count == 0 ? "" : ", ", image->device[i].name);
		count++;
	}
	if (count == 0)
		snprintf(names, NAMES_SIZE, "none");
	return count;
}

static bool has_device(const struct elf_image *image, enum mft_type type, const char *name)
{
	for (unsigned i = 0; i < image->ndevices; i++)
		if (image->device[i].type == type && strcmp(image->device[i].name, name) == 0)
			return true;
	return false;
}

/* GIVEN names: "" where the manifest is to choose. */
static bool devices_check(const struct elf_image *image, enum mft_type type, const char *option,
			  const char *const *given, unsigned count, struct refusal *why)
{
	char names[NAMES_SIZE];
	unsigned wanted = declared(image, type, names);

	for (unsigned i = 0; i < count; i++)
		if (given[i][0] != '\0' && !has_device(image, type, given[i]))
			return refusal_say(why, "%s: %s is given, the image declares %s", option,
					   given[i], names);
	if (wanted == count)
		return true;
	return refusal_say(why, "%s: %u given, the image declares %u (%s)", option, count, wanted,
			   names);
}

bool manifest_check(const struct elf_image *image, const struct vm_config *vm, struct refusal *why)
{
	const char *nets[DEVICES_MAX], *blocks[DEVICES_MAX];
	const uint32_t nnets = vm->nnets, nblocks = vm->nblocks;

	for (uint32_t i = 0; i < nnets; i++)
		nets[i] = vm->net[i].device;
	for (uint32_t i = 0; i < nblocks; i++)
		blocks[i] = vm->block[i].device;
	return devices_check(image, MFT_NET, "--net", nets, nnets, why) &&
	       devices_check(image, MFT_BLOCK, "--block", blocks, nblocks, why);
}
