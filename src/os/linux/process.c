/* Processes through /proc and pidfds. */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * pidfd_info of Linux 6.13, the exit code of 6.15: newer than Debian 12's headers (linux/pidfd.h).
 * The first 64 bytes are the structure's first version.
 */
struct pidfd_info_v0 {
	uint64_t mask, cgroup;
	uint32_t ids[11];
	int32_t exit_code;
};
#define PIDFD_GET_INFO_V0  _IOWR(0xff, 11, struct pidfd_info_v0)
#define PIDFD_INFO_EXIT_V0 (UINT64_C(1) << 3)

static ssize_t read_small(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, out, size - 1);
	close(fd);
	if (n < 0)
		return -errno;
	out[n] = 0;
	return n;
}

/* Of a line of /proc/PID/stat. */
static uint64_t start_of(const char *text)
{
	/* The second field is the program's name in parentheses, which may hold anything. */
	const char *at = strrchr(text, ')');

	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at + 1, NULL, 10) : 0;
}

uint64_t process_start_ticks(pid_t pid)
{
	char path[64], text[1024];

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	return read_small(path, text, sizeof(text)) <= 0 ? 0 : start_of(text);
}

int process_open(pid_t pid, uint64_t ticks)
{
	int fd;

	if (pid <= 0 || ticks == 0)
		return -1;
	/* Open first, compare after: the pid cannot be reused while we hold it. */
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd >= 0 && process_start_ticks(pid) != ticks) {
		close(fd);
		return -1;
	}
	return fd;
}

int process_noted(int fd)
{
	char text[1024];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return -1;
	text[n] = 0;
	return process_open((pid_t)atoi(text), start_of(text));
}

int process_signal(int pidfd, int signal)
{
	return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

bool process_ended(int pidfd)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};

	return poll(&p, 1, 0) > 0;
}

static enum vm_end decode_status(int code, uint32_t *value)
{
	if (WIFEXITED(code)) {
		*value = (uint32_t)WEXITSTATUS(code);
		return END_EXIT;
	}
	*value = (uint32_t)WTERMSIG(code);
	return END_SIGNAL;
}

/* Somebody else's child: the kernel tells once its parent has reaped it. */
static enum vm_end ask_kernel(int pidfd, uint32_t *value)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};
	struct pidfd_info_v0 info = {.mask = PIDFD_INFO_EXIT_V0};

	if (poll(&p, 1, 0) > 0 && !(p.revents & POLLHUP))
		return END_NONE;
	if (ioctl(pidfd, PIDFD_GET_INFO_V0, &info) < 0 || !(info.mask & PIDFD_INFO_EXIT_V0))
		return END_UNKNOWN;
	return decode_status(info.exit_code, value);
}

enum vm_end process_end(int pidfd, uint32_t *value)
{
	siginfo_t info = {0};

	*value = 0;
	if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG) < 0)
		return ask_kernel(pidfd, value);
	if (info.si_pid == 0)
		return END_NONE;
	*value = (uint32_t)info.si_status;
	return info.si_code == CLD_EXITED ? END_EXIT : END_SIGNAL;
}

void process_wait(int pidfd)
{
	while (waitid(P_PIDFD, (id_t)pidfd, &(siginfo_t){0}, WEXITED) < 0 && errno == EINTR)
		;
}

bool process_cpu_allowed(unsigned cpu)
{
	cpu_set_t set;

	return cpu < CPU_SETSIZE && sched_getaffinity(0, sizeof(set), &set) == 0 &&
	       CPU_ISSET(cpu, &set);
}

uint64_t host_oom_kills(void)
{
	FILE *file = fopen("/proc/vmstat", "re");
	char line[128];
	uint64_t kills = 0;

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, "oom_kill ", 9) == 0)
			kills = strtoull(line + 9, NULL, 10);
	if (file)
		fclose(file);
	return kills;
}

uint64_t host_memory_mb(void)
{
	struct sysinfo info;

	return sysinfo(&info) < 0 ? 0 : (uint64_t)info.totalram * info.mem_unit >> 20;
}

int host_boot_id(char *id)
{
	char text[64];
	ssize_t n = read_small("/proc/sys/kernel/random/boot_id", text, sizeof(text));

	if (n < 36)
		return n < 0 ? (int)n : -EIO;
	memcpy(id, text, 36);
	id[36] = 0;
	return 0;
}

int process_keep_needed_capabilities(void)
{
	static const unsigned kept[] = {
	    CAP_SYS_ADMIN,	  /* make and join namespaces, mount the runtime directory,
				   * make and limit file systems for volumes */
	    CAP_SYS_CHROOT,	  /* join a mount namespace */
	    CAP_SETUID,		  /* give every process a uid of its own */
	    CAP_SETGID,		  /* likewise */
	    CAP_CHOWN,		  /* give vmm_auth the directory of its lists */
	    CAP_KILL,		  /* end monitors, which have other uids */
	    CAP_SYS_RESOURCE,	  /* raise the descriptor limit, size FIFOs and socket buffers */
	    CAP_NET_ADMIN,	  /* socket buffers beyond the host's limit */
	    CAP_NET_BIND_SERVICE, /* a port below 1024 */
	    CAP_DAC_OVERRIDE, /* a certificate, key or directory that root may not read by its mode
			       */
	};
	/*
	 * vmm_stats's, to read what /proc says of monitors. It is not effective here. It has to be
	 * permitted all the same, not only in the bounding set: what spawn executes may get no new
	 * privileges, so that it has none that we could not have. Roles give it up with the rest.
	 */
	static const unsigned passed_on = CAP_SYS_PTRACE;
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}}, now[2];

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		data[kept[i] / 32].permitted |= 1u << kept[i] % 32;
	data[passed_on / 32].permitted |= 1u << passed_on % 32;
	for (unsigned cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (!(data[cap / 32].permitted & 1u << cap % 32) &&
		    prctl(PR_CAPBSET_DROP, cap) < 0 && errno != EINVAL)
			return -errno;
	/* A container may have taken some away already. */
	if (syscall(SYS_capget, &header, now) < 0)
		return -errno;
	for (int i = 0; i < 2; i++)
		data[i].effective = data[i].permitted &= now[i].permitted;
	data[passed_on / 32].effective &= ~(1u << passed_on % 32);
	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}
