/*
 * What a session with a VM certificate is for: the certificate is the VM.
 */
#ifndef VMM_DEPLOY_H
#define VMM_DEPLOY_H

#include "client.h"

/* Starts it and says how that went. */
void deploy(struct client *client);

#endif
