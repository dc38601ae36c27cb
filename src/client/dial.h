/*
 * A TCP connection to a host, by whichever of its addresses answers first in the resolver's order.
 */
#ifndef VMM_DIAL_H
#define VMM_DIAL_H

#include "endpoint.h"

#define DIAL_TIMEOUT_MS 10000 /* for each address */

/*
 * A connected socket, non-blocking and close-on-exec; -1 with one line in WHY that says what each
 * address answered.
 */
int dial(const struct endpoint *endpoint, struct refusal *why);

#endif
