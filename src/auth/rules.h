/* What vmm_auth and its processes may ask of the kernel. */
#ifndef VMM_AUTH_RULES_H
#define VMM_AUTH_RULES_H

#include "sandbox.h"

/* The directory of revocation lists, the only one in which files are opened. */
#define AUTH_DIRECTORY_FD 20

extern const struct sandbox_rule auth_rules[];
extern const size_t auth_nrules;

#endif
