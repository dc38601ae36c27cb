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

#define CALL(name, reason)                         \
	{                                          \
		SCMP_SYS(name), reason, 0, 0, 0, 0 \
	}
#define CALL_IF(name, arg, mask, value, reason)             \
	{                                                   \
		SCMP_SYS(name), reason, 1, arg, mask, value \
	}

/* glibc's fork, and no other kind of clone: no thread, no namespace. */
#define FORK_FLAGS (CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID | SIGCHLD)

/* What both need: memory, time, the end. */
/* clang-format off */
#define COMMON \
	CALL(read, "the client's bytes; a worker's report"), \
	CALL(write, "the client's bytes; the chain's memfd; log lines"), \
	CALL(close, "what is done with"), \
	CALL(recvmsg, "channels"), \
	CALL(sendmsg, "channels"), \
	CALL_IF(fcntl, 1, 0, F_GETFL, "non-blocking or not"), \
	CALL_IF(fcntl, 1, 0, F_SETFL, "non-blocking or not"), \
	CALL(brk, "memory"), \
	CALL_IF(mmap, 2, PROT_EXEC, 0, "memory, none of it executable"), \
	CALL(munmap, "memory"), \
	CALL(mremap, "a large chain's buffer grows"), \
	CALL(madvise, "memory given back"), \
	CALL(futex, "OpenSSL's locks"), \
	CALL(getrandom, "keys; each worker seeds its own"), \
	CALL(getpid, "OpenSSL notices the fork by it"), \
	CALL(clock_gettime, "deadlines, where the vDSO cannot"), \
	CALL(restart_syscall, "poll goes on after a stop"), \
	CALL(rt_sigreturn, "the end of a signal handler"), \
	CALL(exit_group, "the end")

/* A worker's own, which the gate's list must have too: lists add up. */
#define WORKER \
	CALL(poll, "the client, vmmd and console streams at once"), \
	CALL_IF(fcntl, 1, 0, F_ADD_SEALS, "the chain's memfd"), \
	CALL_IF(fcntl, 1, 0, F_SETLK, "slots for large chains"), \
	CALL(shutdown, "a goodbye that an unread byte does not turn into a reset")

const struct sandbox_rule worker_rules[] = {
	COMMON,
	WORKER,
};

const struct sandbox_rule gate_rules[] = {
	COMMON,
	WORKER,
	CALL(pread64, "certificate and key, from descriptors that vmmd opened"),
	CALL(accept4, "connections"),
	CALL_IF(fcntl, 1, 0, F_DUPFD_CLOEXEC, "a connection's descriptor, out of the reserve"),
	CALL(getsockopt, "their progress"),
	CALL(setsockopt, "keepalive; room in channels"),
	CALL_IF(ioctl, 1, 0, FIONREAD, "whether a connection has sent anything"),
	CALL(epoll_wait, "the loop"),
	CALL(epoll_ctl, "the loop"),
	CALL(recvfrom, "libevent's note of a signal"),
	CALL(sendto, "libevent's note of a signal"),
	CALL(prlimit64, "how many descriptors are left; a worker's memory"),
	CALL(pipe2, "a worker's report"),
	CALL_IF(socketpair, 0, 0, AF_UNIX, "a worker's channels"),
	CALL_IF(clone, 0, 0, FORK_FLAGS, "a worker"),
	CALL(set_robust_list, "glibc, in a new process"),
	CALL(wait4, "a worker has ended"),
	CALL(kill, "a worker is past its deadline"),
	/* and until it has a list of its own, the new worker: */
	CALL(prctl, "it ends with its parent; its list of calls"),
	CALL(getppid, "its parent is still there"),
	CALL(rt_sigaction, "the loop's handlers are not its own"),
	CALL(rt_sigprocmask, "nor are the signals it blocks"),
	CALL(close_range, "other connections are not its own either"),
	CALL(memfd_create, "the chain"),
	CALL(seccomp, "its list of calls"),
};
/* clang-format on */

const size_t worker_nrules = sizeof(worker_rules) / sizeof(worker_rules[0]);
const size_t gate_nrules = sizeof(gate_rules) / sizeof(gate_rules[0]);
