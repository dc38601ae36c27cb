/*
 * A role's channel to vmmd on the role's event loop, for roles that do all their work there.
 */
#ifndef VMM_UPWARD_H
#define VMM_UPWARD_H

#include <event2/event.h>
#include <stdbool.h>

#include "channel.h"

struct upward {
	struct event_base *base;
	struct channel channel;
	struct event *readable;
	void (*message)(void *owner, struct incoming *in);
	bool outlived; /* its end closes the channel, no more; else that breaks BASE's loop */
	void *owner;
	bool failed; /* vmmd sent nonsense */
};

/*
 * Takes CHANNEL over and hands what comes to MESSAGE, some messages a turn, until the channel ends
 * (see OUTLIVED) or brings nonsense (said), which breaks BASE's loop. MESSAGE, OUTLIVED and OWNER
 * are set. 0 or -errno.
 */
int upward_open(struct upward *up, struct event_base *base, const struct channel *channel);
void upward_close(struct upward *up);
/* As many descriptors as the host lets a process have: a role for all VMs needs some for each. */
void upward_many_descriptors(void);

#endif
