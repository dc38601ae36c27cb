/*
 * An issuer's revocation list: what it took back, in one numbered list that only grows.
 */
#ifndef CA_CRL_H
#define CA_CRL_H

#include "issuer.h"

/*
 * The list after ISSUER's last one: its entries and every serial number that the .db, locked, has
 * for NAME, with the next number, signed. The last one is in X.crl or, where that was lost or is an
 * old copy, in the certificate CARRIER. NULL with WHY.
 */
X509_CRL *crl_next(const struct issuer *issuer, const char *name, const char *carrier,
		   struct refusal *why);

#endif
