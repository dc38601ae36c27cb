/* See rules.h. */
#include "rules.h"

#include <fcntl.h>
#include <seccomp.h>
#include <sys/mman.h>

const struct sandbox_rule stats_rules[] = {
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

const size_t stats_nrules = sizeof(stats_rules) / sizeof(stats_rules[0]);
