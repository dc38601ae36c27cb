/*
 * Signals of an interactive session, as flags that are set while the program waits and at no other
 * time: nothing is interrupted half-way.
 */
#ifndef VMM_SIGNALS_H
#define VMM_SIGNALS_H

#include <poll.h>
#include <stdbool.h>

enum signal_flag {
	SIGNAL_INTERRUPT = 1 << 0, /* Ctrl-C: what goes on now is to end */
	SIGNAL_TERMINATE = 1 << 1, /* the program is to end */
	SIGNAL_RESIZE = 1 << 2,	   /* the terminal has another size */
	SIGNAL_CONTINUE = 1 << 3,  /* somebody else had the terminal */
};

/* From now on they are caught; before, they do what they do to any program. */
void signals_catch(void);
/* poll(2) for at most TIMEOUT_MS (-1: for ever), during which signals may arrive. */
int signals_poll(struct pollfd *fds, unsigned nfds, int timeout_ms);
/* Which of FLAGS were set since they were last asked for. */
unsigned signals_take(unsigned flags);

#endif
