/* Every ancestor in turn, the nearest last, and before them all the host. */
#include "quota.h"

/*
 * What PATH grants: of the newest certificate known, which may be another than the session's, LEVEL
 * (NULL: it has none of PATH). NULL: nobody knows.
 */
static const struct policy *granted(const struct daemon *d, const struct path *path,
				    const struct level *level)
{
	const struct policy *newest = tree_policy(&d->tree, path);

	return newest || level == NULL ? newest : &level->policy;
}

/* The delegation at PATH as REQUEST's chain has it; NULL: it is not on it. */
static const struct level *level_at(const struct request *request, const struct path *path)
{
	struct path scope;

	request_scope(request, &scope);
	return path_within(&scope, path) ? &request->level[path->depth - 1] : NULL;
}

/* Whether PATH, asked by REQUEST, allows VM (NULL: none is asked for) and has room for WANTED. */
static bool admits(const struct daemon *d, const struct path *path, const struct request *request,
		   const struct vm_config *vm, const struct usage *wanted, struct refusal *why)
{
	const struct policy *policy = granted(d, path, level_at(request, path));
	const char *name = path->node[path->depth - 1].name;
	struct usage used = vm_usage(d, path);

	if (policy == NULL)
		return refusal_say(why,
				   "what %s grants is not known: nobody of it has been here since "
				   "vmmd started on an empty runtime directory",
				   name);
	return (vm == NULL || policy_allows_vm(vm, policy, name, why)) &&
	       quota_admits(policy, &used, wanted, name, why);
}

/* Likewise everybody from the top delegation down to BELOW. */
static bool all_admit(const struct daemon *d, const struct path *below,
		      const struct request *request, const struct vm_config *vm,
		      const struct usage *wanted, struct refusal *why)
{
	struct path path = *below;

	for (path.depth = 1; path.depth <= below->depth; path.depth++)
		if (!admits(d, &path, request, vm, wanted, why))
			return false;
	return true;
}

bool quota_check(const struct daemon *d, const struct request *request, const struct usage *wanted,
		 struct refusal *why)
{
	struct path path = {.depth = 0};
	struct usage used = vm_usage(d, &path);

	if (!quota_admits(&d->host, &used, wanted, "this host", why))
		return false;
	request_scope(request, &path);
	return all_admit(d, &path, request, &request->vm, wanted, why);
}

bool quota_check_volume(const struct daemon *d, const struct request *request,
			const struct path *owner, uint64_t size_mb, struct refusal *why)
{
	return all_admit(d, owner, request, NULL, &(struct usage){.block_mb = size_mb}, why);
}

const struct policy *quota_policy(const struct daemon *d, const struct request *request)
{
	struct path scope;

	request_scope(request, &scope);
	return granted(d, &scope, &request->level[request->depth - 1]);
}
