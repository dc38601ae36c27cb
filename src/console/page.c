/*
 * vmm_console's half of a VM's statistics page (statpage.h). Never mapped: whoever else has the
 * page for writing could cut it short, and every console would end with it.
 */
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "console.h"
#include "statpage.h"

struct half {
	uint64_t console, start, bytes, lost;
};

#define HALF_AT offsetof(struct statpage, console)

/* What is printed is what the ring has been given since: so it survives as the ring does. */
void page_store(struct vm *vm)
{
	const struct half half = {
	    .console = 1,
	    .start = vm->start,
	    .bytes = ring_position(&vm->ring) - vm->start,
	    .lost = vm->lost,
	};

	if (vm->page >= 0 &&
	    pwrite(vm->page, &half, sizeof(half), HALF_AT) != (ssize_t)sizeof(half))
		page_close(vm);
}

void page_take(struct vm *vm, int page)
{
	uint64_t now = ring_position(&vm->ring);
	struct half half;

	vm->page = page;
	if (pread(page, &half, sizeof(half), HALF_AT) != (ssize_t)sizeof(half)) {
		page_close(vm);
		return;
	}
	if (half.console == 0)
		half = (struct half){.start = now};
	/* A ring that started over has less than was counted: that stays. */
	if ((int64_t)(now - half.start) < (int64_t)half.bytes)
		half.start = now - half.bytes;
	vm->start = half.start;
	vm->lost = half.lost;
	page_store(vm);
}

void page_close(struct vm *vm)
{
	if (vm->page >= 0)
		close(vm->page);
	vm->page = -1;
}
