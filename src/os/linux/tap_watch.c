/* Hearing of rules that were taken away (tap_rules.h). */
#include "tap_rules.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#define ROOM (1 << 20) /* a rule set of some hundred taps, emptied at once */

int tap_rules_watch(void)
{
	const struct sockaddr_nl all = {.nl_family = AF_NETLINK,
					.nl_groups = 1u << (NFNLGRP_NFTABLES - 1)};
	const int room = ROOM;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);
	int error;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	if (bind(fd, (const struct sockaddr *)&all, sizeof(all)) == 0)
		return fd;
	error = -errno;
	close(fd);
	return error;
}

struct watcher {
	void (*removed)(void *arg, const char *table);
	void *arg;
};

static int take_attribute(const struct nlattr *attribute, void *data)
{
	if (mnl_attr_get_type(attribute) != NFTA_TABLE_NAME)
		return MNL_CB_OK;
	if (mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) < 0)
		return MNL_CB_ERROR;
	*(const char **)data = mnl_attr_get_str(attribute);
	return MNL_CB_STOP;
}

static int take_message(const struct nlmsghdr *message, void *data)
{
	const struct watcher *watcher = data;
	const struct nfgenmsg *head = mnl_nlmsg_get_payload(message);
	const char *table = NULL;

	if (message->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELTABLE) ||
	    mnl_nlmsg_get_payload_len(message) < sizeof(*head) ||
	    head->nfgen_family != NFPROTO_NETDEV)
		return MNL_CB_OK;
	mnl_attr_parse(message, sizeof(*head), take_attribute, &table);
	if (table)
		watcher->removed(watcher->arg, table);
	return MNL_CB_OK;
}

void tap_rules_removed(int fd, void (*removed)(void *arg, const char *table), void *arg)
{
	struct watcher watcher = {removed, arg};
	_Alignas(struct nlmsghdr) static char bytes[65536];
	ssize_t n;

	while ((n = recv(fd, bytes, sizeof(bytes), 0)) != 0) {
		if (n > 0)
			mnl_cb_run(bytes, (size_t)n, 0, 0, take_message, &watcher);
		else if (errno == ENOBUFS)
			removed(arg, NULL);
		else if (errno != EINTR)
			break;
	}
}
