/* Every ancestor in turn, the nearest last, and before them all the host. */
#include "quota.h"

/* What PATH grants: of the newest certificate known, which may be another than the session's. */
static const struct policy *granted(const struct daemon *d, const struct path *path,
				    const struct level *level)
{
	const struct policy *newest = tree_policy(&d->tree, path);

	return newest ? newest : &level->policy;
}

bool quota_check(const struct daemon *d, const struct request *request, const struct usage *wanted,
		 struct refusal *why)
{
	struct path path = {.depth = 0};
	struct usage used = vm_usage(d, &path);

	if (!quota_admits(&d->host, &used, wanted, "this host", why))
		return false;
	for (uint32_t i = 0; i < request->depth; i++) {
		const struct level *level = &request->level[i];
		const struct policy *policy;

		path.node[path.depth++] = level->node;
		policy = granted(d, &path, level);
		used = vm_usage(d, &path);
		if (!policy_allows_vm(&request->vm, policy, level->node.name, why) ||
		    !quota_admits(policy, &used, wanted, level->node.name, why))
			return false;
	}
	return true;
}
