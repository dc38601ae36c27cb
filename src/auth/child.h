/* What every process that vmm_auth forks gives up before it looks at bytes from outside. */
#ifndef VMM_AUTH_CHILD_H
#define VMM_AUTH_CHILD_H

#include <stdint.h>

/*
 * Keeps the N descriptors KEEP and the standard ones; ends itself after SECONDS. INHERITED: bytes
 * of memory that it has from its parent, and that do not count as its own.
 */
void child_begin(const int *keep, unsigned n, unsigned seconds, uint64_t inherited);

#endif
