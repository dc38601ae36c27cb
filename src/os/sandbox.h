/*
 * A process gives things up, in stages (os/linux/sandbox.c has each with its reason).
 */
#ifndef VMM_SANDBOX_H
#define VMM_SANDBOX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * A system call that is allowed, and why. With NARGS > 0 only when argument ARG, masked with MASK
 * (0: not masked), equals VALUE; with NARGS 2 only when besides argument NONE is 0. Several rows of
 * one call: any of them allows it.
 */
struct sandbox_rule {
	int call; /* SCMP_SYS(...) */
	const char *why;
	unsigned nargs; /* 0 to 2 */
	unsigned arg;
	uint64_t mask, value;
	size_t none;
};

/* Rows of a table, where <seccomp.h> is included: a call by its name, always or by its arguments.
 */
#define SANDBOX_ALLOW(name, why)                \
	{                                       \
		SCMP_SYS(name), why, 0, 0, 0, 0 \
	}
#define SANDBOX_ALLOW_MASKED(name, arg, mask, value, why) \
	{                                                 \
		SCMP_SYS(name), why, 1, arg, mask, value  \
	}
#define SANDBOX_ALLOW_PLAIN(name, arg, value, none, why)    \
	{                                                   \
		SCMP_SYS(name), why, 2, arg, 0, value, none \
	}

/*
 * Stage 1: into the namespaces JOIN (NJOIN descriptors, in that order), to UID and its gid without
 * groups where UID is not 0; no capability, no core dump, not traceable, no new privileges. 0 or
 * -errno.
 */
int sandbox_isolate(const int *join, size_t njoin, uid_t uid);

/*
 * Between the two, or later: no file but those in DIRECTORY (-1: none at all) can be opened, made,
 * renamed or removed from here on, by whatever name; what is open stays so. 0 or -errno: -ENOSYS or
 * -EOPNOTSUPP where the kernel cannot.
 */
int sandbox_confine_files(int directory);

/* Stage 2: only RULES; any other call kills the process. 0 or -errno. */
int sandbox_restrict(const struct sandbox_rule *rules, size_t nrules);

/*
 * Stage 2 for who has to enter it himself: what RULES are for the kernel (an array of struct
 * sock_filter) into OUT of SIZE bytes. Any other call is SIGSYS, which may be caught. How many
 * bytes, or -errno.
 */
ssize_t sandbox_program(const struct sandbox_rule *rules, size_t nrules, void *out, size_t size);

#endif
