/* Mapped memory with or without a file. */
#include "region.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Memory is asked for in such steps. */
#define RESERVE_STEP (64 * 1024)

static int region_set(struct region *region, void *base, size_t size, size_t reserved)
{
	if (base == MAP_FAILED)
		return -errno;
	*region = (struct region){.base = base, .size = size, .reserved = reserved};
	return 0;
}

int region_map(struct region *region, int file, size_t size)
{
	if (lseek(file, 0, SEEK_END) != (off_t)size)
		return -EINVAL;
	return region_set(region, mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0),
			  size, 0);
}

int region_anonymous(struct region *region, size_t size)
{
	return region_set(
	    region, mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
	    size, size);
}

int region_reserve(struct region *region, size_t reach)
{
	if (reach <= region->reserved)
		return 0;
	reach = (reach + RESERVE_STEP - 1) / RESERVE_STEP * RESERVE_STEP;
	if (reach > region->size)
		reach = region->size;
	/* EINVAL: a kernel that has no such thing. */
	if (madvise(region->base, reach, MADV_POPULATE_WRITE) < 0 && errno != EINVAL)
		return -errno;
	region->reserved = reach;
	return 0;
}

int region_leave_file(struct region *region)
{
	struct region memory = {0};
	int error = region_anonymous(&memory, region->size);

	if (memory.base == NULL)
		return error;
	memcpy(memory.base, region->base, region->reserved);
	region_unmap(region);
	*region = memory;
	return 0;
}

void region_unmap(struct region *region)
{
	if (region->base)
		munmap(region->base, region->size);
	*region = (struct region){0};
}
