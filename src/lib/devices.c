/* Binds devices to an image's manifest, see devices.h. */
#include "devices.h"

#include <stdio.h>
#include <string.h>

#define NAMES_SIZE 120 /* leaves room in ELF_WHY_SIZE for one more name and the sentence */

/* The first names of IMAGE's devices of TYPE, for people; how many there are. */
static unsigned declared(const struct elf_image *image, enum mft_type type, char names[NAMES_SIZE])
{
	unsigned count = 0;
	size_t used = 0;

	snprintf(names, NAMES_SIZE, "none");
	for (unsigned i = 0; i < image->ndevices; i++) {
		if (image->device[i].type != type)
			continue;
		if (used < NAMES_SIZE)
			used += (size_t)snprintf(names + used, NAMES_SIZE - used, "%s%s",
						 count == 0 ? "" : ", ", image->device[i].name);
		count++;
	}
	if (used >= NAMES_SIZE)
		memcpy(names + NAMES_SIZE - sizeof("..."), "...", sizeof("..."));
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
	snprintf(why, ELF_WHY_SIZE, "%s: %s is given, the image declares %s", option, name, names);
	return false;
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
		if (taken[bound[k]]) {
			snprintf(why, ELF_WHY_SIZE, "%s: %s is given twice", option, name[k]);
			return false;
		}
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
	if (count != wanted) {
		snprintf(why, ELF_WHY_SIZE, "%s: %u given, the image declares %u (%s)", option,
			 count, wanted, names);
		return false;
	}
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
