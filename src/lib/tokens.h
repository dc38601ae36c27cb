/*
 * Words in a VM's arguments that its host fills in, so that who signs a VM need not know its
 * address:
 *
 *   {address}  the VM's IPv4 address, "10.0.0.2"       {router}  its bridge's router
 *   {netmask}  the length of its network's prefix, "24"  {mac}   its device's MAC
 *
 * each for the VM's one network device, or as {address:BRIDGE} for that on BRIDGE. Everything else
 * in braces stays what it is. Pure; vmm_ca refuses with it what vmmd would refuse.
 */
#ifndef VMM_TOKENS_H
#define VMM_TOKENS_H

#include "mac.h"
#include "request.h"

/* What is known of one network device; without addresses where its bridge is internal. */
struct token_net {
	const struct bridge *bridge;
	uint8_t address[4];
	uint8_t mac[MAC_SIZE];
};

/*
 * Which of VM's network devices an {address} is for, a bit each, into *WANTED. False with WHY: a
 * token is for no device, for more than one, or wants an address on an internal bridge; or the
 * device's bridge is not in BRIDGES.
 */
bool tokens_check(const struct vm_config *vm, const struct policy *bridges, uint32_t *wanted,
		  struct refusal *why);

/*
 * VM's arguments with every token filled in from NET, one for each of its network devices, into
 * OUT. VM was checked. False: they do not fit into OUT.
 */
bool tokens_expand(const struct vm_config *vm, const struct token_net *net, struct strings *out);

#endif
