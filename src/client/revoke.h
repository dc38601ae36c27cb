/*
 * What a session with a revocation certificate is for: the list is in the certificate.
 */
#ifndef VMM_REVOKE_H
#define VMM_REVOKE_H

#include "client.h"

/* Hands it over and says what it ended. */
void revocation_push(struct client *client);

#endif
