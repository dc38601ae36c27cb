/*
 * vmm_volume: copies a volume from or to a socket, so that vmmd never holds a byte of it. A static
 * file, executed by descriptor in the empty namespaces under a uid of its own; it opens nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "copy.h"
#include "sandbox.h"

/* Of one descriptor. */
#define ALLOW_ON(fd, name, why) SANDBOX_ALLOW_MASKED(name, 0, 0, fd, why)

static const struct sandbox_rule rules[] = {
    SANDBOX_ALLOW(poll, "waits for the other end, and sees vmmd's end"),
    ALLOW_ON(COPIER_STATUS_FD, write, "the line about what went wrong"),
    SANDBOX_ALLOW(brk, "libseccomp frees its filter after loading it"),
    SANDBOX_ALLOW(restart_syscall, "after a stop and continue"),
    SANDBOX_ALLOW(exit_group, "the end"),
    /* reading */
    ALLOW_ON(COPIER_FILE_FD, lseek, "where data begins and ends"),
    ALLOW_ON(COPIER_FILE_FD, pread64, "the volume"),
    ALLOW_ON(COPIER_SOCKET_FD, sendto, "to the other end"),
    /* writing */
    ALLOW_ON(COPIER_SOCKET_FD, recvfrom, "from the other end"),
    ALLOW_ON(COPIER_FILE_FD, pwrite64, "the volume"),
    ALLOW_ON(COPIER_FILE_FD, fsync, "the volume is on the disk before it counts"),
};

/* Not dprintf, which asks more of the descriptor than to write. */
static void report(const char *step, const char *problem)
{
	char line[128];
	int n = snprintf(line, sizeof(line), "%s%s%s\n", step, *step ? ": " : "", problem);

	if (n > 0 && write(COPIER_STATUS_FD, line, (size_t)n) < 0)
		_exit(COPIER_ALONE);
}

static int usage(void)
{
	fputs("vmm_volume is a part of vmm that vmmd starts; see vmmd(8).\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	struct copy copy = {.file = COPIER_FILE_FD,
			    .socket = COPIER_SOCKET_FD,
			    .status = COPIER_STATUS_FD,
			    .patience_ms = COPIER_PATIENCE_MS};
	enum copier_end end;
	int error;

	if (argc != 3 || fcntl(COPIER_STATUS_FD, F_GETFD) < 0)
		return usage();
	copy.size = strtoull(argv[2], NULL, 10);
	error = sandbox_isolate(NULL, 0, 0, SANDBOX_KEEP_NOTHING);
	if (error == 0)
		error = sandbox_restrict(rules, sizeof(rules) / sizeof(rules[0]));
	if (error < 0) {
		report("cannot enter the sandbox", strerror(-error));
		return COPIER_FAILED;
	}
	end = strcmp(argv[1], "read") == 0 ? copy_out(&copy) : copy_in(&copy);
	if (end == COPIER_FAILED && (errno == ENOSPC || errno == EDQUOT))
		report("", "the disk is full");
	else if (end == COPIER_FAILED)
		report(copy.step, strerror(errno));
	_exit(end);
}
