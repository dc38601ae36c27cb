/* Finds out which device is which, and brings them in (attach.h). */
#include "attach.h"

#include "block.h"
#include "devices.h"
#include "report.h"
#include "tap.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#define SECTOR_DEFAULT 512
#define MAC_HOST       0xfc /* the first byte, without its two flags */
#define MAC_LOCAL      2

/* Devices of TYPE get their places in the manifest, which go to PLACE in the order of GIVEN. */
static unsigned bind(struct devices *devices, const struct elf_image *elf, enum mft_type type,
		     const char *option, const struct given_list *given, unsigned *place)
{
	const char *name[GIVEN_MAX];
	char why[ELF_WHY_SIZE];

	for (unsigned k = 0; k < given->count; k++)
		name[k] = given->item[k].name;
	if (!devices_bind(elf, type, option, name, given->count, place, why))
		report_fatal("%s", why);
	for (unsigned k = 0; k < given->count; k++) {
		struct device *device = &devices->at[++place[k]];

		device->type = type;
		device->name = elf->device[place[k] - 1].name;
	}
	return given->count;
}

/* The device that property K of GIVEN, of an OPTION, is about. */
static struct device *find(struct devices *devices, const struct elf_image *elf, enum mft_type type,
			   const char *option, const struct given_list *given, unsigned k)
{
	const char *name = given->item[k].name;
	char why[ELF_WHY_SIZE];
	unsigned index;

	if (!devices_find(elf, type, option, name, &index, why))
		report_fatal("%s", why);
	for (unsigned i = 0; i < k; i++)
		if (strcmp(given->item[i].name, name) == 0)
			report_fatal("%s: %s is given twice", option, name);
	return &devices->at[index + 1];
}

void devices_attach(struct devices *devices, const struct elf_image *elf,
		    const struct options *options)
{
	const struct given_list *nets = &options->nets, *blocks = &options->blocks;

	devices->nnets = bind(devices, elf, MFT_NET, "--net", nets, devices->net);
	devices->nblocks = bind(devices, elf, MFT_BLOCK, "--block", blocks, devices->block);
	for (unsigned k = 0; k < options->macs.count; k++) {
		struct device *device = find(devices, elf, MFT_NET, "--net-mac", &options->macs, k);

		memcpy(device->mac, options->macs.item[k].mac, sizeof(device->mac));
		device->has_mac = true;
	}
	for (unsigned k = 0; k < devices->nblocks; k++)
		devices->at[devices->block[k]].sector = SECTOR_DEFAULT;
	for (unsigned k = 0; k < options->sectors.count; k++)
		find(devices, elf, MFT_BLOCK, "--block-sector-size", &options->sectors, k)
		    ->sector = options->sectors.item[k].sector;
	for (unsigned k = 0; k < devices->nnets; k++)
		tap_attach(&devices->at[devices->net[k]], &nets->item[k]);
	for (unsigned k = 0; k < devices->nblocks; k++)
		block_attach(&devices->at[devices->block[k]], &blocks->item[k]);
}

void devices_make_macs(struct devices *devices)
{
	for (unsigned k = 0; k < devices->nnets; k++) {
		struct device *device = &devices->at[devices->net[k]];

		if (device->has_mac)
			continue;
		if (getrandom(device->mac, sizeof(device->mac), 0) != sizeof(device->mac))
			report_fatal("cannot make up a MAC: %s", strerror(errno));
		device->mac[0] = (uint8_t)((device->mac[0] & MAC_HOST) | MAC_LOCAL);
		device->has_mac = true;
	}
}
