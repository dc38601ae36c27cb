/*
 * Messages over SOCK_SEQPACKET. A datagram is the type (32 bits, little-endian) and the encoded
 * body. Receives with MSG_CMSG_CLOEXEC, closes whatever came unasked.
 */
#include "channel.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEADER 4
/* A sender may have a few of the longest messages under way before it is told to wait. */
#define CHANNEL_BUFFER (8 * MESSAGE_MAX)
/* More descriptors than any message has, so that a stray one is seen and closed. */
#define FDS_SEEN (MESSAGE_FDS_MAX + 2)

/* One datagram at a time goes through here; every program of the family is single-threaded. */
static uint8_t datagram[MESSAGE_MAX + 1];

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int) * FDS_SEEN)];
};

int channel_pair(enum link link, struct channel *upper, struct channel *lower)
{
	int size = CHANNEL_BUFFER, fd[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) < 0)
		return -errno;
	for (int i = 0; i < 2; i++) {
		/* FORCE goes past the host's limit where we may; the default serves otherwise. */
		if (setsockopt(fd[i], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
			setsockopt(fd[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	}
	channel_init(upper, fd[0], link, SIDE_UPPER);
	channel_init(lower, fd[1], link, SIDE_LOWER);
	return 0;
}

void channel_init(struct channel *channel, int fd, enum link link, enum side side)
{
	*channel = (struct channel){.fd = fd, .link = link, .side = side, .state = STATE_NEW};
}

int channel_set_nonblocking(struct channel *channel)
{
	int flags = fcntl(channel->fd, F_GETFL);

	if (flags < 0 || fcntl(channel->fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	return 0;
}

void channel_close(struct channel *channel)
{
	if (channel->fd >= 0)
		close(channel->fd);
	channel->fd = -1;
}

static void attach_fds(struct msghdr *hdr, union control *control, const int *fds, unsigned n)
{
	struct cmsghdr *cmsg;

	if (n == 0)
		return;
	hdr->msg_control = control->bytes;
	hdr->msg_controllen = CMSG_SPACE(n * sizeof(int));
	cmsg = CMSG_FIRSTHDR(hdr);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(cmsg), fds, n * sizeof(int));
}

ssize_t channel_encode(const struct channel *channel, uint32_t type, const void *body, uint8_t *out)
{
	const struct message *m = message_find(type);
	uint32_t header = htole32(type);
	ssize_t n;

	if (m == NULL || !(m->links & channel->link) || m->from != channel->side)
		return -EPROTO;
	memcpy(out, &header, HEADER);
	n = wire_encode(m->fields, body, out + HEADER, MESSAGE_MAX - HEADER);
	return n < 0 ? -EPROTO : n + HEADER;
}

int channel_send_datagram(struct channel *channel, const uint8_t *bytes, size_t n, const int *fds,
			  unsigned nfds)
{
	union control control = {0};
	/* sendmsg takes what it only reads as writable. */
	union {
		const uint8_t *in;
		void *base;
	} from = {.in = bytes};
	struct iovec iov = {.iov_base = from.base, .iov_len = n};
	struct msghdr hdr = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t sent;

	attach_fds(&hdr, &control, fds, nfds);
	do {
		sent = sendmsg(channel->fd, &hdr, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	/* An ordinary user may have only so many descriptors under way: until they are received. */
	if (sent < 0 && errno == ETOOMANYREFS)
		return -EAGAIN;
	return sent < 0 ? -errno : 0;
}

int channel_send(struct channel *channel, uint32_t type, const void *body, const int *fds)
{
	ssize_t n = channel_encode(channel, type, body, datagram);

	if (n < 0)
		return (int)n;
	return channel_send_datagram(channel, datagram, (size_t)n, fds, message_find(type)->fds);
}

static void collect_fds(struct msghdr *hdr, struct incoming *in)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(hdr); c; c = CMSG_NXTHDR(hdr, c)) {
		unsigned n = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		int fd[FDS_SEEN];

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		memcpy(fd, CMSG_DATA(c), n * sizeof(int));
		for (unsigned i = 0; i < n; i++) {
			if (in->nfds < MESSAGE_FDS_MAX)
				in->fd[in->nfds] = fd[i];
			else
				close(fd[i]);
			in->nfds++;
		}
	}
}

static const char *open_datagram(struct channel *channel, struct incoming *in, size_t n, int flags)
{
	const struct message *m;
	const char *problem;

	if (n < HEADER)
		return "a message without a type";
	if (n > MESSAGE_MAX || (flags & (MSG_TRUNC | MSG_CTRUNC)))
		return "a message that is too long";
	memcpy(&in->type, datagram, HEADER);
	in->type = le32toh(in->type);
	problem = message_refusal(in->type, channel->link, channel->side, channel->state, in->nfds);
	if (problem)
		return problem;
	m = message_find(in->type);
	if (!wire_decode(m->fields, datagram + HEADER, n - HEADER, &in->body, m->size))
		return "a malformed message";
	return NULL;
}

enum channel_result channel_recv(struct channel *channel, struct incoming *in)
{
	union control control;
	struct iovec iov = {.iov_base = datagram, .iov_len = sizeof(datagram)};
	struct msghdr hdr = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.bytes,
			     .msg_controllen = sizeof(control)};
	ssize_t n;

	in->type = 0;
	in->nfds = 0;
	in->problem = NULL;
	/*
	 * A peer that ended with our words unread resets the channel. That is told once, and before
	 * what the peer itself had to say: its last words come with the next call, then the end.
	 */
	do {
		n = recvmsg(channel->fd, &hdr, MSG_CMSG_CLOEXEC);
	} while (n < 0 && (errno == EINTR || errno == ECONNRESET));
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return CHANNEL_AGAIN;
	if (n <= 0)
		return CHANNEL_EOF;
	collect_fds(&hdr, in);
	in->problem = open_datagram(channel, in, (size_t)n, hdr.msg_flags);
	if (in->problem == NULL)
		return CHANNEL_MESSAGE;
	incoming_close(in);
	return CHANNEL_BAD;
}

int channel_take(struct incoming *in, unsigned n)
{
	int fd = in->fd[n];

	in->fd[n] = -1;
	return fd;
}

void incoming_close(struct incoming *in)
{
	for (unsigned i = 0; i < in->nfds && i < MESSAGE_FDS_MAX; i++) {
		if (in->fd[i] >= 0)
			close(in->fd[i]);
		in->fd[i] = -1;
	}
	in->nfds = 0;
}
