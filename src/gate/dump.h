/*
 * The contents of a volume on their way to a client: what vmm_volume writes into the stream socket
 * that came with REPLY_DATA, read when the client has room for it and not before. The last byte
 * waits for REPLY_END: who has all of a volume finds that nobody uses it for that any more.
 */
#ifndef VMM_GATE_DUMP_H
#define VMM_GATE_DUMP_H

#include "http2.h"

struct dump;

/*
 * Answers STREAM with the SIZE bytes that come from SOCKET, which is taken over. When it ends
 * before them, the stream is reset. NULL: no memory.
 */
struct dump *dump_start(struct http2_stream *stream, int socket, uint64_t size);
/* The descriptor to poll for reading; -1: not now. */
int dump_wants(const struct dump *dump);
/* There is something to read. */
void dump_receive(struct dump *dump);
/* REPLY_END came. */
void dump_let_go(struct dump *dump);
/* Nothing more comes: the stream is reset. */
void dump_abort(struct dump *dump);
/* DUMP may be NULL. */
void dump_close(struct dump *dump);

#endif
