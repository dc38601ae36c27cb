/*
 * The delegations of GET / as a table: one line each, own first, then what is below, then above,
 * those of one kind by their paths. Pure, as format.h.
 */
#ifndef VMM_QUOTA_H
#define VMM_QUOTA_H

#include "format.h"

/* quota NAME: USED of GRANTED VMs, FREE free  ... memory  ... block  CPUs  bridges; above, what is
 * granted alone. LEVELS: an array; anything else has no lines. False: no memory. */
bool format_quota(const struct output *output, const struct names *names, const json_t *levels);

#endif
