/* The system calls the gate may make, and the fewer of a worker. Each with its reason. */
#ifndef VMM_GATE_RULES_H
#define VMM_GATE_RULES_H

#include "sandbox.h"

extern const struct sandbox_rule gate_rules[];
extern const size_t gate_nrules;
extern const struct sandbox_rule worker_rules[];
extern const size_t worker_nrules;

#endif
