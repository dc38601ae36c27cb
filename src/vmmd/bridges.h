/*
 * Bridges that top delegations name. An internal one is made when it is first used and removed when
 * the last VM and session below any top delegation that names it are gone; an external one carries
 * the operator's addresses and is only used, unless --create-bridges. Which ones vmmd made is in
 * the runtime directory, "bridges/NAME" with the interface's index and "shut" where it is internal,
 * so that a killed vmmd's successor knows; no other one is ever removed, nor one that others have
 * plugged something into, and an interface that is no bridge is not touched.
 */
#ifndef VMM_BRIDGES_H
#define VMM_BRIDGES_H

#include "interfaces.h"
#include "lifecycle.h"

/*
 * What an earlier vmmd made is taken over, and removed where nobody needs it. After vms_adopt, and
 * only where there can be taps.
 */
void bridges_open(struct daemon *d);
/* The bridge WANTED, there from now on; false with ERROR, which says what to do. */
bool bridges_use(struct daemon *d, const struct bridge *wanted, struct interface *out,
		 struct start_error *error);
/* Somebody below a top delegation with POLICY logged in: the bridges that vmmd makes are there. */
void bridges_login(struct daemon *d, const struct policy *policy);
/* A VM or a session is gone, or vmmd ends: bridges that nobody needs go. */
void bridges_settle(struct daemon *d);
/* Bridges that vmmd made shut, and which are not so any more, are shut again; says so. */
void bridges_relock(struct daemon *d);
/* Forgets the list, which is empty, and its place in the runtime directory. */
void bridges_leave(struct daemon *d);

#endif
