/*
 * Interfaces' counters by netlink (links.h). The kernel answers while it is asked, or read from:
 * nothing here waits, and an answer that is not there is an error. What is left of an earlier
 * answer, after an error, is read away first.
 */
#include "links.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_SIZE   32768 /* as much as the kernel fills at once */
#define DATAGRAMS_MAX 65536 /* of one answer, which has one interface each at least */

struct question {
	int fd;
	uint32_t number;
	link_row *row;
	void *arg;
};

int links_open(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	return fd < 0 ? -errno : fd;
}

static ssize_t receive(int fd, void *buf)
{
	struct iovec part = {.iov_base = buf, .iov_len = ANSWER_SIZE};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	ssize_t n;

	do
		n = recvmsg(fd, &message, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* One of NAME, or of all taps. */
static int ask(const struct question *q, const char *name)
{
	_Alignas(struct nlmsghdr) char buf[256];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buf);
	struct iovec part = {.iov_base = buf};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	header->nlmsg_type = RTM_GETLINK;
	header->nlmsg_flags = NLM_F_REQUEST | (name ? NLM_F_ACK : NLM_F_DUMP);
	header->nlmsg_seq = q->number;
	mnl_nlmsg_put_extra_header(header, sizeof(struct ifinfomsg));
	if (name) {
		mnl_attr_put_strz(header, IFLA_IFNAME, name);
	} else {
		struct nlattr *info = mnl_attr_nest_start(header, IFLA_LINKINFO);

		mnl_attr_put_strz(header, IFLA_INFO_KIND, "tun"); /* taps are of this kind */
		mnl_attr_nest_end(header, info);
	}
	part.iov_len = header->nlmsg_len;
	return sendmsg(q->fd, &message, MSG_DONTWAIT) < 0 ? -errno : 0;
}

static void take_link(const struct question *q, const struct nlmsghdr *message)
{
	struct rtnl_link_stats64 stats = {0};
	const struct nlattr *attr;
	const char *name = NULL;

	mnl_attr_for_each(attr, message, sizeof(struct ifinfomsg))
	{
		size_t n = mnl_attr_get_payload_len(attr);

		if (mnl_attr_get_type(attr) == IFLA_IFNAME &&
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0)
			name = mnl_attr_get_str(attr);
		else if (mnl_attr_get_type(attr) == IFLA_STATS64)
			memcpy(&stats, mnl_attr_get_payload(attr),
			       n < sizeof(stats) ? n : sizeof(stats));
	}
	if (name)
		q->row(q->arg, name,
		       &(struct link_counts){.received_bytes = stats.rx_bytes,
					     .received_packets = stats.rx_packets,
					     .sent_bytes = stats.tx_bytes,
					     .sent_packets = stats.tx_packets});
}

/* One message of an answer: 1 when it is the last one, 0, or the kernel's error. */
static int take_message(const struct question *q, const struct nlmsghdr *message)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);

	if (message->nlmsg_seq != q->number)
		return 0;
	switch (message->nlmsg_type) {
	case RTM_NEWLINK:
		/* A dump of what changed meanwhile (NLM_F_DUMP_INTR) is as good: whom it lacks
		 * will be in the next one. */
		take_link(q, message);
		return 0;
	case NLMSG_DONE:
		return 1;
	case NLMSG_ERROR:
		if (mnl_nlmsg_get_payload_len(message) < sizeof(*error))
			return -EPROTO;
		return error->error == 0 ? 1 : error->error;
	default:
		return 0;
	}
}

static int take_datagram(const struct question *q, const char *buf, int n)
{
	const struct nlmsghdr *message = (const struct nlmsghdr *)buf;
	int end = 0;

	for (; end == 0 && mnl_nlmsg_ok(message, n); message = mnl_nlmsg_next(message, &n))
		end = take_message(q, message);
	return end;
}

int links_read(int fd, const char *name, link_row *row, void *arg)
{
	_Alignas(struct nlmsghdr) static char buf[ANSWER_SIZE];
	static uint32_t numbers;
	const struct question q = {.fd = fd, .number = ++numbers, .row = row, .arg = arg};
	ssize_t n;
	int end;

	for (unsigned i = 0; i < DATAGRAMS_MAX && receive(fd, buf) >= 0; i++)
		;
	end = ask(&q, name);
	for (unsigned i = 0; i < DATAGRAMS_MAX && end == 0; i++) {
		n = receive(fd, buf);
		if (n < 0)
			return n == -EAGAIN ? -EPROTO : (int)n;
		end = take_datagram(&q, buf, (int)n);
	}
	return end > 0 ? 0 : end < 0 ? end : -EPROTO;
}
