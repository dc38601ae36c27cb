/*
 * What has gone over the host's taps, as the kernel counts it: all of them in one conversation.
 * (What can be done to interfaces is in interfaces.h.)
 */
#ifndef VMM_LINKS_H
#define VMM_LINKS_H

#include <stdint.h>

/* As the host sees them: it received what a tap's guest sent. Bytes of whole Ethernet frames. */
struct link_counts {
	uint64_t received_bytes, received_packets;
	uint64_t sent_bytes, sent_packets;
};

typedef void link_row(void *arg, const char *name, const struct link_counts *counts);

/*
 * A socket to ask with, of the network namespace of who opens it and for whoever has it afterwards,
 * one at a time; close-on-exec. Or -errno.
 */
int links_open(void);
/*
 * Calls ROW for the interface NAME, or for each tap (NULL). Never waits. 0 or -errno: -ENODEV when
 * there is none of that name; -EPROTO when the kernel said something else. The socket can be used
 * on after an error.
 */
int links_read(int fd, const char *name, link_row *row, void *arg);

#endif
