/* Dumps. */
#include "dump.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "answer.h"

struct dump {
	struct http2_stream *stream;
	int socket; /* -1: no more */
	bool waits; /* for the socket */
	bool let_go;
	uint64_t left;
};

/* HTTP/2 takes what is there. */
static ssize_t dump_read(void *arg, uint8_t *out, size_t size, bool *last)
{
	struct dump *dump = arg;
	uint64_t ready = dump->let_go ? dump->left : dump->left - 1;
	ssize_t n;

	if (ready == 0 && dump->socket >= 0)
		return HTTP2_DEFER;
	if (size > ready)
		size = (size_t)ready;
	do
		n = read(dump->socket, out, size);
	while (n < 0 && errno == EINTR);
	dump->waits = n < 0 && errno == EAGAIN;
	if (dump->waits)
		return HTTP2_DEFER;
	if (n <= 0)
		return HTTP2_FAIL;
	dump->left -= (uint64_t)n;
	*last = dump->left == 0;
	return n;
}

struct dump *dump_start(struct http2_stream *stream, int socket, uint64_t size)
{
	struct dump *dump = calloc(1, sizeof(*dump));

	if (!dump) {
		close(socket);
		return NULL;
	}
	*dump = (struct dump){.stream = stream, .socket = socket, .left = size};
	fcntl(socket, F_SETFL, O_NONBLOCK);
	answer_bytes(stream, size, &(struct http2_body){.read = dump_read, .arg = dump});
	return dump;
}

int dump_wants(const struct dump *dump)
{
	return dump->waits ? dump->socket : -1;
}

void dump_receive(struct dump *dump)
{
	dump->waits = false;
	http2_resume(dump->stream);
}

void dump_let_go(struct dump *dump)
{
	dump->let_go = true;
	dump_receive(dump);
}

void dump_abort(struct dump *dump)
{
	if (dump->socket >= 0)
		close(dump->socket);
	dump->socket = -1;
	dump_receive(dump);
}

void dump_close(struct dump *dump)
{
	if (!dump)
		return;
	if (dump->socket >= 0)
		close(dump->socket);
	free(dump);
}
