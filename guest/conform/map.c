/* map: where a tender put what, and that the memory between image and stack is zero and writable.
 */
#include "guest.h"

#define PAGE  4096
#define STACK 65536 /* at the end of memory: ours, in use */

static const char *offset_of(const struct boot_info *boot, const void *what)
{
	uintptr_t at = (uintptr_t)what;

	return at > boot->at && at < guest_layout().text ? "behind it" : "elsewhere";
}

int guest_main(int argc, char **argv)
{
	struct boot_info boot = guest_boot();
	struct layout at = guest_layout();
	uint64_t pages = 0, zero = 0;

	(void)argc;
	(void)argv;
	print("map: %d MB, boot information at 0x%x\n", boot.memory_size >> 20, (uint64_t)boot.at);
	print("map: manifest %s, command line %s\n", offset_of(&boot, boot.manifest),
	      offset_of(&boot, boot.cmdline));
	print("map: image from 0x%x to 0x%x, the tender says 0x%x\n", (uint64_t)at.text,
	      (uint64_t)at.data_end, boot.kernel_end);
	for (uintptr_t page = at.data_end; page < at.memory_end - STACK; page += PAGE) {
		volatile uint64_t *word = (volatile uint64_t *)page;

		pages++;
		zero += *word == 0;
		*word = page;
		zero -= *word != page;
	}
	print("map: %d pages of heap, %d of them zero and writable\n", pages, zero);
	return pages != zero;
}
