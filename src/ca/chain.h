/*
 * What was signed, judged as a server would.
 */
#ifndef CA_CHAIN_H
#define CA_CHAIN_H

#include "issuer.h"

/*
 * Whether CERT and ISSUER's chain fit into a TLS message, and, for a leaf whose root is known, what
 * vmm_auth would say of them. The root of a delegation is known when it is the cacert.pem beside
 * the delegation's certificate.
 */
bool chain_check(X509 *cert, const struct issuer *issuer, struct refusal *why);

#endif
