/*
 * vmm_stats's beginning and end. It opens nothing: what there is to read of each VM, and readers,
 * come from vmmd.
 */
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "log.h"
#include "role.h"
#include "stats.h"

/*
 * The right that it keeps, to read about processes of others, counts when a descriptor that it was
 * given is read. Nothing else here asks for it: no ptrace, no process_vm_readv, no pidfd_getfd, no
 * kcmp, and nothing that opens.
 */
static const struct sandbox_rule rules[] = {
    SANDBOX_ALLOW(epoll_wait, "the event loop"),
    SANDBOX_ALLOW(epoll_ctl, "the event loop: readers come and go"),
    SANDBOX_ALLOW(recvmsg, "messages of vmmd with their descriptors; the end of a reader; counters "
			   "of interfaces"),
    SANDBOX_ALLOW(sendmsg, "readings to readers; asking for those counters"),
    SANDBOX_ALLOW(pread64, "what there is to read of a VM and of the host"),
    SANDBOX_ALLOW(write, "stderr"),
    SANDBOX_ALLOW(close, "VMs and readers that are gone"),
    SANDBOX_ALLOW_MASKED(mmap, 2, PROT_EXEC, 0, "the allocator; nothing executable"),
    SANDBOX_ALLOW(munmap, "the allocator"),
    SANDBOX_ALLOW(mremap, "the allocator, for what grows"),
    SANDBOX_ALLOW(brk, "the allocator"),
    SANDBOX_ALLOW_MASKED(fcntl, 1, 0, F_GETFL, "nobody's socket may make us wait"),
    SANDBOX_ALLOW_MASKED(fcntl, 1, 0, F_SETFL, "as above"),
    SANDBOX_ALLOW(clock_gettime, "when a reading was, where the vDSO has no clock"),
    SANDBOX_ALLOW(gettimeofday, "the event loop, likewise"),
    SANDBOX_ALLOW(getrandom, "the allocator, once"),
    SANDBOX_ALLOW(restart_syscall, "after a stop and continue"),
    SANDBOX_ALLOW(rt_sigreturn, "the same"),
    SANDBOX_ALLOW(exit_group, "the end"),
};

int main(int argc, char **argv)
{
	static struct stats stats;
	struct channel up;

	role_start(argc, argv, "vmm_stats", LINK_STATS, &up);
	upward_many_descriptors();
	struct event_base *base = event_base_new();
	if (!base)
		role_fail(&up, "vmm_stats: no event loop: %s", strerror(errno));
	role_keep(SANDBOX_READ_PROCESSES);
	role_confine(rules, sizeof(rules) / sizeof(rules[0]));

	int error = stats_start(&stats, base, &up);
	if (error < 0)
		role_fail(&up, "vmm_stats: %s", strerror(-error));
	event_base_dispatch(base);
	/* Nothing to tidy up: vmmd is gone. */
	_exit(stats.up.failed ? 1 : 0);
}
