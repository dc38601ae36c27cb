/* Uploads. */
#include "upload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct upload {
	struct http2_stream *stream;
	int socket;		 /* -1: not yet, or no more */
	bool opened;		 /* there was one */
	bool ended;		 /* the client has sent all */
	bool whole;		 /* and it is written */
	uint64_t room, received; /* bytes */
	size_t from, to;
	uint8_t buffer[UPLOAD_WINDOW];
};

struct upload *upload_new(struct http2_stream *stream)
{
	struct upload *upload = calloc(1, sizeof(*upload));

	if (!upload)
		return NULL;
	upload->stream = stream;
	upload->socket = -1;
	upload->room = UINT64_MAX;
	http2_pace(stream, UPLOAD_WINDOW);
	return upload;
}

void upload_open(struct upload *upload, int socket, uint64_t size)
{
	upload->opened = true;
	upload->socket = socket;
	upload->room = size;
	fcntl(socket, F_SETFL, O_NONBLOCK);
}

void upload_body(struct upload *upload, const uint8_t *bytes, size_t size)
{
	upload->received += size;
	if (size > sizeof(upload->buffer) - upload->to) {
		memmove(upload->buffer, upload->buffer + upload->from, upload->to - upload->from);
		upload->to -= upload->from;
		upload->from = 0;
	}
	if (size > sizeof(upload->buffer) - upload->to) { /* no window allows that */
		http2_cancel(upload->stream);
		return;
	}
	memcpy(upload->buffer + upload->to, bytes, size);
	upload->to += size;
}

void upload_end(struct upload *upload)
{
	upload->ended = true;
}

static void took(struct upload *upload, size_t size)
{
	upload->from += size;
	if (upload->from == upload->to)
		upload->from = upload->to = 0;
	http2_taken(upload->stream, size);
}

static void socket_close(struct upload *upload)
{
	if (upload->socket >= 0)
		close(upload->socket);
	upload->socket = -1;
}

static void flush(struct upload *upload)
{
	while (upload->socket >= 0 && upload->from < upload->to) {
		ssize_t n = write(upload->socket, upload->buffer + upload->from,
				  upload->to - upload->from);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0)
			socket_close(upload);
		else
			took(upload, (size_t)n);
	}
	if (upload->opened && upload->socket < 0)
		took(upload, upload->to - upload->from);
}

enum upload_step upload_flush(struct upload *upload)
{
	if (upload->received > upload->room)
		return UPLOAD_TOO_LONG;
	flush(upload);
	if (upload->whole || !upload->ended || upload->socket < 0 || upload->from < upload->to)
		return UPLOAD_ON;
	upload->whole = true;
	return UPLOAD_WHOLE;
}

uint64_t upload_room(const struct upload *upload)
{
	return upload->room;
}

int upload_wants(const struct upload *upload)
{
	return upload->from < upload->to ? upload->socket : -1;
}

void upload_finish(struct upload *upload)
{
	if (!upload->whole || upload->socket < 0)
		return;
	shutdown(upload->socket, SHUT_WR);
	socket_close(upload);
}

void upload_close(struct upload *upload)
{
	if (!upload)
		return;
	socket_close(upload);
	free(upload);
}
