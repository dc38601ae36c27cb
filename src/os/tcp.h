/* What a TCP connection tells of itself without being read, and how long it may be dead unnoticed.
 */
#ifndef VMM_TCP_H
#define VMM_TCP_H

#include <stdbool.h>
#include <stdint.h>

struct tcp_progress {
	uint64_t received;  /* bytes so far */
	int64_t silence_ms; /* since the last of them; without any, since the connection was made */
};

/* All zero for a socket that has nothing to tell. */
void tcp_progress_read(int fd, struct tcp_progress *out);
/* Whether there is something to read; if not, a readable socket has come to its end. */
bool tcp_has_input(int fd);
/* A peer that vanished is noticed within about two minutes; small writes leave at once. */
void tcp_set_up(int fd);

#endif
