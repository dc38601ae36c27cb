/* The lists of places and of their volumes. */
#include "volume.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "volumes.h"

const struct place *place_next(const struct daemon *d, const struct place *place)
{
	if (place)
		return place->next;
	return d->volumes ? d->volumes->places : NULL;
}

struct place *place_find(const struct volumes *all, const struct path *path)
{
	for (struct place *place = all->places; place; place = place->next)
		if (path_equal(&place->path, path))
			return place;
	return NULL;
}

struct place *place_get(struct volumes *all, const struct path *path)
{
	struct place *place = place_find(all, path);

	if (place)
		return place;
	place = calloc(1, sizeof(*place));
	if (place == NULL)
		return NULL;
	place->path = *path;
	place->next = all->places;
	all->places = place;
	return place;
}

static void place_free(struct volumes *all, struct place *place)
{
	struct place **at = &all->places;

	while (*at != place)
		at = &(*at)->next;
	*at = place->next;
	while (place->first) {
		struct volume *volume = place->first;

		place->first = volume->next;
		free(volume);
	}
	free(place);
}

void places_forget(struct volumes *all, const struct path *path)
{
	struct place *next;

	for (struct place *place = all->places; place; place = next) {
		next = place->next;
		if (path_within(&place->path, path))
			place_free(all, place);
	}
}

struct volume *volume_find(const struct volumes *all, const struct path *path, const char *name)
{
	const struct place *place = place_find(all, path);

	for (struct volume *v = place ? place->first : NULL; v; v = v->next)
		if (strcmp(v->name, name) == 0)
			return v;
	return NULL;
}

struct volume *volume_new(struct volumes *all, const struct path *path, const char *name,
			  uint32_t size_mb)
{
	struct volume *volume = calloc(1, sizeof(*volume)), **end;
	struct path top = *path;
	struct place *place;

	/* That one has the file system. */
	top.depth = 1;
	place = volume && place_get(all, &top) ? place_get(all, path) : NULL;
	if (place == NULL) {
		free(volume);
		return NULL;
	}
	volume->place = place;
	snprintf(volume->name, sizeof(volume->name), "%s", name);
	volume->size_mb = size_mb;
	volume->state = VOLUME_MAKING;
	for (end = &place->first; *end && strcmp((*end)->name, name) < 0;)
		end = &(*end)->next;
	volume->next = *end;
	*end = volume;
	return volume;
}

void volume_forget(struct volumes *all, struct volume *volume)
{
	struct place *place = volume->place;
	struct volume **at = &place->first;

	while (*at != volume)
		at = &(*at)->next;
	*at = volume->next;
	free(volume);
	if (place->first == NULL && place->path.depth > 1)
		place_free(all, place);
}

void volume_path(const struct volume *volume, unsigned skip, char *out)
{
	size_t n;

	path_format(&volume->place->path, skip, out);
	n = strlen(out);
	snprintf(out + n, PATH_TEXT_SIZE - n, "%s%s", n > 0 ? "/" : "", volume->name);
}

bool volume_held_by(const struct volume *volume, const struct vm *vm)
{
	const struct vm_config *config = &vm->record.request.vm;
	const struct path *owner = &volume->place->path;

	if (!vm_is_live(vm) || vm->path.depth != owner->depth + 1 || !path_within(&vm->path, owner))
		return false;
	for (uint32_t i = 0; i < config->nblocks; i++)
		if (strcmp(config->block[i].volume, volume->name) == 0)
			return true;
	return false;
}

const struct vm *volume_holder(const struct daemon *d, const struct volume *volume)
{
	for (const struct vm *vm = d->vms; vm; vm = vm->next)
		if (volume_held_by(volume, vm))
			return vm;
	return NULL;
}

unsigned volumes_count(const struct volumes *all, const struct path *path)
{
	struct path top = {.depth = 1};
	unsigned n = 0;

	top.node[0] = path->node[0];
	for (const struct place *place = all->places; place; place = place->next)
		if (path_within(&place->path, &top))
			for (const struct volume *v = place->first; v; v = v->next)
				n++;
	return n;
}

uint64_t volumes_used_mb(const struct daemon *d, const struct path *path)
{
	const struct place *place = NULL;
	uint64_t sum = 0;

	while ((place = place_next(d, place)) != NULL)
		if (path_within(&place->path, path))
			for (const struct volume *v = place->first; v; v = v->next)
				sum += v->size_mb;
	return sum;
}
