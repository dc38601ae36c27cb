/*
 * An issuer's revocation list: what it took back, in one numbered list that only grows.
 */
#ifndef CA_CRL_H
#define CA_CRL_H

#include "issuer.h"

/*
 * ISSUER's last list, for which its certificate and the names of its files do, into OUT, NULL when
 * there is none: it is in X.crl or, where that was lost or is an old copy, in the certificate
 * CARRIER. False with WHY for an X.crl that is not ISSUER's.
 */
bool crl_last(const struct issuer *issuer, const char *carrier, X509_CRL **out,
	      struct refusal *why);
/*
 * The list after the last one: its entries and every serial number that the .db, locked, has for
 * NAME, with the next number, signed. NULL with WHY.
 */
X509_CRL *crl_next(const struct issuer *issuer, const char *name, const char *carrier,
		   struct refusal *why);

#endif
