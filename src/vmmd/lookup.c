/* Looking names up among the VMs and delegations of a scope, which volumes are below, too. Outside
 * of it nothing exists. */
#include "lookup.h"

#include <stdio.h>
#include <string.h>

#include "volume.h"

#define HITS_MAX 8 /* more than that say as little as that */

struct search {
	const struct daemon *d;
	const struct path *scope;
	const char *text;
	bool (*named)(const struct path *path, unsigned skip, const char *text);
	bool delegations; /* alone */
	unsigned n;
	struct path hit[HITS_MAX];
};

static void look_at(struct search *s, const struct path *path)
{
	if (s->n == HITS_MAX || !s->named(path, s->scope->depth, s->text))
		return;
	for (unsigned i = 0; i < s->n; i++)
		if (path_equal(path, &s->hit[i]))
			return;
	s->hit[s->n++] = *path;
}

static void look_at_known(void *arg, const struct tree_node *node, const struct path *path)
{
	if (node->policy)
		look_at(arg, path);
}

/* PATH, which is of a delegation or more, and everything above it in the scope. */
static void look_at_all(struct search *s, const struct path *path)
{
	struct path at = *path;

	for (at.depth = s->scope->depth + 1; at.depth <= path->depth; at.depth++)
		look_at(s, &at);
}

static void look_at_vms(struct search *s)
{
	struct path at;

	for (const struct vm *vm = s->d->vms; vm; vm = vm->next) {
		if (!path_within(&vm->path, s->scope))
			continue;
		at = vm->path;
		at.depth -= s->delegations;
		look_at_all(s, &at);
	}
}

static void look_at_volumes(struct search *s)
{
	const struct place *place = NULL;

	while ((place = place_next(s->d, place)) != NULL)
		if (!place->revoked && path_within(&place->path, s->scope))
			look_at_all(s, &place->path);
}

static void look_everywhere(struct search *s)
{
	const struct tree_node *scope = tree_find(&s->d->tree, s->scope);
	struct path at = *s->scope;

	s->n = 0;
	look_at_vms(s);
	look_at_volumes(s);
	if (scope)
		tree_walk(scope, &at, look_at_known, s);
}

static bool lives(const struct daemon *d, const struct path *path)
{
	return vm_usage(d, path).vms > 0;
}

static int64_t date_of(const struct daemon *d, const struct path *path)
{
	const struct tree_node *node = tree_find(&d->tree, path);

	return node ? node->not_before : INT64_MIN;
}

/* Which of several of a name is meant; NULL: nobody can tell. */
static const struct path *prefer(const struct search *s)
{
	const struct path *alive = NULL, *newest = NULL;
	unsigned nalive = 0, nnewest = 0;
	int64_t date = INT64_MIN;

	for (unsigned i = 0; i < s->n; i++) {
		const struct path *hit = &s->hit[i];
		int64_t its = date_of(s->d, hit);

		if (lives(s->d, hit)) {
			alive = hit;
			nalive++;
		}
		if (its > date) {
			date = its;
			newest = hit;
			nnewest = 0;
		}
		nnewest += its == date;
	}
	if (nalive > 0)
		return nalive == 1 ? alive : NULL;
	return nnewest == 1 ? newest : NULL;
}

/* The labels of what was found, comma-separated. */
static void list_labels(const struct search *s, char *labels, size_t size)
{
	static char label[LABEL_PATH_SIZE];
	size_t n = 0;

	for (unsigned i = 0; i < s->n && n < size; i++) {
		vm_label_path(s->d, &s->hit[i], s->scope->depth, label);
		n += (size_t)snprintf(labels + n, size - n, "%s%s", i > 0 ? ", " : "", label);
	}
}

static enum lookup_result look_up(const struct daemon *d, const struct path *scope,
				  const char *text, bool delegations, struct path *path,
				  char *labels, size_t size)
{
	static struct search s;
	const struct path *found = NULL;

	*labels = 0;
	if (path_named(scope, scope->depth, text)) {
		*path = *scope;
		return LOOKUP_ONE;
	}
	s = (struct search){.d = d,
			    .scope = scope,
			    .text = text,
			    .named = path_named_by_names,
			    .delegations = delegations};
	look_everywhere(&s);
	if (s.n > 1)
		found = prefer(&s);
	if (s.n == 0) {
		s.named = path_named;
		look_everywhere(&s);
	}
	if (s.n == 1)
		found = &s.hit[0];
	if (found) {
		*path = *found;
		return LOOKUP_ONE;
	}
	list_labels(&s, labels, size);
	return s.n == 0 ? LOOKUP_NONE : LOOKUP_AMBIGUOUS;
}

enum lookup_result lookup_path(const struct daemon *d, const struct path *scope, const char *text,
			       struct path *path, char *labels, size_t size)
{
	return look_up(d, scope, text, false, path, labels, size);
}

enum lookup_result lookup_delegation(const struct daemon *d, const struct path *scope,
				     const char *text, struct path *path, char *labels, size_t size)
{
	return look_up(d, scope, text, true, path, labels, size);
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
