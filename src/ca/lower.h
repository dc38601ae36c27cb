/*
 * Granting less than is asked: sign's --vms, --memory, --cpu, --block and --bridge.
 */
#ifndef CA_LOWER_H
#define CA_LOWER_H

#include "args.h"
#include "cert.h"

/* Lowers CONTENT, of SHAPE, as ARGS say. Refuses to raise anything, and what SHAPE does not have.
 */
bool content_lower(const struct args *args, enum cert_shape shape, struct cert_content *content,
		   struct refusal *why);

#endif
