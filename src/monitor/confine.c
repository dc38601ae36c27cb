/*
 * The monitor's sandbox (confine.h), entered after everything was opened, mapped and made, before
 * the guest's first instruction. Its descriptors are numbers in the list: a monitor that a guest
 * took over can make no new ones.
 */
#include "confine.h"

#include "device_rules.h"
#include "report.h"
#include "sandbox.h"

#include <linux/kvm.h>
#include <seccomp.h>
#include <string.h>
#include <unistd.h>

static const struct sandbox_rule always[] = {
    SANDBOX_ALLOW_IF(ioctl, "runs the guest", {1, SANDBOX_EQ, KVM_RUN}),
    SANDBOX_ALLOW_IF(ioctl, "a fault's report: rip and others", {1, SANDBOX_EQ, KVM_GET_REGS}),
    SANDBOX_ALLOW_IF(ioctl, "a fault's report: cr2", {1, SANDBOX_EQ, KVM_GET_SREGS}),
    SANDBOX_ALLOW_IF(write, "the guest's console", {0, SANDBOX_EQ, STDOUT_FILENO}),
    SANDBOX_ALLOW_IF(write, "a fault's report", {0, SANDBOX_EQ, STDERR_FILENO}),
    SANDBOX_ALLOW(clock_gettime, "walltime, where the vdso has no clock"),
    SANDBOX_ALLOW_IF(ppoll, "poll, without a signal mask", {3, SANDBOX_EQ, 0}),
    SANDBOX_ALLOW(exit_group, "the end"),
    SANDBOX_ALLOW(brk, "libseccomp frees its filter after loading it"),
};

#define NALWAYS (sizeof(always) / sizeof(always[0]))

/* A descriptor that is used once more, by CALL, and closed. */
static size_t add_last(struct sandbox_rule *rules, int call, const char *why, int fd)
{
	const struct sandbox_rule own[] = {
	    {call, 0, why, {{0, SANDBOX_EQ, (uint64_t)fd}}},
	    SANDBOX_ALLOW_IF(close, "that descriptor, after that", {0, SANDBOX_EQ, (uint64_t)fd}),
	};

	if (fd < 0)
		return 0;
	memcpy(rules, own, sizeof(own));
	return 2;
}

void confine(const struct devices *devices, int status_fd, int go_fd)
{
	static struct sandbox_rule rules[NALWAYS + 4 + MFT_ENTRIES_MAX * DEVICE_RULES];
	size_t n = NALWAYS;
	int error = sandbox_isolate(NULL, 0, 0, SANDBOX_KEEP_NOTHING);

	memcpy(rules, always, sizeof(always));
	n += add_last(rules + n, SCMP_SYS(write), "\"ready\"", status_fd);
	n += add_last(rules + n, SCMP_SYS(read), "waits for its turn", go_fd);
	n += device_rules(devices, true, rules + n);
	if (error == 0)
		error = sandbox_restrict(rules, n);
	if (error < 0)
		report_fatal("cannot enter the sandbox: %s", strerror(-error));
}
