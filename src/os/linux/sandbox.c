/*
 * Giving things up on Linux. Stage 1 needs root for the uid, and a user namespace where root
 * is not to be had for the others. Stage 2 is seccomp: a list of calls, each with its reason at the
 * caller's.
 */
#include "sandbox.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int drop_to(uid_t uid, enum sandbox_keep keep)
{
	/* Capabilities go with the last root uid, or with drop_capabilities where one is to stay;
	 * groups first, while we may. */
	if (prctl(PR_SET_KEEPCAPS, keep != SANDBOX_KEEP_NOTHING) < 0 || setgroups(0, NULL) < 0 ||
	    setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0)
		return -errno;
	/* Not believed, checked: there is no way back. */
	if (setresuid(0, 0, 0) == 0)
		return -EPERM;
	return 0;
}

/* Root's went with the uid; an ordinary user has some inside of a user namespace. */
static int drop_capabilities(enum sandbox_keep keep)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct now[2], left[2] = {{0}};

	if (keep == SANDBOX_READ_PROCESSES) {
		/* A container may not have it to give. */
		if (syscall(SYS_capget, &header, now) < 0)
			return -errno;
		left[0].permitted = now[0].permitted & 1u << CAP_SYS_PTRACE;
		left[0].effective = left[0].permitted;
	}
	return syscall(SYS_capset, &header, left) < 0 ? -errno : 0;
}

int sandbox_isolate(const int *join, size_t njoin, uid_t uid, enum sandbox_keep keep)
{
	const struct rlimit none = {0, 0};
	int error = 0;

	/* The prepared root is an empty, read-only directory: there is no file to open. */
	for (size_t i = 0; i < njoin; i++)
		if (setns(join[i], 0) < 0)
			return -errno;
	if (njoin > 0 && chdir("/") < 0)
		return -errno;
	if (uid == 0)
		keep = SANDBOX_KEEP_NOTHING;
	else
		error = drop_to(uid, keep);
	if (error == 0)
		error = drop_capabilities(keep);
	if (error < 0)
		return error;
	/* After the uid: changing it makes a process traceable by that uid again. */
	if (prctl(PR_SET_DUMPABLE, 0) < 0 || setrlimit(RLIMIT_CORE, &none) < 0)
		return -errno;
	/* No set-uid program and no file capability can give anything back. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

#ifdef __SANITIZE_ADDRESS__
/* Looking for leaks at exit takes ptrace, which nothing confined has. The unit tests look. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

/* What the sanitizers' runtime calls by itself, on errors and at exit. */
static const int sanitizer_calls[] = {SCMP_SYS(mmap),		SCMP_SYS(munmap),
				      SCMP_SYS(mprotect),	SCMP_SYS(madvise),
				      SCMP_SYS(sigaltstack),	SCMP_SYS(rt_sigaction),
				      SCMP_SYS(rt_sigprocmask), SCMP_SYS(getpid),
				      SCMP_SYS(gettid),		SCMP_SYS(sched_yield),
				      SCMP_SYS(clock_gettime),	SCMP_SYS(futex),
				      SCMP_SYS(write),		SCMP_SYS(exit),
				      SCMP_SYS(openat),		SCMP_SYS(readlink),
				      SCMP_SYS(read),		SCMP_SYS(close),
				      SCMP_SYS(newfstatat),	SCMP_SYS(getrlimit),
				      SCMP_SYS(prlimit64),	SCMP_SYS(set_robust_list),
				      SCMP_SYS(rseq),		SCMP_SYS(sched_getaffinity),
				      SCMP_SYS(ioctl),		SCMP_SYS(getuid),
				      SCMP_SYS(clone),		SCMP_SYS(wait4),
				      SCMP_SYS(prctl),		SCMP_SYS(mremap),
				      SCMP_SYS(getrusage)};
#endif

static struct scmp_arg_cmp compare(const struct sandbox_arg *arg)
{
	static const enum scmp_compare tests[] = {
	    [SANDBOX_EQ] = SCMP_CMP_EQ,
	    [SANDBOX_LE] = SCMP_CMP_LE,
	    [SANDBOX_GT] = SCMP_CMP_GT,
	};

	if (arg->test == SANDBOX_EQ && arg->mask != 0)
		return SCMP_CMP(arg->number, SCMP_CMP_MASKED_EQ, arg->mask, arg->value);
	return SCMP_CMP(arg->number, tests[arg->test], arg->value);
}

static int add_rule(scmp_filter_ctx ctx, const struct sandbox_rule *rule)
{
	uint32_t action = rule->error == 0 ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(rule->error);
	struct scmp_arg_cmp args[SANDBOX_ARGS];
	unsigned n = 0;

	for (; n < SANDBOX_ARGS && rule->args[n].test != SANDBOX_ANY; n++)
		args[n] = compare(&rule->args[n]);
	return seccomp_rule_add_array(ctx, action, rule->call, n, args);
}

static int add_rules(scmp_filter_ctx ctx, const struct sandbox_rule *rules, size_t nrules)
{
	int error = 0;

	for (size_t i = 0; i < nrules && error == 0; i++)
		error = add_rule(ctx, &rules[i]);
#ifdef __SANITIZE_ADDRESS__
	for (size_t i = 0; i < sizeof(sanitizer_calls) / sizeof(sanitizer_calls[0]) && error == 0;
	     i++)
		error = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, sanitizer_calls[i], 0);
#endif
	return error;
}

int sandbox_restrict(const struct sandbox_rule *rules, size_t nrules)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int error;

	if (ctx == NULL)
		return -ENOMEM;
	error = add_rules(ctx, rules, nrules);
	if (error == 0)
		error = seccomp_load(ctx);
	seccomp_release(ctx);
	return error;
}

/* libseccomp writes to a descriptor only. */
static ssize_t export(scmp_filter_ctx ctx, void *out, size_t size)
{
	int fd = memfd_create("seccomp", MFD_CLOEXEC);
	ssize_t n = fd < 0 ? -errno : seccomp_export_bpf(ctx, fd);
	struct stat st;

	if (n == 0 && fstat(fd, &st) < 0)
		n = -errno;
	if (n == 0 && (size_t)st.st_size > size)
		n = -E2BIG;
	if (n == 0 && (n = pread(fd, out, size, 0)) < 0)
		n = -errno;
	if (fd >= 0)
		close(fd);
	return n;
}

ssize_t sandbox_program(const struct sandbox_rule *rules, size_t nrules, void *out, size_t size)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_TRAP);
	ssize_t n;

	if (ctx == NULL)
		return -ENOMEM;
	n = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_TRAP);
	/* A tree by the number of the call, not a list: it is in the way of every packet. */
	if (n == 0)
		n = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (n == 0)
		n = add_rules(ctx, rules, nrules);
	if (n == 0)
		n = export(ctx, out, size);
	seccomp_release(ctx);
	return n;
}
