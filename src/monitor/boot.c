/* Boot information (boot.h). Writes below ELF_BASE_MIN, before the guest runs. */
#include "boot.h"

#include "hvt.h"
#include "report.h"

#include <string.h>

_Static_assert(MEMORY_BOOT_INFO + sizeof(struct hvt_boot_info) + 8 +
		       (uint64_t)MFT_ENTRIES_MAX * 104 + HVT_CMDLINE_SIZE <
		   ELF_BASE_MIN,
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

void boot_info_write(const struct guest_memory *memory, const struct elf_image *elf,
		     uint64_t cycle_freq, char *const *args)
{
	struct hvt_boot_info info = {
	    .memory_size = memory->size,
	    .kernel_end = elf->end,
	    .cpu_cycle_freq = cycle_freq,
	    .mft = MEMORY_BOOT_INFO + sizeof(info),
	    .cmdline = MEMORY_BOOT_INFO + sizeof(info) + elf->mft_size,
	};

	memcpy(memory->bytes + MEMORY_BOOT_INFO, &info, sizeof(info));
	memcpy(memory->bytes + info.mft, elf->mft, elf->mft_size);
	write_cmdline((char *)memory->bytes + info.cmdline, args);
}
