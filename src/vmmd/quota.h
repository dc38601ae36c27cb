/* Whether there is room for a VM, or a volume: every ancestor's limit, each checked alike. */
#ifndef VMM_QUOTA_H
#define VMM_QUOTA_H

#include "vm.h"

/*
 * Whether the VM of REQUEST is one that every delegation above it allows, by the newest certificate
 * known of each, and WANTED more below them stays within what each of them grants; false
 * with WHY. Check and reservation are one step as long as the caller reserves before it returns to
 * the event loop.
 */
bool quota_check(const struct daemon *d, const struct request *request, const struct usage *wanted,
		 struct refusal *why);
/*
 * Whether every delegation from the top one down to OWNER has room for a volume of SIZE_MB more;
 * false with WHY. REQUEST is of the session that asks. The host has no limit but its disk.
 */
bool quota_check_volume(const struct daemon *d, const struct request *request,
			const struct path *owner, uint64_t size_mb, struct refusal *why);

/* What the delegation that signed REQUEST's leaf grants, by the newest certificate known. */
const struct policy *quota_policy(const struct daemon *d, const struct request *request);

#endif
