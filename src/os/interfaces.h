/*
 * Network interfaces of the host: bridges and the taps in them, by netlink. Every call is one short
 * conversation with the kernel on a socket of its own. 0, or -errno unless said otherwise.
 */
#ifndef VMM_INTERFACES_H
#define VMM_INTERFACES_H

#include <stdbool.h>
#include <stdint.h>

#define INTERFACE_NAME_SIZE 16 /* IFNAMSIZ */
#define BRIDGE_TABLE	    "vmm-"

enum interface_kind { INTERFACE_BRIDGE, INTERFACE_TAP, INTERFACE_OTHER };

struct interface {
	int index;
	enum interface_kind kind;
	uint32_t mtu;
	bool up;
	int master; /* index of the bridge that it is in; 0: none */
};

/* -ENODEV: there is none of this name. */
int interface_find(const char *name, struct interface *out);

/*
 * Makes the bridge NAME, up, with no address of the host's own on it, not even a link-local one.
 * SHUT: what is on it does not reach the host, whatever the addresses of the host's other
 * interfaces; everything that the bridge gives to the host is dropped, by a table of its own
 * (nftables, netdev vmm-NAME). Else addresses may be given to it. -EEXIST: the name is taken.
 */
int bridge_make(const char *name, bool shut, struct interface *out);
/* Whether NAME, made SHUT, still has that table: 1 or 0, or -errno. */
int bridge_is_shut(const char *name);
/* Makes the table again, whatever there is of it. */
int bridge_shut(const char *name);
/* Removes the bridge with INDEX if it is still one of NAME, and that table; else 0 too. */
int bridge_remove(const char *name, int index);

/*
 * Makes the tap NAME in BRIDGE, with its MTU, down, without addresses; *FD holds it, and it is gone
 * with the last copy of that. -EBUSY, -EEXIST: the name is taken.
 */
int tap_make(const char *name, const struct interface *bridge, int *fd);
/* Lets frames through. */
int tap_up(const char *name);
/*
 * A socket of the kernel's routing messages about this network namespace, for somebody else to ask
 * with; or -errno.
 */
int interfaces_socket(void);
/* Removes the tap NAME if there is one; never an interface that is no tap. */
int tap_remove(const char *name);

#endif
