/* Telling vmmd of a revocation list in force. */
#ifndef VMM_AUTH_ANNOUNCE_H
#define VMM_AUTH_ANNOUNCE_H

#include "lists.h"
#include "pushes.h"

/*
 * Sends TABLE, one of LISTS, as the next generation; PUSH is what brought it, NULL: it was found
 * stored. A list that vmmd cannot be told of is not in force there: then this process ends.
 */
void announce(struct channel *up, struct lists *lists, const struct table *table,
	      const struct push *push);

#endif
