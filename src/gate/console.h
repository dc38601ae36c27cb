/*
 * A console stream: entries from vmm_console's socket, rendered, into a bounded buffer that HTTP/2
 * empties. While the buffer is full the socket is not read, so that it is vmm_console who counts
 * what this reader misses.
 */
#ifndef VMM_GATE_CONSOLE_H
#define VMM_GATE_CONSOLE_H

#include <stdbool.h>

struct console;

/* The descriptor to poll for reading; -1: not now. */
int console_wants(const struct console *console);
void console_receive(struct console *console);
/* Ends the stream with a line that says WHY, after what is buffered. */
void console_end(struct console *console, const char *why);
/* CONSOLE may be NULL. */
void console_close(struct console *console);

#endif
