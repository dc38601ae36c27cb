/*
 * vmm_console's beginning and end. It opens nothing: FIFOs, rings and readers come from vmmd.
 */
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "console.h"
#include "log.h"
#include "role.h"

static const struct sandbox_rule rules[] = {
    SANDBOX_ALLOW(epoll_wait, "the event loop"),
    SANDBOX_ALLOW(epoll_ctl, "the event loop: FIFOs and readers come and go"),
    SANDBOX_ALLOW(read, "FIFOs, straight into the rings"),
    SANDBOX_ALLOW(pread64, "statistics pages, what a predecessor counted"),
    SANDBOX_ALLOW(pwrite64, "statistics pages"),
    SANDBOX_ALLOW(recvmsg, "messages of vmmd with their descriptors; the end of a reader"),
    SANDBOX_ALLOW(sendmsg, "lines to readers"),
    SANDBOX_ALLOW(close, "VMs and readers that are gone"),
    SANDBOX_ALLOW(lseek, "a ring's file must have its size"),
    SANDBOX_ALLOW_MASKED(mmap, 2, PROT_EXEC, 0, "rings, and the allocator; nothing executable"),
    SANDBOX_ALLOW(munmap, "rings, and the allocator"),
    SANDBOX_ALLOW(mremap, "the allocator, for what grows"),
    SANDBOX_ALLOW(brk, "the allocator"),
    SANDBOX_ALLOW_MASKED(madvise, 2, 0, MADV_POPULATE_WRITE,
			 "memory for a ring before it is touched"),
    SANDBOX_ALLOW_MASKED(fcntl, 1, 0, F_GETFL, "nobody's socket or FIFO may make us wait"),
    SANDBOX_ALLOW_MASKED(fcntl, 1, 0, F_SETFL, "as above"),
    SANDBOX_ALLOW(clock_gettime, "dates of lines, where the vDSO has none"),
    SANDBOX_ALLOW(gettimeofday, "the event loop, likewise"),
    SANDBOX_ALLOW_MASKED(write, 0, 0, STDERR_FILENO, "the log"),
    SANDBOX_ALLOW(getrandom, "the allocator, once"),
    SANDBOX_ALLOW(restart_syscall, "after a stop and continue"),
    SANDBOX_ALLOW(rt_sigreturn, "the same"),
    SANDBOX_ALLOW(exit_group, "the end"),
};

/* The next vmmd wants to start another one: what FIFOs hold is still read, no more is waited for.
 */
static void on_term(evutil_socket_t fd, short what, void *base)
{
	(void)fd;
	(void)what;
	event_base_loopbreak(base);
}

/* A descriptor, for a handler would need more system calls. */
static bool await_term(struct event_base *base)
{
	struct event *event;
	sigset_t term;
	int fd;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	fd = signalfd(-1, &term, SFD_CLOEXEC);
	event = fd < 0 ? NULL : event_new(base, fd, EV_READ, on_term, base);
	return event && event_add(event, NULL) == 0;
}

int main(int argc, char **argv)
{
	static struct console console;
	struct channel up;

	role_start(argc, argv, "vmm_console", LINK_CONSOLE, &up);
	upward_many_descriptors();
	(void)signal(SIGPIPE, SIG_IGN); /* of the log's pipe */
	struct event_base *base = event_base_new();
	if (!base || !await_term(base))
		role_fail(&up, "vmm_console: no event loop: %s", strerror(errno));
	role_confine(rules, sizeof(rules) / sizeof(rules[0]));

	up.state = STATE_READY;
	int error = console_start(&console, base, &up);
	if (error == 0)
		error = channel_send(&console.up.channel, MSG_ROLE_READY, &(struct msg_empty){0},
				     NULL);
	if (error < 0)
		role_fail(&up, "vmm_console: %s", strerror(-error));
	while (console_needed(&console) && event_base_loop(base, EVLOOP_ONCE) == 0 &&
	       !event_base_got_break(base))
		continue;
	/* A guest that ended meanwhile has left its last words to nobody but us, perhaps. */
	const int status = console.up.failed ? 1 : 0;
	console_stop(&console);
	_exit(status);
}
