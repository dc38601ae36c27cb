/*
 * HOST:PORT and [IPV6]:PORT, as a person writes where a server is. Pure.
 */
#ifndef VMM_ENDPOINT_H
#define VMM_ENDPOINT_H

#include <stdbool.h>

#include "policy.h"

#define HOST_SIZE 256 /* the longest DNS name and a NUL */

struct endpoint {
	char host[HOST_SIZE]; /* without brackets */
	char port[6];	      /* 1 to 65535, decimal */
	bool address;	      /* HOST is an IP address, not a name */
};

/* False with one line in WHY. */
bool endpoint_parse(const char *text, struct endpoint *out, struct refusal *why);
/* HOST:PORT again, brackets where they are needed, into OUT: what goes into HTTP's :authority. */
#define ENDPOINT_TEXT_SIZE (HOST_SIZE + 10)
void endpoint_format(const struct endpoint *endpoint, char out[ENDPOINT_TEXT_SIZE]);

#endif
