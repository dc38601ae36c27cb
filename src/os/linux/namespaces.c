/* Makes the empty namespaces in a short-lived child; its descriptors keep them alive. */
#include "namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define KINDS (CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS)

/*
 * Whoever joins the set stands in its mounts' root, wherever we stand: in a chroot that is another
 * one. Joining our own namespace takes us there too. (In a chroot there are no user namespaces.)
 */
static int leave_chroot(void)
{
	int fd = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	int error = fd < 0 || setns(fd, CLONE_NEWNS) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return error;
}

/* An empty tmpfs becomes the root, the old one is let go of. */
static int empty_root(const char *directory)
{
	unsigned long flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("vmm-empty", directory, "tmpfs", flags, "mode=0555,nr_inodes=2") < 0 ||
	    chdir(directory) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
	    umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return -errno;
	return 0;
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), error = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		error = -errno;
	close(fd);
	return error;
}

/* Inside, everybody is who he is outside; nobody else exists. */
static int map_user(uid_t uid, gid_t gid)
{
	char map[64];
	int error = write_file("/proc/self/setgroups", "deny");

	snprintf(map, sizeof(map), "%u %u 1", uid, uid);
	if (error == 0)
		error = write_file("/proc/self/uid_map", map);
	snprintf(map, sizeof(map), "%u %u 1", gid, gid);
	return error == 0 ? write_file("/proc/self/gid_map", map) : error;
}

static int make_set(const char *directory, bool user)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	int error;

	if (unshare(KINDS | (user ? CLONE_NEWUSER : 0)) < 0)
		return -errno;
	error = user ? map_user(uid, gid) : leave_chroot();
	if (error == 0)
		error = empty_root(directory);
	/* A host name says something about the host. */
	if (error == 0 && sethostname("vmm", 3) < 0)
		error = -errno;
	return error;
}

/* Its parent may look at it only while it has no right that is not in effect there too. */
static int drop_spare_rights(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	for (int i = 0; i < 2; i++)
		data[i].permitted = data[i].effective;
	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

/* In the child: makes the set, says how that went, stays until it is told to go. */
_Noreturn static void hold(const char *directory, bool user, int to_parent, int from_parent)
{
	int error = drop_spare_rights();

	if (error == 0)
		error = make_set(directory, user);
	if (write(to_parent, &error, sizeof(error)) == sizeof(error))
		while (read(from_parent, &error, 1) < 0 && errno == EINTR)
			;
	_exit(0);
}

static int open_kind(pid_t pid, const char *kind)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, kind);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int open_set(struct namespaces *set, pid_t pid, bool user)
{
	static const char *const kinds[NAMESPACES_MAX] = {"user", "net", "ipc", "uts", "mnt"};

	for (unsigned i = user ? 0 : 1; i < NAMESPACES_MAX; i++) {
		int fd = open_kind(pid, kinds[i]);

		if (fd < 0)
			return -errno;
		set->fd[set->n++] = fd;
	}
	return 0;
}

static int prepare(struct namespaces *set, const char *directory, const int *up, const int *down)
{
	bool user = geteuid() != 0;
	pid_t pid = fork();
	int error;

	if (pid == 0) {
		close(down[1]);
		hold(directory, user, up[1], down[0]);
	}
	close(up[1]);
	close(down[0]);
	if (pid < 0 || read(up[0], &error, sizeof(error)) != sizeof(error))
		error = -EAGAIN;
	if (error == 0)
		error = open_set(set, pid, user);
	close(up[0]);
	close(down[1]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return error;
}

int namespaces_prepare(struct namespaces *set, const char *directory)
{
	int up[2], down[2], error;

	set->n = 0;
	if (pipe2(up, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(down, O_CLOEXEC) < 0) {
		error = -errno;
		close(up[0]);
		close(up[1]);
		return error;
	}
	error = prepare(set, directory, up, down);
	while (error < 0 && set->n > 0)
		close(set->fd[--set->n]);
	return error;
}
