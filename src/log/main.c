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

static const struct sandbox_rule rules[] = {
    SANDBOX_ALLOW(epoll_wait, "the event loop"),
    SANDBOX_ALLOW(epoll_ctl, "the event loop: readers come and go"),
    SANDBOX_ALLOW(recvmsg, "messages of vmmd with their descriptors; the end of a reader"),
    SANDBOX_ALLOW(sendmsg, "entries to readers and to syslog"),
    SANDBOX_ALLOW(write, "the log's file, and stderr"),
    SANDBOX_ALLOW(close, "readers that are gone; a file that was rotated away"),
    SANDBOX_ALLOW(lseek, "a ring's file must have its size"),
    SANDBOX_ALLOW_MASKED(mmap, 2, PROT_EXEC, 0, "rings, and the allocator; nothing executable"),
    SANDBOX_ALLOW(munmap, "rings, and the allocator"),
    SANDBOX_ALLOW(mremap, "the allocator, for what grows"),
    SANDBOX_ALLOW(brk, "the allocator"),
    SANDBOX_ALLOW_MASKED(madvise, 2, 0, MADV_POPULATE_WRITE,
			 "memory for a ring before it is touched"),
    SANDBOX_ALLOW_MASKED(fcntl, 1, 0, F_GETFL, "nobody's socket may make us wait"),
    SANDBOX_ALLOW_MASKED(fcntl, 1, 0, F_SETFL, "as above"),
    SANDBOX_ALLOW(clock_gettime, "the event loop, where the vDSO has no clock"),
    SANDBOX_ALLOW(gettimeofday, "likewise"),
    SANDBOX_ALLOW(getrandom, "the allocator, once"),
    SANDBOX_ALLOW(restart_syscall, "after a stop and continue"),
    SANDBOX_ALLOW(rt_sigreturn, "the same"),
    SANDBOX_ALLOW(exit_group, "the end"),
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
