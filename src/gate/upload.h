/*
 * The body of a request on its way to a volume: what the client sends, into the stream socket that
 * came with REPLY_DATA, at the pace at which vmm_volume reads there. At most UPLOAD_WINDOW bytes
 * are in between. Decides nothing: what comes of it, vmmd says.
 */
#ifndef VMM_GATE_UPLOAD_H
#define VMM_GATE_UPLOAD_H

#include "http2.h"

#define UPLOAD_WINDOW (256u << 10)

struct upload;

enum upload_step {
	UPLOAD_ON,
	UPLOAD_WHOLE,	 /* the client has sent all, and it is in the socket; said once */
	UPLOAD_TOO_LONG, /* the client sends more than there is room for */
};

/* From the head of STREAM on, which it slows down. NULL: no memory. */
struct upload *upload_new(struct http2_stream *stream);
/* The socket, taken over, and how many bytes may go there. */
void upload_open(struct upload *upload, int socket, uint64_t size);
/* What the client sends, and that it was all. */
void upload_body(struct upload *upload, const uint8_t *bytes, size_t size);
void upload_end(struct upload *upload);
/* Writes what the socket takes. One whose reader is gone takes everything: vmmd tells why. */
enum upload_step upload_flush(struct upload *upload);
/* The descriptor to poll for writing; -1: not now. */
int upload_wants(const struct upload *upload);
/* Bytes that there is room for, since upload_open. */
uint64_t upload_room(const struct upload *upload);
/* After UPLOAD_WHOLE, else nothing: the socket's reader sees its end. */
void upload_finish(struct upload *upload);
/* UPLOAD may be NULL. */
void upload_close(struct upload *upload);

#endif
