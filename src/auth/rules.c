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

const struct sandbox_rule auth_rules[] = {
    SANDBOX_ALLOW(recvmsg, "messages of vmmd, the gate, workers"),
    SANDBOX_ALLOW(sendmsg, "messages to vmmd and workers"),
    SANDBOX_ALLOW(epoll_wait, "the loop"),
    SANDBOX_ALLOW(epoll_pwait, "the same, as some libc has it"),
    SANDBOX_ALLOW(epoll_ctl, "a worker comes and goes"),
    SANDBOX_ALLOW(close, "its descriptors"),
    SANDBOX_ALLOW(read, "the CA's file; the descriptor for ended children"),
    SANDBOX_ALLOW(write, "log lines"),

    SANDBOX_ALLOW_MASKED(clone, 0, 0, FORK_FLAGS, "fork: a process for each chain, never a thread"),
    SANDBOX_ALLOW(set_robust_list, "libc in a forked child"),
    SANDBOX_ALLOW(rt_sigprocmask, "libc around a fork"),
    SANDBOX_ALLOW(rt_sigreturn, "return from a signal handler, should libc have one"),
    SANDBOX_ALLOW(wait4, "children that ended"),
    SANDBOX_ALLOW(getpid, "OpenSSL, to notice a fork"),
    SANDBOX_ALLOW(close_range, "a child drops what is not its connection's"),
    SANDBOX_ALLOW_MASKED(prlimit64, 0, 0, 0, "a child limits itself"),
    SANDBOX_ALLOW(alarm, "and its time"),
    SANDBOX_ALLOW(exit_group, "the end"),

    SANDBOX_ALLOW_MASKED(dup3, 1, 0, AUTH_DIRECTORY_FD, "the directory, once, to its place"),
    SANDBOX_ALLOW(landlock_create_ruleset, "gives up all other files; a child gives up these too"),
    SANDBOX_ALLOW(landlock_add_rule, "likewise"),
    SANDBOX_ALLOW(landlock_restrict_self, "likewise"),
    SANDBOX_ALLOW_MASKED(openat, 0, 0, AUTH_DIRECTORY_FD, "a stored list"),
    SANDBOX_ALLOW(getdents64, "which ones there are"),
    SANDBOX_ALLOW_MASKED(fcntl, 1, 0, F_GETFL, "libc, before it reads a directory"),
    SANDBOX_ALLOW_MASKED(fcntl, 1, 0, F_SETFD, "likewise"),
    SANDBOX_ALLOW(flock, "one writer at a time"),
    SANDBOX_ALLOW(fsync, "a list is stored when the disk has it"),
    SANDBOX_ALLOW_MASKED(renameat, 0, 0, AUTH_DIRECTORY_FD, "a new list in its place"),
    SANDBOX_ALLOW_PLAIN(unlinkat, 0, AUTH_DIRECTORY_FD, 2, "one that was not finished"),
    SANDBOX_ALLOW(memfd_create, "a list for vmmd"),
    SANDBOX_ALLOW_MASKED(fcntl, 1, 0, F_ADD_SEALS, "which stays what it is"),
    SANDBOX_ALLOW(clock_nanosleep, "while vmmd has as many descriptors to take as it may"),

    SANDBOX_ALLOW_MASKED(fcntl, 1, 0, F_GET_SEALS, "whether a chain can still change"),
    SANDBOX_ALLOW(fstat, "its size"),
    SANDBOX_ALLOW_MASKED(newfstatat, 3, 0, AT_EMPTY_PATH, "the same, as libc asks for it"),
    SANDBOX_ALLOW_MASKED(mmap, 2, PROT_EXEC, 0, "the chain; memory"),
    SANDBOX_ALLOW(sysinfo, "libc, how much of it there is, before it sorts a long list"),
    SANDBOX_ALLOW(munmap, "memory"),
    SANDBOX_ALLOW(mremap, "memory"),
    SANDBOX_ALLOW(brk, "memory"),
    SANDBOX_ALLOW(madvise, "memory"),
    SANDBOX_ALLOW(getrandom, "numbers of sessions"),
    SANDBOX_ALLOW(futex, "locks inside of libcrypto"),
    SANDBOX_ALLOW(clock_gettime, "the time, where the kernel maps no clock"),
    SANDBOX_ALLOW(restart_syscall, "a wait that was stopped and continued"),
};

const size_t auth_nrules = sizeof(auth_rules) / sizeof(auth_rules[0]);
