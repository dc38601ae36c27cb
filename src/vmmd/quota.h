/* Whether there is room for a VM: the host's limit and every ancestor's, each checked alike. */
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

#endif
