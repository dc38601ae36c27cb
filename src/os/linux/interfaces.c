#include "interfaces.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <unistd.h>

#include "netlink_talk.h"
#include "nftables.h"

struct request {
	_Alignas(struct nlmsghdr) char buf[512];
	struct nlmsghdr *header;
};

static void request_begin(struct request *r, uint16_t type, uint16_t flags, int index, unsigned up)
{
	struct ifinfomsg *info;

	r->header = mnl_nlmsg_put_header(r->buf);
	r->header->nlmsg_type = type;
	r->header->nlmsg_flags = NLM_F_REQUEST | flags;
	info = mnl_nlmsg_put_extra_header(r->header, sizeof(*info));
	info->ifi_family = AF_UNSPEC;
	info->ifi_index = index;
	info->ifi_flags = info->ifi_change = up;
}

static int request_send(const struct request *r, mnl_cb_t row, void *data)
{
	struct mnl_socket *socket = netlink_open(NETLINK_ROUTE);
	int error;

	if (socket == NULL)
		return -errno;
	error = netlink_talk(socket, r->buf, r->header->nlmsg_len, row, data);
	mnl_socket_close(socket);
	return error;
}

static bool well_named(const char *name)
{
	return name[0] && strlen(name) < INTERFACE_NAME_SIZE;
}

/* What is asked for, and what was found. */
struct search {
	const char *name;
	struct interface *out;
	bool found;
};

/* A tun device without Ethernet is something else. */
static enum interface_kind kind_of(const struct nlattr *info)
{
	const struct nlattr *attr, *type;
	const char *kind = "";
	bool tap = false;

	mnl_attr_for_each_nested(attr, info)
	{
		if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
			kind = mnl_attr_get_str(attr);
		if (mnl_attr_get_type(attr) == IFLA_INFO_DATA && strcmp(kind, "tun") == 0)
			mnl_attr_for_each_nested(type,
						 attr) if (mnl_attr_get_type(type) == IFLA_TUN_TYPE)
			    tap = mnl_attr_get_u8(type) == IFF_TAP;
	}
	if (tap)
		return INTERFACE_TAP;
	return strcmp(kind, "bridge") == 0 ? INTERFACE_BRIDGE : INTERFACE_OTHER;
}

static int read_interface(const struct nlmsghdr *message, void *data)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	struct search *search = data;
	const struct nlattr *attr;

	*search->out = (struct interface){
	    .index = info->ifi_index, .kind = INTERFACE_OTHER, .up = info->ifi_flags & IFF_UP};
	mnl_attr_for_each(attr, message, sizeof(*info))
	{
		switch (mnl_attr_get_type(attr)) {
		case IFLA_IFNAME: /* not one of its other names */
			search->found = strcmp(mnl_attr_get_str(attr), search->name) == 0;
			break;
		case IFLA_MTU:
			search->out->mtu = mnl_attr_get_u32(attr);
			break;
		case IFLA_MASTER:
			search->out->master = (int)mnl_attr_get_u32(attr);
			break;
		case IFLA_LINKINFO:
			search->out->kind = kind_of(attr);
			break;
		default:
			break;
		}
	}
	return MNL_CB_STOP;
}

int interface_find(const char *name, struct interface *out)
{
	struct search search = {.name = name, .out = out};
	struct request r;
	int error;

	if (!well_named(name))
		return -ENODEV;
	request_begin(&r, RTM_GETLINK, 0, 0, 0);
	mnl_attr_put_strz(r.header, IFLA_IFNAME, name);
	mnl_attr_put_u32(r.header, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	error = request_send(&r, read_interface, &search);
	return error == 0 && !search.found ? -ENODEV : error;
}

static int remove_index(int index)
{
	struct request r;

	request_begin(&r, RTM_DELLINK, NLM_F_ACK, index, 0);
	return request_send(&r, NULL, NULL);
}

static int set_up(int index)
{
	struct request r;

	request_begin(&r, RTM_SETLINK, NLM_F_ACK, index, IFF_UP);
	return request_send(&r, NULL, NULL);
}

/* No IPv6 address of the host's own, not even the link-local one that comes by itself. */
static void put_addressless(struct request *r)
{
	struct nlattr *families = mnl_attr_nest_start(r->header, IFLA_AF_SPEC);
	struct nlattr *inet6 = mnl_attr_nest_start(r->header, AF_INET6);

	mnl_attr_put_u8(r->header, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(r->header, inet6);
	mnl_attr_nest_end(r->header, families);
}

/* R with no addresses, as far as the host has IPv6 and the interface an MTU for it. */
static int send_addressless(struct request *r)
{
	uint32_t without = r->header->nlmsg_len;
	int error;

	put_addressless(r);
	error = request_send(r, NULL, NULL);
	if (error != -EAFNOSUPPORT)
		return error;
	r->header->nlmsg_len = without;
	return request_send(r, NULL, NULL);
}

/*
 * A host that routes reports its multicast groups on whatever is up, without an address too. There
 * is no netlink for this; where /proc does not let us the reports are what it comes to.
 */
static void without_ipv6(const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, "1", 1) < 0) {
		/* Kept as it is. */
	}
	close(fd);
}

