/* A host without a kernel, for tests of vmmd's network: its interfaces and rules are lists. No
 * vmm_console runs on it. */
#ifndef VMM_TEST_HOST_H
#define VMM_TEST_HOST_H

#include "interfaces.h"
#include "tap_rules.h"

#define HOST_INTERFACES 32

struct host_interface {
	struct tap_rules rules; /* of a tap, when HAS_RULES */
	struct interface is;
	char name[INTERFACE_NAME_SIZE]; /* empty: free */
	bool has_rules;
	bool shut; /* a bridge's way to the host */
};

extern struct host_interface host[HOST_INTERFACES];
/* What the next call that changes something answers, once; 0: what is right. */
extern int host_error;

void host_clear(void);
struct host_interface *host_find(const char *name);
struct host_interface *host_add(const char *name, enum interface_kind kind, uint32_t mtu);

#endif
