/*
 * An issuer's revocation list: what it took back, in one numbered list that only grows.
 */
#ifndef CA_CRL_H
#define CA_CRL_H

#include "issuer.h"

/*
 * The list after ISSUER's X.crl, if there is one: its entries and every serial number that the .db,
 * locked, has for NAME, with the next number, signed. NULL with WHY.
 */
X509_CRL *crl_next(const struct issuer *issuer, const char *name, struct refusal *why);

#endif
