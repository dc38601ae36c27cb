/*
 * Options to what a certificate says.
 */
#ifndef CA_CONTENT_H
#define CA_CONTENT_H

#include "args.h"
#include "cert.h"

#define PRESENT(arc) (UINT64_C(1) << (arc))

/* An option that must be there. */
bool option_need(bool given, const char *name, struct refusal *why);
/* --cpu, --bridge: the items into the policy. */
bool cpus_parse(const struct items *items, struct cpuset *out, struct refusal *why);
bool bridges_parse(const struct items *items, struct policy *out, struct refusal *why);
/* --permission */
bool permissions_parse(const struct items *items, uint32_t *out, struct refusal *why);
/* --net, --block, --arg */
bool nets_parse(const struct items *items, struct vm_config *out, struct refusal *why);
bool blocks_parse(const struct items *items, struct vm_config *out, struct refusal *why);
bool argv_parse(const struct items *items, struct strings *out, struct refusal *why);

#endif
