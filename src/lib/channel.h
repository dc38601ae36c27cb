/*
 * Typed messages over AF_UNIX SOCK_SEQPACKET, one datagram a message, descriptors beside it.
 * A channel owns its descriptor. What message.h's table does not allow never leaves and never
 * arrives; a peer that sends it gets CHANNEL_BAD, and the caller ends that peer, not itself.
 */
#ifndef VMM_CHANNEL_H
#define VMM_CHANNEL_H

#include "message.h"

struct channel {
	int fd; /* -1: closed */
	enum link link;
	enum side side;	  /* ours */
	enum state state; /* ours: set to STATE_READY when the protocol gets there */
};

/* A received message. Its descriptors belong to the caller: channel_take, or incoming_close. */
struct incoming {
	uint32_t type;
	unsigned nfds;
	int fd[MESSAGE_FDS_MAX];
	const char *problem; /* after CHANNEL_BAD: what was wrong with it */
	union message_body body;
};

enum channel_result { CHANNEL_MESSAGE, CHANNEL_AGAIN, CHANNEL_EOF, CHANNEL_BAD };

/* A connected pair, close-on-exec, UPPER first, with room for several of the longest messages; 0 or
 * -errno. */
int channel_pair(enum link link, struct channel *upper, struct channel *lower);
/* Takes FD over. */
void channel_init(struct channel *channel, int fd, enum link link, enum side side);
int channel_set_nonblocking(struct channel *channel); /* 0 or -errno */
void channel_close(struct channel *channel);

/*
 * Sends one message. BODY is TYPE's structure (NULL for one without fields), FDS exactly as many as
 * its row says; they stay the caller's. 0, -EAGAIN when the peer does not keep up, or another
 * -errno: -EPIPE when it is gone, -EPROTO when the table does not allow it (a bug here).
 */
int channel_send(struct channel *channel, uint32_t type, const void *body, const int *fds);

/*
 * The two halves of channel_send, for a queue: the datagram into OUT (MESSAGE_MAX bytes), its
 * length or -EPROTO; then N bytes with NFDS descriptors on their way.
 */
ssize_t channel_encode(const struct channel *channel, uint32_t type, const void *body,
		       uint8_t *out);
int channel_send_datagram(struct channel *channel, const uint8_t *bytes, size_t n, const int *fds,
			  unsigned nfds);

/* Receives one message into IN, which may be reused (it is large: keep it static). */
enum channel_result channel_recv(struct channel *channel, struct incoming *in);
/* Descriptor N of IN becomes the caller's. */
int channel_take(struct incoming *in, unsigned n);
/* Closes the descriptors nobody took. */
void incoming_close(struct incoming *in);

#endif
