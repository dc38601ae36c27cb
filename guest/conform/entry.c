/* entry: the state of the processor that a guest starts in. */
#include "guest.h"

#define RPL	    3u
#define TRAP	    0x100u
#define DIRECTION   0x400u
#define ALIGN_CHECK 0x40000u

int guest_main(int argc, char **argv)
{
	struct boot_info boot = guest_boot();
	uint64_t flags;
	uint16_t cs;

	(void)argc;
	(void)argv;
	__asm__ volatile("pushfq; popq %0" : "=r"(flags));
	__asm__ volatile("movw %%cs, %0" : "=r"(cs));
	print("entry: the stack starts %d bytes below the end of memory\n",
	      boot.memory_size - boot.stack);
	print("entry: privilege %d, trap, direction, alignment flags 0x%x\n", (uint64_t)(cs & RPL),
	      flags & (TRAP | DIRECTION | ALIGN_CHECK));
	return 0;
}
