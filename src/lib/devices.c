/* Binds devices to an image's manifest, see devices.h. */
#include "devices.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NAMES_SIZE 120 /* leaves room in ELF_WHY_SIZE for one more name and the sentence */

__attribute__((format(printf, 2, 3))) static bool refuse(char *why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, ELF_WHY_SIZE, format, args);
	va_end(args);
	return false;
}

/* The first names of IMAGE's devices of TYPE, for people; how many there are. */
static unsigned declared(const struct elf_image *image, enum mft_type type, char names[NAMES_SIZE])
{
	unsigned count = 0;
	size_t used = 0;

	strcpy(names, "none");
	for (unsigned i = 0; i < image->ndevices; i++) {
		if (image->device[i].type != type)
			continue;
		if (used < NAMES_SIZE)
			used += (size_t)snprintf(names + used, NAMES_SIZE - used, "%s%s",
						 count == 0 ? "" : ", ", image->device[i].name);
		count++;
	}
	if (used >= NAMES_SIZE)
		strcpy(names + NAMES_SIZE - sizeof("..."), "...");
	return count;
}

bool devices_find(const struct elf_image *image, enum mft_type type, const char *option,
		  const char *name, unsigned *index, char *why)
{
	char names[NAMES_SIZE];

	for (unsigned i = 0; i < image->ndevices; i++)
		if (image->device[i].type == type && strcmp(image->device[i].name, name) == 0) {
			*index = i;
			return true;
		}
	declared(image, type, names);
	return refuse(why, "%s: %s is given, the image declares %s", option, name, names);
}

static bool bind_named(const struct elf_image *image, enum mft_type type, const char *option,
		       const char *const *name, unsigned count, unsigned *bound, bool *taken,
		       char *why)
{
	for (unsigned k = 0; k < count; k++) {
		if (name[k][0] == '\0')
			continue;
		if (!devices_find(image, type, option, name[k], &bound[k], why))
			return false;
		if (taken[bound[k]])
			return refuse(why, "%s: %s is given twice", option, name[k]);
		taken[bound[k]] = true;
	}
	return true;
}

bool devices_bind(const struct elf_image *image, enum mft_type type, const char *option,
		  const char *const *name, unsigned count, unsigned *bound, char *why)
{
	bool taken[MFT_ENTRIES_MAX - 1] = {false};
	char names[NAMES_SIZE];
	unsigned wanted = declared(image, type, names), next = 0;

	if (!bind_named(image, type, option, name, count, bound, taken, why))
		return false;
	if (count != wanted)
		return refuse(why, "%s: %u given, the image declares %u (%s)", option, count,
			      wanted, names);
	for (unsigned k = 0; k < count; k++) {
		if (name[k][0] != '\0')
			continue;
		/* As many are free as have no name. */
		while (image->device[next].type != type || taken[next])
			next++;
		bound[k] = next++;
	}
	return true;
}
