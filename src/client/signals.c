/*
 * Signal handlers that set a flag and do nothing else.
 */
#include "signals.h"

#include <signal.h>
#include <stddef.h>

static const struct {
	int signal;
	enum signal_flag flag;
} caught[] = {
    {SIGINT, SIGNAL_INTERRUPT}, {SIGTERM, SIGNAL_TERMINATE}, {SIGHUP, SIGNAL_TERMINATE},
    {SIGWINCH, SIGNAL_RESIZE},	{SIGCONT, SIGNAL_CONTINUE},
};
#define CAUGHT (sizeof(caught) / sizeof(caught[0]))

/* A handler has no argument to reach anything else by. */
static volatile sig_atomic_t raised;

static void on_signal(int signal)
{
	for (size_t i = 0; i < CAUGHT; i++)
		if (caught[i].signal == signal)
			raised |= (sig_atomic_t)caught[i].flag;
}

/* As nohup asks. */
static bool is_kept(int signal)
{
	struct sigaction before;

	return signal == SIGHUP && sigaction(signal, NULL, &before) == 0 &&
	       before.sa_handler == SIG_IGN;
}

void signals_catch(void)
{
	struct sigaction action = {.sa_handler = on_signal};
	sigset_t blocked;

	sigemptyset(&blocked);
	for (size_t i = 0; i < CAUGHT; i++) {
		if (is_kept(caught[i].signal))
			continue;
		sigaction(caught[i].signal, &action, NULL);
		sigaddset(&blocked, caught[i].signal);
	}
	sigprocmask(SIG_BLOCK, &blocked, NULL);
}

int signals_poll(struct pollfd *fds, unsigned nfds, int timeout_ms)
{
	struct timespec timeout = {.tv_sec = timeout_ms / 1000,
				   .tv_nsec = timeout_ms % 1000 * 1000000L};
	sigset_t mask;

	sigprocmask(SIG_BLOCK, NULL, &mask);
	for (size_t i = 0; i < CAUGHT; i++)
		sigdelset(&mask, caught[i].signal);
	return ppoll(fds, nfds, timeout_ms < 0 ? NULL : &timeout, &mask);
}

unsigned signals_take(unsigned flags)
{
	sigset_t mine, before;

	sigfillset(&mine);
	sigprocmask(SIG_BLOCK, &mine, &before);
	unsigned taken = (unsigned)raised & flags;
	raised &= (sig_atomic_t)~flags;
	sigprocmask(SIG_SETMASK, &before, NULL);
	return taken;
}
