/*
 * Has OpenSSL do once, before the sandbox and before any fork, what every handshake does: what it
 * loads and looks up on first use is then there for all workers.
 */
#ifndef VMM_GATE_WARM_H
#define VMM_GATE_WARM_H

#include <stdbool.h>

/* False: OpenSSL cannot do a handshake here. */
bool openssl_warm(void);

#endif
