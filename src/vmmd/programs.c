/* Where the programs of the family are. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "family.h"
#include "log.h"
#include "roles.h"

static int open_beside(const char *directory, const char *name)
{
	char path[PATH_MAX];
	int fd = -1;

	for (size_t i = 0; i < 2 && fd < 0; i++) {
		const char *between = i == 0 ? "" : "/../libexec/vmm";
		int n = snprintf(path, sizeof(path), "%s%s/%s", directory, between, name);

		if (n > 0 && (size_t)n < sizeof(path))
			fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (fd < 0)
		log_error("%s is neither in %s nor in %s/../libexec/vmm", name, directory,
			  directory);
	return fd;
}

static void replace_fd(int *slot, int fd)
{
	if (*slot >= 0)
		close(*slot);
	*slot = fd;
}

int roles_find(struct daemon *d)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (n < 0)
		return -1;
	self[n] = 0;
	slash = strrchr(self, '/');
	if (slash)
		*slash = 0;
	for (int kind = 0; kind < ROLE_KINDS; kind++) {
		int fd = open_beside(self, role_types[kind].name);

		if (fd < 0)
			return -1;
		replace_fd(&d->slot[kind].program, fd);
	}
	n = open_beside(self, "vmm_monitor");
	if (n < 0)
		return -1;
	replace_fd(&d->monitor_fd, (int)n);
	return 0;
}
