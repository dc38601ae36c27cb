/* TCP on Linux: TCP_INFO, keepalive. */
#include "tcp.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define KEEPALIVE_AFTER_S 60
#define KEEPALIVE_EVERY_S 15
#define KEEPALIVE_TRIES	  4
#define UNACKNOWLEDGED_MS 120000

void tcp_progress_read(int fd, struct tcp_progress *out)
{
	struct tcp_info info = {0};
	socklen_t size = sizeof(info);

	*out = (struct tcp_progress){0};
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0)
		return;
	out->received = info.tcpi_bytes_received;
	out->silence_ms = info.tcpi_last_data_recv;
}

bool tcp_has_input(int fd)
{
	int bytes = 0;

	return ioctl(fd, FIONREAD, &bytes) < 0 || bytes > 0;
}

static void set(int fd, int level, int option, int value)
{
	/* Each is an improvement that the connection can do without. */
	(void)setsockopt(fd, level, option, &value, sizeof(value));
}

void tcp_set_up(int fd)
{
	set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_AFTER_S);
	set(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_EVERY_S);
	set(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_TRIES);
	set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS);
	set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}
