/*
 * The monitor's sandbox (confine.h), entered after everything was opened, mapped and made, before
 * the guest's first instruction. Its descriptors are numbers in the list: a monitor that a guest
 * took over can make no new ones.
 */
#include "confine.h"

#include "report.h"
#include "sandbox.h"

#include <linux/kvm.h>
#include <seccomp.h>
#include <string.h>
#include <unistd.h>

#define FD(n)	   .nargs = 1, .arg = 0, .value = (n)
#define REQUEST(n) .nargs = 1, .arg = 1, .value = (n)

static const struct sandbox_rule always[] = {
    {SCMP_SYS(ioctl), "runs the guest", REQUEST(KVM_RUN)},
    {SCMP_SYS(ioctl), "a fault's report: rip and others", REQUEST(KVM_GET_REGS)},
    {SCMP_SYS(ioctl), "a fault's report: cr2", REQUEST(KVM_GET_SREGS)},
    {SCMP_SYS(write), "the guest's console", FD(STDOUT_FILENO)},
    {SCMP_SYS(write), "a fault's report", FD(STDERR_FILENO)},
    {SCMP_SYS(clock_gettime), "walltime and poll, where the vdso has no clock"},
    {SCMP_SYS(clock_nanosleep), "poll"},
    {SCMP_SYS(exit_group), "the end"},
    {SCMP_SYS(brk), "libseccomp frees its filter after loading it"},
};

#define NALWAYS (sizeof(always) / sizeof(always[0]))

void confine(int status_fd, int go_fd)
{
	const struct sandbox_rule status[] = {
	    {SCMP_SYS(write), "\"ready\"", FD((uint64_t)status_fd)},
	    {SCMP_SYS(close), "the status pipe, after that", FD((uint64_t)status_fd)},
	};
	const struct sandbox_rule go[] = {
	    {SCMP_SYS(read), "waits for its turn", FD((uint64_t)go_fd)},
	    {SCMP_SYS(close), "that descriptor, after that", FD((uint64_t)go_fd)},
	};
	struct sandbox_rule rules[NALWAYS + 4];
	size_t nrules = NALWAYS;
	int error = sandbox_isolate(NULL, 0, 0);

	memcpy(rules, always, sizeof(always));
	if (status_fd >= 0) {
		memcpy(rules + nrules, status, sizeof(status));
		nrules += 2;
	}
	if (go_fd >= 0) {
		memcpy(rules + nrules, go, sizeof(go));
		nrules += 2;
	}
	if (error == 0)
		error = sandbox_restrict(rules, nrules);
	if (error < 0)
		report_fatal("cannot enter the sandbox: %s", strerror(-error));
}
