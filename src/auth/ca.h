/* The CA that every chain must be anchored in. */
#ifndef VMM_AUTH_CA_H
#define VMM_AUTH_CA_H

#include <openssl/x509.h>

#include "policy.h"

/* The one certificate in the PEM file FD (which stays the caller's), fit to be a CA; NULL with WHY.
 */
X509 *ca_read(int fd, struct refusal *why);

#endif
