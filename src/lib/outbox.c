/* A queue of encoded datagrams with their descriptors. */
#include "outbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct queued {
	struct queued *next;
	unsigned nfds;
	int fd[MESSAGE_FDS_MAX];
	size_t size;
	uint8_t bytes[];
};

void outbox_init(struct outbox *box)
{
	*box = (struct outbox){.end = &box->first};
}

static void queued_free(struct queued *q)
{
	for (unsigned i = 0; i < q->nfds; i++)
		close(q->fd[i]);
	free(q);
}

static int enqueue(struct outbox *box, const uint8_t *bytes, size_t size, const int *fds,
		   unsigned nfds)
{
	struct queued *q = malloc(sizeof(*q) + size);

	if (q == NULL)
		return -ENOMEM;
	q->next = NULL;
	q->size = size;
	memcpy(q->bytes, bytes, size);
	for (q->nfds = 0; q->nfds < nfds; q->nfds++) {
		q->fd[q->nfds] = fcntl(fds[q->nfds], F_DUPFD_CLOEXEC, 0);
		if (q->fd[q->nfds] < 0) {
			int error = -errno;

			queued_free(q);
			return error;
		}
	}
	*box->end = q;
	box->end = &q->next;
	box->bytes += size;
	return 0;
}

int outbox_send(struct outbox *box, struct channel *to, uint32_t type, const void *body,
		const int *fds)
{
	static uint8_t bytes[MESSAGE_MAX];
	ssize_t n = channel_encode(to, type, body, bytes);
	unsigned nfds;
	int error = -EAGAIN;

	if (n < 0)
		return (int)n;
	nfds = message_find(type)->fds;
	if (box->first == NULL)
		error = channel_send_datagram(to, bytes, (size_t)n, fds, nfds);
	return error == -EAGAIN ? enqueue(box, bytes, (size_t)n, fds, nfds) : error;
}

int outbox_flush(struct outbox *box, struct channel *to)
{
	while (box->first) {
		struct queued *q = box->first;
		int error = channel_send_datagram(to, q->bytes, q->size, q->fd, q->nfds);

		if (error < 0)
			return error;
		box->first = q->next;
		if (box->first == NULL)
			box->end = &box->first;
		box->bytes -= q->size;
		queued_free(q);
	}
	return 0;
}

void outbox_clear(struct outbox *box)
{
	while (box->first) {
		struct queued *q = box->first;

		box->first = q->next;
		queued_free(q);
	}
	outbox_init(box);
}
