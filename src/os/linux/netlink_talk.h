/*
 * Requests to the kernel and what it answers, through libmnl. The kernel has answered by the time
 * that a request is sent: nothing here waits.
 */
#ifndef VMM_NETLINK_TALK_H
#define VMM_NETLINK_TALK_H

#include <libmnl/libmnl.h>
#include <stddef.h>

/* Enough for any answer here: what does not fit is -ENOSPC. */
#define NETLINK_ANSWER_SIZE 16384

/* On BUS, NETLINK_ROUTE or NETLINK_NETFILTER; NULL with errno. For mnl_socket_close. */
struct mnl_socket *netlink_open(int bus);
/*
 * Sends the SIZE bytes of REQUEST and gives what comes to ROW, which may be NULL, until it returns
 * MNL_CB_STOP, an acknowledgement or the end of a dump. 0 or -errno, the kernel's; -EINTR: a dump
 * of what changed meanwhile; -EPROTO: no such end came. After an error there may be more answers:
 * the socket is of no further use.
 */
int netlink_talk(const struct mnl_socket *socket, const void *request, size_t size, mnl_cb_t row,
		 void *data);

#endif
