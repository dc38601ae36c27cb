#include "netlink_talk.h"

#include <errno.h>
#include <sys/socket.h>

struct mnl_socket *netlink_open(int bus)
{
	return mnl_socket_open2(bus, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

int netlink_talk(const struct mnl_socket *socket, const void *request, size_t size, mnl_cb_t row,
		 void *data)
{
	_Alignas(struct nlmsghdr) char buf[NETLINK_ANSWER_SIZE];

	if (mnl_socket_sendto(socket, request, size) < 0)
		return -errno;
	for (;;) {
		ssize_t n = mnl_socket_recvfrom(socket, buf, sizeof(buf));
		int more;

		if (n < 0)
			return errno == EAGAIN ? -EPROTO : -errno;
		more = mnl_cb_run(buf, n, 0, 0, row, data);
		if (more < 0)
			return -errno;
		if (more == MNL_CB_STOP)
			return 0;
	}
}
