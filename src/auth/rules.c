/*
 * The list of system calls, each with its reason. What is not here: opening a file anywhere but
 * from the directory of revocation lists, making or connecting a socket, executing a program,
 * memory that is executable, signals to others.
 */
#include "rules.h"

#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>

#define FORK_FLAGS (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD)

#define CALL(name, why)                         \
	{                                       \
		SCMP_SYS(name), why, 0, 0, 0, 0 \
	}
#define CALL_IF(name, arg, mask, value, why)             \
	{                                                \
		SCMP_SYS(name), why, 1, arg, mask, value \
	}
/* Argument ARG is VALUE, argument NONE is 0. */
#define CALL_PLAIN(name, arg, value, none, why)             \
	{                                                   \
		SCMP_SYS(name), why, 2, arg, 0, value, none \
	}

const struct sandbox_rule auth_rules[] = {
    CALL(recvmsg, "messages of vmmd, the gate, workers"),
    CALL(sendmsg, "messages to vmmd and workers"),
    CALL(epoll_wait, "the loop"),
    CALL(epoll_pwait, "the same, as some libc has it"),
    CALL(epoll_ctl, "a worker comes and goes"),
    CALL(close, "its descriptors"),
    CALL(read, "the CA's file; the descriptor for ended children"),
    CALL(write, "log lines"),

    CALL_IF(clone, 0, 0, FORK_FLAGS, "fork: a process for each chain, never a thread"),
    CALL(set_robust_list, "libc in a forked child"),
    CALL(rt_sigprocmask, "libc around a fork"),
    CALL(rt_sigreturn, "return from a signal handler, should libc have one"),
    CALL(wait4, "children that ended"),
    CALL(getpid, "OpenSSL, to notice a fork"),
    CALL(close_range, "a child drops what is not its connection's"),
    CALL_IF(prlimit64, 0, 0, 0, "a child limits itself"),
    CALL(alarm, "and its time"),
    CALL(exit_group, "the end"),

    CALL_IF(dup3, 1, 0, AUTH_DIRECTORY_FD, "the directory, once, to its place"),
    CALL(landlock_create_ruleset, "gives up all other files; a child gives up these too"),
    CALL(landlock_add_rule, "likewise"),
    CALL(landlock_restrict_self, "likewise"),
    CALL_IF(openat, 0, 0, AUTH_DIRECTORY_FD, "a stored list"),
    CALL(getdents64, "which ones there are"),
    CALL_IF(fcntl, 1, 0, F_GETFL, "libc, before it reads a directory"),
    CALL_IF(fcntl, 1, 0, F_SETFD, "likewise"),
    CALL(flock, "one writer at a time"),
    CALL(fsync, "a list is stored when the disk has it"),
    CALL_IF(renameat, 0, 0, AUTH_DIRECTORY_FD, "a new list in its place"),
    CALL_PLAIN(unlinkat, 0, AUTH_DIRECTORY_FD, 2, "one that was not finished"),
    CALL(memfd_create, "a list for vmmd"),
    CALL_IF(fcntl, 1, 0, F_ADD_SEALS, "which stays what it is"),
    CALL(clock_nanosleep, "while vmmd has as many descriptors to take as it may"),

    CALL_IF(fcntl, 1, 0, F_GET_SEALS, "whether a chain can still change"),
    CALL(fstat, "its size"),
    CALL_IF(newfstatat, 3, 0, AT_EMPTY_PATH, "the same, as libc asks for it"),
    CALL_IF(mmap, 2, PROT_EXEC, 0, "the chain; memory"),
    CALL(sysinfo, "libc, how much of it there is, before it sorts a long list"),
    CALL(munmap, "memory"),
    CALL(mremap, "memory"),
    CALL(brk, "memory"),
    CALL(madvise, "memory"),
    CALL(getrandom, "numbers of sessions"),
    CALL(futex, "locks inside of libcrypto"),
    CALL(clock_gettime, "the time, where the kernel maps no clock"),
    CALL(restart_syscall, "a wait that was stopped and continued"),
};

const size_t auth_nrules = sizeof(auth_rules) / sizeof(auth_rules[0]);
