/*
 * Devices against the manifest, see manifest.h.
 */
#include "manifest.h"

#include "devices.h"

bool manifest_check(const struct elf_image *image, const struct vm_config *vm, struct refusal *why)
{
	const char *nets[DEVICES_MAX], *blocks[DEVICES_MAX];
	const uint32_t nnets = vm->nnets, nblocks = vm->nblocks;
	unsigned bound[DEVICES_MAX];
	char text[ELF_WHY_SIZE];

	for (uint32_t i = 0; i < nnets; i++)
		nets[i] = vm->net[i].device;
	for (uint32_t i = 0; i < nblocks; i++)
		blocks[i] = vm->block[i].device;
	return (devices_bind(image, MFT_NET, "--net", nets, nnets, bound, text) &&
		devices_bind(image, MFT_BLOCK, "--block", blocks, nblocks, bound, text)) ||
	       refusal_say(why, "%s", text);
}
