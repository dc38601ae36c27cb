/* manifest: the manifest as the tender hands it over. */
#include "guest.h"
#include "image.h"

static void print_properties(const struct mft_entry *entry)
{
	if (!entry->attached)
		print("not attached\n");
	else if (entry->type == MFT_BLOCK)
		print("attached: %d bytes in sectors of %d\n", entry->block.capacity,
		      (uint64_t)entry->block.sector);
	else
		print("attached: MTU %d\n", (uint64_t)entry->net.mtu);
}

int guest_main(int argc, char **argv)
{
	const struct mft *m = guest_boot().manifest;
	const struct mft_entry *entry = m->entry;

	(void)argc;
	(void)argv;
	print("manifest: version %d, %d entries\n", (uint64_t)m->head.version,
	      (uint64_t)m->head.entries);
	for (uint32_t i = 0; i < m->head.entries; i++) {
		print("manifest: '%s', type 0x%x, ", entry[i].name, (uint64_t)entry[i].type);
		print_properties(&entry[i]);
	}
	return 0;
}
