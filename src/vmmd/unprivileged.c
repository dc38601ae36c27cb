/* What an ordinary user's vmmd goes without, and where it keeps its files. */
#include "unprivileged.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "rundir.h"

#define PATH_SIZE 4096

/* VARIABLE's directory, else FALLBACK below HOME's, and "vmm" in it. */
static const char *below(const char *variable, const char *home, const char *fallback, char *out)
{
	const char *base = getenv(variable);

	if (base && base[0] == '/')
		snprintf(out, PATH_SIZE, "%s/vmm", base);
	else
		snprintf(out, PATH_SIZE, "%s%s/vmm", home, fallback);
	return out;
}

const char *unprivileged_run_dir(void)
{
	static char path[PATH_SIZE];
	char fallback[32];

	/* Without a session's directory: one of our own in /tmp, checked to be ours when opened. */
	snprintf(fallback, sizeof(fallback), "/tmp/vmm-%u", geteuid());
	if (!getenv("XDG_RUNTIME_DIR")) {
		snprintf(path, sizeof(path), "%s", fallback);
		return path;
	}
	return below("XDG_RUNTIME_DIR", "", fallback, path);
}

const char *unprivileged_state_dir(void)
{
	static char path[PATH_SIZE];
	const char *home = getenv("HOME");

	return below("XDG_STATE_HOME", home ? home : "", "/.local/state", path);
}

void unprivileged_say(const struct daemon *d, int namespaces)
{
	log_notice("started by uid %u, not root:", geteuid());
	log_notice("- VMs and roles run under that uid too, not under one each");
	if (namespaces < 0)
		log_notice(
		    "- no empty namespaces for them (%s): they stay in this one's network and root"
		    " directory, with no system call to reach either",
		    strerror(-namespaces));
	log_notice("- no network devices: taps and bridges are root's");
	if (access("/dev/kvm", R_OK | W_OK) < 0)
		log_notice("- no hvt images: /dev/kvm: %s", strerror(errno));
	if (d->run_fd >= 0 && !rundir_in_memory(d->run_fd))
		log_notice("- consoles and records are written to a disk: %s is on one",
			   d->options->run_dir);
}
