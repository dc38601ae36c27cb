/*
 * What vmm_stats may ask of the kernel. The right that it keeps, to read about processes of others,
 * counts when a descriptor that it was given is read (pread64). Nothing else here asks for it: no
 * ptrace, no process_vm_readv, no pidfd_getfd, no kcmp, and nothing that opens.
 */
#ifndef VMM_STATS_RULES_H
#define VMM_STATS_RULES_H

#include "sandbox.h"

extern const struct sandbox_rule stats_rules[];
extern const size_t stats_nrules;

#endif
