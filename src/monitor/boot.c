/* Boot information (boot.h). Writes below ELF_BASE_MIN, before the guest runs. */
#include "boot.h"

#include "hvt.h"
#include "report.h"
#include "spt.h"

#include <string.h>

#define INFO_MAX sizeof(struct hvt_boot_info)
#define MFT_MAX	 (8 + (uint64_t)MFT_ENTRIES_MAX * 104)

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

/* INFO at address AT, behind it the manifest, behind that the command line. */
static void write_all_of_it(const struct guest_memory *memory, const struct elf_image *elf,
			    uint64_t at, const void *info, size_t size, char *const *args)
{
	uint8_t *out = memory->bytes + at;

	memcpy(out, info, size);
	memcpy(out + size, elf->mft, elf->mft_size);
	write_cmdline((char *)out + size + elf->mft_size, args);
}

void boot_info_write_hvt(const struct guest_memory *memory, const struct elf_image *elf,
			 uint64_t cycle_freq, char *const *args)
{
	const struct hvt_boot_info info = {
	    .memory_size = memory->size,
	    .kernel_end = elf->end,
	    .cpu_cycle_freq = cycle_freq,
	    .mft = MEMORY_BOOT_INFO + sizeof(info),
	    .cmdline = MEMORY_BOOT_INFO + sizeof(info) + elf->mft_size,
	};

	write_all_of_it(memory, elf, MEMORY_BOOT_INFO, &info, sizeof(info), args);
}

void boot_info_write_spt(const struct guest_memory *memory, const struct elf_image *elf,
			 int epollfd, int timerfd, char *const *args)
{
	const struct spt_boot_info info = {
	    .memory_size = memory->size,
	    .kernel_end = elf->end,
	    .mft = SPT_BOOT_INFO + sizeof(info),
	    .cmdline = SPT_BOOT_INFO + sizeof(info) + elf->mft_size,
	    .epollfd = epollfd,
	    .timerfd = timerfd,
	};

	write_all_of_it(memory, elf, SPT_BOOT_INFO, &info, sizeof(info), args);
}
