/* Looking names up among the VMs of a scope. Outside of it nothing exists. */
#include "lookup.h"

#include <stdio.h>
#include <string.h>

/* Appends PATH's labels to the list in LABELS. */
static void append_label(const struct daemon *d, const struct path *path, unsigned skip,
			 char *labels, size_t size)
{
	static char label[LABEL_PATH_SIZE];
	size_t n = strlen(labels);

	vm_label_path(d, path, skip, label);
	snprintf(labels + n, size - n, "%s%s", n > 0 ? ", " : "", label);
}

enum lookup_result lookup_path(const struct daemon *d, const struct path *scope, const char *text,
			       struct path *path, char *labels, size_t size)
{
	struct path at;
	unsigned hits = 0;

	*labels = 0;
	if (path_named(scope, scope->depth, text)) {
		*path = *scope;
		return LOOKUP_ONE;
	}
	for (const struct vm *vm = d->vms; vm; vm = vm->next) {
		if (!path_within(&vm->path, scope))
			continue;
		at = vm->path;
		for (at.depth = scope->depth + 1; at.depth <= vm->path.depth; at.depth++) {
			if (!path_named(&at, scope->depth, text) ||
			    (hits > 0 && path_equal(&at, path)))
				continue;
			if (hits == 1)
				append_label(d, path, scope->depth, labels, size);
			if (hits > 0)
				append_label(d, &at, scope->depth, labels, size);
			*path = at;
			hits++;
		}
	}
	return hits == 0 ? LOOKUP_NONE : hits == 1 ? LOOKUP_ONE : LOOKUP_AMBIGUOUS;
}

struct vm *lookup_vm(const struct daemon *d, const struct path *path)
{
	struct vm *ended = NULL;

	for (struct vm *vm = d->vms; vm; vm = vm->next) {
		if (!path_equal(&vm->path, path))
			continue;
		if (vm_is_live(vm))
			return vm;
		ended = vm;
	}
	return ended;
}
