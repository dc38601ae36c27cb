/* Opens taps (tap.h): Linux's Documentation/networking/tuntap.rst. */
#include "tap.h"

#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define MTU_DEFAULT 1500

/*
 * Frames without what offloads put before them. (Whether it was opened with IFF_NO_PI, as it must
 * be, the kernel does not say: the bit has another meaning here.)
 */
static bool is_plain_tap(const struct ifreq *request)
{
	return (request->ifr_flags & (IFF_TAP | IFF_VNET_HDR)) == IFF_TAP;
}

/* Asks the kernel about the interface that REQUEST names; 0 or -errno. */
static int ask_interface(unsigned long what, struct ifreq *request)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int error = fd < 0 || ioctl(fd, what, request) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return error;
}

static uint16_t interface_mtu(const char *name)
{
	struct ifreq request = {0};

	memcpy(request.ifr_name, name, sizeof(request.ifr_name));
	if (ask_interface(SIOCGIFMTU, &request) < 0 || request.ifr_mtu <= 0 ||
	    request.ifr_mtu > UINT16_MAX)
		return MTU_DEFAULT;
	return (uint16_t)request.ifr_mtu;
}

/* Opening a tap that is not there would make it. */
static void check_interface(const char *name)
{
	struct ifreq request = {0};
	int error = 0;

	if (strlen(name) >= sizeof(request.ifr_name))
		error = -ENODEV;
	strncpy(request.ifr_name, name, sizeof(request.ifr_name) - 1);
	if (error == 0)
		error = ask_interface(SIOCGIFFLAGS, &request);
	if (error < 0)
		report_fatal("--net: %s: %s", name,
			     error == -ENODEV ? "no such interface" : strerror(-error));
	if ((request.ifr_flags & IFF_UP) == 0)
		report_fatal("--net: %s: is down, 'ip link set %s up' would help", name, name);
}

static int open_tap(const char *name)
{
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	int fd;

	check_interface(name);
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		report_fatal("--net: %s: /dev/net/tun: %s", name, strerror(errno));
	strncpy(request.ifr_name, name, sizeof(request.ifr_name) - 1);
	if (ioctl(fd, TUNSETIFF, &request) < 0) {
		if (errno == EINVAL)
			report_fatal("--net: %s: is no tap", name);
		report_fatal("--net: %s: %s", name,
			     errno == EBUSY ? "somebody else has it open" : strerror(errno));
	}
	return fd;
}

void tap_attach(struct device *device, const struct given *given)
{
	struct ifreq request = {0};
	int flags;

	device->fd = given->fd < 0 ? open_tap(given->source) : given->fd;
	flags = fcntl(device->fd, F_GETFL);
	if (flags < 0 || fcntl(device->fd, F_SETFL, flags | O_NONBLOCK) < 0)
		report_fatal("--net: %s: %s", given->source, strerror(errno));
	if (ioctl(device->fd, TUNGETIFF, &request) < 0 || !is_plain_tap(&request))
		report_fatal("--net: %s: is no tap", given->source);
	device->mtu = interface_mtu(request.ifr_name);
}
