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

/* Into *SLOT, in place of the one before; false: there is none, which was said. */
static bool find_one(int *slot, const char *directory, const char *name)
{
	int fd = open_beside(directory, name);

	if (fd < 0)
		return false;
	if (*slot >= 0)
		close(*slot);
	*slot = fd;
	return true;
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
	for (int kind = 0; kind < ROLE_KINDS; kind++)
		if (!find_one(&d->slot[kind].program, self, role_types[kind].name))
			return -1;
	return find_one(&d->monitor_fd, self, "vmm_monitor") &&
		       find_one(&d->copier_fd, self, "vmm_volume")
		   ? 0
		   : -1;
}