/*
 * The host takes for itself whatever has one of its addresses, from whatever interface it comes:
 * having none on the bridge is not enough, what the bridge gives to the host is dropped.
 */
static void table_of(char out[32], const char *bridge)
{
	snprintf(out, 32, BRIDGE_TABLE "%s", bridge);
}

/* Spanning trees and snooping are for bridges with switches behind them; ports open at once. */
static int make_link(const char *name)
{
	struct nlattr *info, *data;
	struct request r;

	request_begin(&r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, 0, 0);
	mnl_attr_put_strz(r.header, IFLA_IFNAME, name);
	info = mnl_attr_nest_start(r.header, IFLA_LINKINFO);
	mnl_attr_put_strz(r.header, IFLA_INFO_KIND, "bridge");
	data = mnl_attr_nest_start(r.header, IFLA_INFO_DATA);
	mnl_attr_put_u32(r.header, IFLA_BR_FORWARD_DELAY, 0);
	mnl_attr_put_u32(r.header, IFLA_BR_STP_STATE, 0);
	mnl_attr_put_u8(r.header, IFLA_BR_MCAST_SNOOPING, 0);
	mnl_attr_nest_end(r.header, data);
	mnl_attr_nest_end(r.header, info);
	return request_send(&r, NULL, NULL);
}

int bridge_shut(const char *name)
{
	char table[32];

	table_of(table, name);
	without_ipv6(name);
	return nftables_shut(table, name);
}

int bridge_is_shut(const char *name)
{
	char table[32];

	table_of(table, name);
	return nftables_has(table);
}

static int settle_bridge(const char *name, bool shut, struct interface *out)
{
	struct request r;
	int error = interface_find(name, out);

	if (error < 0)
		return error;
	if (shut)
		error = bridge_shut(name);
	if (error == 0) {
		request_begin(&r, RTM_SETLINK, NLM_F_ACK, out->index, 0);
		error = send_addressless(&r);
	}
	if (error == 0)
		error = set_up(out->index);
	if (error == 0)
		error = interface_find(name, out);
	if (error < 0)
		bridge_remove(name, out->index);
	return error;
}

int bridge_make(const char *name, bool shut, struct interface *out)
{
	int error = well_named(name) ? make_link(name) : -EINVAL;

	return error < 0 ? error : settle_bridge(name, shut, out);
}

int bridge_remove(const char *name, int index)
{
	struct interface found;
	char table[32];
	int error = interface_find(name, &found);

	if (error == 0 && (found.kind != INTERFACE_BRIDGE || found.index != index))
		return 0;
	if (error == 0)
		error = remove_index(index);
	if (error < 0 && error != -ENODEV)
		return error;
	table_of(table, name);
	return nftables_forget(table);
}

/*
 * A bridge without an address of its own choice has the lowest one of what is in it: with the
 * highest a tap does not change it under the host.
 */
static int enslave(const char *name, const struct interface *bridge)
{
	uint8_t mac[6];
	struct request r;

	if (getrandom(mac, sizeof(mac), 0) != sizeof(mac))
		return -errno;
	mac[0] = 0xfe;
	request_begin(&r, RTM_SETLINK, NLM_F_ACK, 0, 0);
	mnl_attr_put_strz(r.header, IFLA_IFNAME, name);
	mnl_attr_put(r.header, IFLA_ADDRESS, sizeof(mac), mac);
	mnl_attr_put_u32(r.header, IFLA_MTU, bridge->mtu);
	mnl_attr_put_u32(r.header, IFLA_MASTER, bridge->index);
	return send_addressless(&r);
}

int tap_make(const char *name, const struct interface *bridge, int *fd)
{
	struct ifreq wanted = {.ifr_flags = (short)(IFF_TAP | IFF_NO_PI | IFF_TUN_EXCL)};
	int tap, error = 0;

	if (!well_named(name))
		return -EINVAL;
	snprintf(wanted.ifr_name, sizeof(wanted.ifr_name), "%s", name);
	tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (tap < 0)
		return -errno;
	if (ioctl(tap, TUNSETIFF, &wanted) < 0)
		error = -errno;
	else if (strcmp(wanted.ifr_name, name) != 0)
		error = -EINVAL; /* a % in it */
	if (error == 0)
		error = enslave(name, bridge);
	if (error < 0) {
		close(tap);
		return error;
	}
	without_ipv6(name);
	*fd = tap;
	return 0;
}

int tap_up(const char *name)
{
	struct interface found;
	int error = interface_find(name, &found);

	return error == 0 ? set_up(found.index) : error;
}

/* It gets its address with the first request. */
int interfaces_socket(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	return fd < 0 ? -errno : fd;
}

int tap_remove(const char *name)
{
	struct interface found;
	int error = interface_find(name, &found);

	if (error == 0)
		error = found.kind == INTERFACE_TAP ? remove_index(found.index) : 0;
	return error == -ENODEV ? 0 : error;
}
