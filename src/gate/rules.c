/*
 * Two lists: the gate's is set before it hears of anybody, a worker's on top of it before it reads
 * the first byte. Neither has a call that opens, makes or changes a file or a socket address, or
 * starts a program. (The sanitizers' additions are in sandbox.c.)
 */
#include "rules.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

/* glibc's fork, and no other kind of clone: no thread, no namespace. */
#define FORK_FLAGS (CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID | SIGCHLD)

/* What both need: memory, time, the end. */
/* clang-format off */
#define COMMON \
	SANDBOX_ALLOW(read, "the client's bytes; a worker's report"), \
	SANDBOX_ALLOW(write, "the client's bytes; the chain's memfd; log lines"), \
	SANDBOX_ALLOW(close, "what is done with"), \
	SANDBOX_ALLOW(recvmsg, "channels"), \
	SANDBOX_ALLOW(sendmsg, "channels"), \
	SANDBOX_ALLOW_MASKED(fcntl, 1, 0, F_GETFL, "non-blocking or not"), \
	SANDBOX_ALLOW_MASKED(fcntl, 1, 0, F_SETFL, "non-blocking or not"), \
	SANDBOX_ALLOW(brk, "memory"), \
	SANDBOX_ALLOW_MASKED(mmap, 2, PROT_EXEC, 0, "memory, none of it executable"), \
	SANDBOX_ALLOW(munmap, "memory"), \
	SANDBOX_ALLOW(mremap, "a large chain's buffer grows"), \
	SANDBOX_ALLOW(madvise, "memory given back"), \
	SANDBOX_ALLOW(futex, "OpenSSL's locks"), \
	SANDBOX_ALLOW(getrandom, "keys; each worker seeds its own"), \
	SANDBOX_ALLOW(getpid, "OpenSSL notices the fork by it"), \
	SANDBOX_ALLOW(clock_gettime, "deadlines, where the vDSO cannot"), \
	SANDBOX_ALLOW(restart_syscall, "poll goes on after a stop"), \
	SANDBOX_ALLOW(rt_sigreturn, "the end of a signal handler"), \
	SANDBOX_ALLOW(exit_group, "the end")

/* A worker's own, which the gate's list must have too: lists add up. */
#define WORKER \
	SANDBOX_ALLOW(poll, "the client, vmmd and console streams at once"), \
	SANDBOX_ALLOW_MASKED(fcntl, 1, 0, F_ADD_SEALS, "the chain's memfd"), \
	SANDBOX_ALLOW_MASKED(fcntl, 1, 0, F_SETLK, "slots for large chains"), \
	SANDBOX_ALLOW(shutdown, "a goodbye that an unread byte does not turn into a reset")

const struct sandbox_rule worker_rules[] = {
	COMMON,
	WORKER,
};

const struct sandbox_rule gate_rules[] = {
	COMMON,
	WORKER,
	SANDBOX_ALLOW(pread64, "certificate and key, from descriptors that vmmd opened"),
	SANDBOX_ALLOW(accept4, "connections"),
	SANDBOX_ALLOW_MASKED(fcntl, 1, 0, F_DUPFD_CLOEXEC, "a connection's descriptor, out of the reserve"),
	SANDBOX_ALLOW(getsockopt, "their progress"),
	SANDBOX_ALLOW(setsockopt, "keepalive; room in channels"),
	SANDBOX_ALLOW_MASKED(ioctl, 1, 0, FIONREAD, "whether a connection has sent anything"),
	SANDBOX_ALLOW(epoll_wait, "the loop"),
	SANDBOX_ALLOW(epoll_ctl, "the loop"),
	SANDBOX_ALLOW(recvfrom, "libevent's note of a signal"),
	SANDBOX_ALLOW(sendto, "libevent's note of a signal"),
	SANDBOX_ALLOW(prlimit64, "how many descriptors are left; a worker's memory"),
	SANDBOX_ALLOW(pipe2, "a worker's report"),
	SANDBOX_ALLOW_MASKED(socketpair, 0, 0, AF_UNIX, "a worker's channels"),
	SANDBOX_ALLOW_MASKED(clone, 0, 0, FORK_FLAGS, "a worker"),
	SANDBOX_ALLOW(set_robust_list, "glibc, in a new process"),
	SANDBOX_ALLOW(wait4, "a worker has ended"),
	SANDBOX_ALLOW(kill, "a worker is past its deadline"),
	/* and until it has a list of its own, the new worker: */
	SANDBOX_ALLOW(prctl, "it ends with its parent; its list of calls"),
	SANDBOX_ALLOW(getppid, "its parent is still there"),
	SANDBOX_ALLOW(rt_sigaction, "the loop's handlers are not its own"),
	SANDBOX_ALLOW(rt_sigprocmask, "nor are the signals it blocks"),
	SANDBOX_ALLOW(close_range, "other connections are not its own either"),
	SANDBOX_ALLOW(memfd_create, "the chain"),
	SANDBOX_ALLOW(seccomp, "its list of calls"),
};
/* clang-format on */

const size_t worker_nrules = sizeof(worker_rules) / sizeof(worker_rules[0]);
const size_t gate_nrules = sizeof(gate_rules) / sizeof(gate_rules[0]);
