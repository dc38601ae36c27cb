/* manifest: the manifest as the tender hands it over. */
#include "guest.h"

struct manifest {
	uint32_t version, entries;
	struct {
		char name[68];
		uint32_t type;
		uint64_t properties[2], backing;
		uint8_t attached, padding[7];
	} entry[];
};

int guest_main(int argc, char **argv)
{
	const struct manifest *m = guest_boot().manifest;

	(void)argc;
	(void)argv;
	print("manifest: version %d, %d entries\n", (uint64_t)m->version, (uint64_t)m->entries);
	for (uint32_t i = 0; i < m->entries; i++)
		print("manifest: '%s', type 0x%x, %s\n", m->entry[i].name,
		      (uint64_t)m->entry[i].type,
		      m->entry[i].attached ? "attached" : "not attached");
	return 0;
}
