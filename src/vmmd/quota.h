/* Whether there is room for a VM: the host's limit and every ancestor's, each checked alike. */
#ifndef VMM_QUOTA_H
#define VMM_QUOTA_H

#include "vm.h"

/*
 * Whether WANTED more below the delegations of REQUEST stays within what each of them grants; false
 * with WHY. Check and reservation are one step as long as the caller reserves before it returns to
 * the event loop.
 */
bool quota_check(const struct daemon *d, const struct request *request, const struct usage *wanted,
		 struct refusal *why);

#endif
