/* Every ancestor in turn, the nearest last, and before them all the host. */
#include "quota.h"

bool quota_check(const struct daemon *d, const struct request *request, const struct usage *wanted,
		 struct refusal *why)
{
	struct policy host = {.vms = POLICY_NUMBER_MAX, .memory_mb = (uint32_t)d->max_memory_mb};
	struct path path = {.depth = 0};
	struct usage used = vm_usage(d, &path);

	if (!quota_admits(&host, &used, wanted, "this host", why))
		return false;
	for (uint32_t i = 0; i < request->depth; i++) {
		const struct level *level = &request->level[i];

		path.node[path.depth++] = level->node;
		used = vm_usage(d, &path);
		if (!quota_admits(&level->policy, &used, wanted, level->node.name, why))
			return false;
	}
	return true;
}
