/*
 * vmm_console's beginning and end. It opens nothing: FIFOs, rings and readers come from vmmd.
 */
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "console.h"
#include "log.h"
#include "role.h"

#define ALLOW(name, why)                        \
	{                                       \
		SCMP_SYS(name), why, 0, 0, 0, 0 \
	}
#define ALLOW_MASKED(name, arg, mask, value, why)        \
	{                                                \
		SCMP_SYS(name), why, 1, arg, mask, value \
	}

static const struct sandbox_rule rules[] = {
    ALLOW(epoll_wait, "the event loop"),
    ALLOW(epoll_ctl, "the event loop: FIFOs and readers come and go"),
    ALLOW(read, "FIFOs, straight into the rings"),
    ALLOW(recvmsg, "messages of vmmd with their descriptors; the end of a reader"),
    ALLOW(sendmsg, "lines to readers"),
    ALLOW(close, "VMs and readers that are gone"),
    ALLOW(lseek, "a ring's file must have its size"),
    ALLOW_MASKED(mmap, 2, PROT_EXEC, 0, "rings, and the allocator; nothing executable"),
    ALLOW(munmap, "rings, and the allocator"),
    ALLOW(mremap, "the allocator, for what grows"),
    ALLOW(brk, "the allocator"),
    ALLOW_MASKED(madvise, 2, 0, MADV_POPULATE_WRITE, "memory for a ring before it is touched"),
    ALLOW_MASKED(fcntl, 1, 0, F_GETFL, "nobody's socket or FIFO may make us wait"),
    ALLOW_MASKED(fcntl, 1, 0, F_SETFL, "as above"),
    ALLOW(clock_gettime, "dates of lines, where the vDSO has none"),
    ALLOW(gettimeofday, "the event loop, likewise"),
    ALLOW_MASKED(write, 0, 0, STDERR_FILENO, "the log"),
    ALLOW(getrandom, "the allocator, once"),
    ALLOW(restart_syscall, "after a stop and continue"),
    ALLOW(rt_sigreturn, "the same"),
    ALLOW(exit_group, "the end"),
};

int main(int argc, char **argv)
{
	static struct console console;
	struct channel up;

	role_start(argc, argv, "vmm_console", LINK_CONSOLE, &up);
	upward_many_descriptors();
	(void)signal(SIGPIPE, SIG_IGN); /* of the log's pipe */
	struct event_base *base = event_base_new();
	if (!base)
		role_fail(&up, "vmm_console: no event loop: %s", strerror(errno));
	role_confine(rules, sizeof(rules) / sizeof(rules[0]));

	up.state = STATE_READY;
	int error = console_start(&console, base, &up);
	if (error == 0)
		error = channel_send(&console.up.channel, MSG_ROLE_READY, &(struct msg_empty){0},
				     NULL);
	if (error < 0)
		role_fail(&up, "vmm_console: %s", strerror(-error));
	event_base_dispatch(base);
	/* Nothing to tidy up: rings are where they are, and vmmd is gone. */
	_exit(console.up.failed ? 1 : 0);
}
