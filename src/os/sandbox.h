/*
 * A process gives things up, in stages (os/linux/sandbox.c has each with its reason).
 */
#ifndef VMM_SANDBOX_H
#define VMM_SANDBOX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What must be true of one argument. SANDBOX_ANY, zero, ends the list of a call's. */
enum sandbox_test { SANDBOX_ANY, SANDBOX_EQ, SANDBOX_LE, SANDBOX_GT };

struct sandbox_arg {
	unsigned number; /* from 0 */
	enum sandbox_test test;
	uint64_t value;
	uint64_t mask; /* of SANDBOX_EQ, over the argument; 0: not masked */
};

#define SANDBOX_ARGS 3

/*
 * A system call that is allowed when all its ARGS are so, and why; with ERROR not 0 one that fails
 * with that error instead of what others end with. Several rows of one call: any of them does.
 */
struct sandbox_rule {
	int call; /* SCMP_SYS(...) */
	int error;
	const char *why;
	struct sandbox_arg args[SANDBOX_ARGS];
};

/* Rows of a table, where <seccomp.h> is included: a call by its name, always or by its arguments.
 */
#define SANDBOX_ALLOW(name, why)       \
	{                              \
		SCMP_SYS(name), 0, why \
	}
/* The rest are struct sandbox_arg. */
#define SANDBOX_ALLOW_IF(name, why, ...) \
	{                                \
		SCMP_SYS(name), 0, why,  \
		{                        \
			__VA_ARGS__      \
		}                        \
	}
#define SANDBOX_ALLOW_MASKED(name, arg, mask, value, why) \
	SANDBOX_ALLOW_IF(name, why, {arg, SANDBOX_EQ, value, mask})
#define SANDBOX_ALLOW_PLAIN(name, arg, value, none, why) \
	SANDBOX_ALLOW_IF(name, why, {arg, SANDBOX_EQ, value}, {none, SANDBOX_EQ, 0})

/* What of root's rights a process may keep that ceases to be root. */
enum sandbox_keep {
	SANDBOX_KEEP_NOTHING,
	SANDBOX_READ_PROCESSES, /* what /proc says of other uids' processes, CAP_SYS_PTRACE */
};

/*
 * Stage 1: into the namespaces JOIN (NJOIN descriptors, in that order), to UID and its gid without
 * groups where UID is not 0; no capability but what is to KEEP, which goes with UID 0 and is not to
 * be had everywhere; no core dump, not traceable, no new privileges. 0 or -errno.
 */
int sandbox_isolate(const int *join, size_t njoin, uid_t uid, enum sandbox_keep keep);

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
