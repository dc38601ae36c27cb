/* Boot information (boot.h). Writes below ELF_BASE_MIN, before the guest runs. */
#include "boot.h"

#include "hvt.h"
#include "mft.h"
#include "report.h"
#include "spt.h"

#include <string.h>

#define INFO_MAX sizeof(struct hvt_boot_info)
#define MFT_MAX	 (sizeof(struct mft_head) + (uint64_t)MFT_ENTRIES_MAX * sizeof(struct mft_entry))

_Static_assert(sizeof(struct spt_boot_info) <= INFO_MAX && SPT_CMDLINE_SIZE == HVT_CMDLINE_SIZE &&
		   MEMORY_BOOT_INFO <= SPT_BOOT_INFO,
	       "one bound for both targets");
_Static_assert(SPT_BOOT_INFO + INFO_MAX + MFT_MAX + HVT_CMDLINE_SIZE < ELF_BASE_MIN,
	       "boot information fits below the image");

static void write_cmdline(char *out, char *const *args)
{
	size_t used = 0;

	for (; *args != NULL; args++) {
		size_t len = strlen(*args);

		/* A terminator or a space follows. */
		if (len >= HVT_CMDLINE_SIZE - used)
			report_fatal("the arguments are longer than %d characters",
				     HVT_CMDLINE_SIZE - 1);
		memcpy(out + used, *args, len);
		used += len;
		if (args[1] != NULL)
			out[used++] = ' ';
	}
	out[used] = '\0';
}

/* A descriptor is of use to a guest that is a process of its own. */
static void fill_in(struct mft_entry *entry, const struct device *device, bool in_place)
{
	entry->attached = true;
	if (in_place)
		entry->fd = device->fd;
	if (device->type == MFT_BLOCK) {
		entry->block.capacity = device->capacity;
		entry->block.sector = device->sector;
	} else {
		memcpy(entry->net.mac, device->mac, sizeof(entry->net.mac));
		entry->net.mtu = device->mtu;
	}
}

static void write_manifest(uint8_t *out, const struct elf_image *elf, const struct devices *devices,
			   bool in_place)
{
	struct mft_entry entry;

	memcpy(out, elf->mft, elf->mft_size);
	for (unsigned i = 1; i <= elf->ndevices; i++) {
		uint8_t *at = out + sizeof(struct mft_head) + i * sizeof(entry);

		memcpy(&entry, at, sizeof(entry));
		fill_in(&entry, &devices->at[i], in_place);
		memcpy(at, &entry, sizeof(entry));
	}
}

/* INFO at address AT, behind it the manifest, behind that the command line. */
static void write_all_of_it(const struct guest_memory *memory, const struct elf_image *elf,
			    const struct devices *devices, uint64_t at, const void *info,
			    size_t size, char *const *args)
{
	uint8_t *out = memory->bytes + at;

	memcpy(out, info, size);
	write_manifest(out + size, elf, devices, memory->in_place);
	write_cmdline((char *)out + size + elf->mft_size, args);
}

void boot_info_write_hvt(const struct guest_memory *memory, const struct elf_image *elf,
			 const struct devices *devices, uint64_t cycle_freq, char *const *args)
{
	const struct hvt_boot_info info = {
	    .memory_size = memory->size,
	    .kernel_end = elf->end,
	    .cpu_cycle_freq = cycle_freq,
	    .mft = MEMORY_BOOT_INFO + sizeof(info),
	    .cmdline = MEMORY_BOOT_INFO + sizeof(info) + elf->mft_size,
	};

	write_all_of_it(memory, elf, devices, MEMORY_BOOT_INFO, &info, sizeof(info), args);
}

void boot_info_write_spt(const struct guest_memory *memory, const struct elf_image *elf,
			 const struct devices *devices, int epollfd, int timerfd, char *const *args)
{
	const struct spt_boot_info info = {
	    .memory_size = memory->size,
	    .kernel_end = elf->end,
	    .mft = SPT_BOOT_INFO + sizeof(info),
	    .cmdline = SPT_BOOT_INFO + sizeof(info) + elf->mft_size,
	    .epollfd = epollfd,
	    .timerfd = timerfd,
	};

	write_all_of_it(memory, elf, devices, SPT_BOOT_INFO, &info, sizeof(info), args);
}
