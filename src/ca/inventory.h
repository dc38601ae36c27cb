/*
 * What an issuer signed, as far as its files tell: the .db, the revocation list, and the
 * certificates beside them.
 */
#ifndef CA_INVENTORY_H
#define CA_INVENTORY_H

#include "issuer.h"
#include "listed.h"

/* Begins zeroed; ends with inventory_free. */
struct inventory {
	struct listed *item;
	size_t count, room;
};

/*
 * Everything in ISSUER's .db and list, its own certificate and the server's, each with what its
 * certificate says where that is in the folder of the .db, in whichever .pem file. Of ISSUER the
 * names of its files, the certificate and the .db are there. False with WHY.
 */
bool inventory_read(const struct issuer *issuer, struct inventory *out, struct refusal *why);
void inventory_free(struct inventory *inventory);

#endif
