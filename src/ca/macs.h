/* The MACs that the devices of a VM will have. */
#ifndef CA_MACS_H
#define CA_MACS_H

#include <openssl/x509.h>

/*
 * A row for each network device of the VM certificate that CHAIN begins with, its MAC as every host
 * has it. Nothing for other chains, and where one certificate stands alone: a MAC follows from the
 * whole path.
 */
void describe_macs(const STACK_OF(X509) * chain);

#endif
