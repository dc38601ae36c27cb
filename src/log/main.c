/*
 * vmm_log's beginning and end. It opens nothing: rings, readers, the file and syslog's socket come
 * from vmmd.
 */
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "keeper.h"
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
    ALLOW(epoll_ctl, "the event loop: readers come and go"),
    ALLOW(recvmsg, "messages of vmmd with their descriptors; the end of a reader"),
    ALLOW(sendmsg, "entries to readers and to syslog"),
    ALLOW(write, "the log's file, and stderr"),
    ALLOW(close, "readers that are gone; a file that was rotated away"),
    ALLOW(lseek, "a ring's file must have its size"),
    ALLOW_MASKED(mmap, 2, PROT_EXEC, 0, "rings, and the allocator; nothing executable"),
    ALLOW(munmap, "rings, and the allocator"),
    ALLOW(mremap, "the allocator, for what grows"),
    ALLOW(brk, "the allocator"),
    ALLOW_MASKED(madvise, 2, 0, MADV_POPULATE_WRITE, "memory for a ring before it is touched"),
    ALLOW_MASKED(fcntl, 1, 0, F_GETFL, "nobody's socket may make us wait"),
    ALLOW_MASKED(fcntl, 1, 0, F_SETFL, "as above"),
    ALLOW(clock_gettime, "the event loop, where the vDSO has no clock"),
    ALLOW(gettimeofday, "likewise"),
    ALLOW(getrandom, "the allocator, once"),
    ALLOW(restart_syscall, "after a stop and continue"),
    ALLOW(rt_sigreturn, "the same"),
    ALLOW(exit_group, "the end"),
};

int main(int argc, char **argv)
{
	static struct keeper keeper;
	struct channel up;

	role_start(argc, argv, "vmm_log", LINK_LOG, &up);
	upward_many_descriptors();
	tzset(); /* libc reads a file for it, the first time that it breaks a time down */
	(void)signal(SIGPIPE, SIG_IGN); /* of the log's pipe */
	struct event_base *base = event_base_new();
	if (!base)
		role_fail(&up, "vmm_log: no event loop: %s", strerror(errno));
	role_confine(rules, sizeof(rules) / sizeof(rules[0]));

	int error = keeper_start(&keeper, base, &up);
	if (error < 0)
		role_fail(&up, "vmm_log: %s", strerror(-error));
	event_base_dispatch(base);
	/* Nothing to tidy up: rings are where they are, and vmmd is gone. */
	_exit(keeper.up.failed ? 1 : 0);
}
