/*
 * What streams print while the screen is a command's own is kept, and printed after it.
 */
#ifndef VMM_HOLD_H
#define VMM_HOLD_H

#include "client.h"

#define HOLD_MAX (1 << 20) /* bytes; with more, the older lines are lost, which is said */

struct hold {
	FILE *out, *err; /* where the client's output went before */
	char *out_text, *err_text;
	size_t out_size, err_size;
	size_t lost; /* lines */
};

/* False, told: no memory. */
bool hold_begin(struct hold *hold, struct client *client);
/* Now and then: drops what is too much. */
void hold_bound(struct hold *hold, struct client *client);
void hold_end(struct hold *hold, struct client *client);

#endif
