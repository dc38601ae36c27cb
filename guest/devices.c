/* What the tender said of a guest's devices, in its manifest (guest.h). */
#include "guest.h"
#include "image.h"

static const struct mft_entry *find(uint32_t type, unsigned n, unsigned *handle)
{
	const struct mft *mft = guest_boot().manifest;

	for (unsigned i = 0; i < mft->head.entries; i++)
		if (mft->entry[i].type == type && n-- == 0) {
			*handle = i;
			return &mft->entry[i];
		}
	return NULL;
}

int net_find(unsigned n, struct net_device *out)
{
	const struct mft_entry *entry = find(MFT_NET, n, &out->handle);

	if (entry == NULL)
		return 0;
	out->name = entry->name;
	out->descriptor = entry->fd;
	out->mtu = entry->net.mtu;
	__builtin_memcpy(out->mac, entry->net.mac, sizeof(out->mac));
	return 1;
}

int block_find(unsigned n, struct block_device *out)
{
	const struct mft_entry *entry = find(MFT_BLOCK, n, &out->handle);

	if (entry == NULL)
		return 0;
	out->name = entry->name;
	out->descriptor = entry->fd;
	out->capacity = entry->block.capacity;
	out->sector_size = entry->block.sector;
	return 1;
}
