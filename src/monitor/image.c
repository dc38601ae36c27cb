/* Brings the image into reach (image.h); lib/elf.c is what looks into it. */
#include "image.h"

#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t file_size(int fd, const char *name)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		report_fatal("%s: %s", name, strerror(errno));
	if (!S_ISREG(st.st_mode))
		report_fatal("%s: not a regular file", name);
	return (uint64_t)st.st_size;
}

/* mmap wants whole pages; the image may begin anywhere in its file. */
static void map(struct image_file *image, const char *name, uint64_t offset, uint64_t length)
{
	uint64_t skipped = offset % ELF_PAGE_SIZE;

	if (length == 0)
		report_fatal("%s: is empty", name);
	image->mapping_size = length + skipped;
	image->mapping = mmap(NULL, image->mapping_size, PROT_READ, MAP_PRIVATE, image->fd,
			      (off_t)(offset - skipped));
	if (image->mapping == MAP_FAILED)
		report_fatal("%s: cannot map it: %s", name, strerror(errno));
	image->bytes = (const uint8_t *)image->mapping + skipped;
}

static void open_path(struct image_file *image, const char *path, uint64_t *length)
{
	image->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (image->fd < 0)
		report_fatal("%s: %s", path, strerror(errno));
	*length = file_size(image->fd, path);
	map(image, path, 0, *length);
}

static void open_fd(struct image_file *image, const struct options *options, const char *name)
{
	uint64_t size;

	image->fd = options->image_fd;
	size = file_size(image->fd, name);
	if (options->image_offset > size || options->image_length > size - options->image_offset)
		report_fatal("%s: %llu bytes at %llu, the descriptor has %llu", name,
			     (unsigned long long)options->image_length,
			     (unsigned long long)options->image_offset, (unsigned long long)size);
	map(image, name, options->image_offset, options->image_length);
}

void image_open(struct image_file *image, const struct options *options)
{
	const char *name = options->image_path != NULL ? options->image_path : "image";
	uint64_t length = options->image_length;
	char why[ELF_WHY_SIZE];

	if (options->image_path != NULL)
		open_path(image, options->image_path, &length);
	else
		open_fd(image, options, name);
	if (!elf_read(image->bytes, length, &image->elf, why))
		report_fatal("%s: %s", name, why);
	report_status("target %s", elf_target_name(image->elf.target));
	if (!elf_runs_on(&image->elf, MACHINE_X86_64, why) ||
	    !elf_fits(&image->elf, options->memory, why))
		report_fatal("%s: %s", name, why);
}

void image_close(struct image_file *image)
{
	munmap(image->mapping, image->mapping_size);
	close(image->fd);
}
