/* Opens the state directory. */
#include "statedir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "family.h"
#include "log.h"
#include "owned.h"

#define REVOCATIONS "revocations"

void statedir_open(struct daemon *d)
{
	const char *path = d->options->state_dir, *problem;

	d->state_fd = owned_make(path, &problem);
	if (d->state_fd < 0)
		log_fatal("%s %s: %s", path, problem, strerror(-d->state_fd));
	/* Another one's vmm_auth would not hear of the lists that ours stores. */
	if (!owned_lock(d->state_fd))
		log_fatal("%s is in use by another vmmd", path);
	d->revocations_fd = owned_give(d->state_fd, REVOCATIONS, role_uid(d, ROLE_AUTH), &problem);
	if (d->revocations_fd < 0)
		log_fatal("%s/" REVOCATIONS " %s: %s", path, problem, strerror(-d->revocations_fd));
}

void statedir_check(struct daemon *d)
{
	const char *path = d->options->state_dir, *problem;
	int fd = owned_open(AT_FDCWD, path, &problem);
	char empty[] = "/tmp/vmmd-XXXXXX";

	if (fd < 0 && fd != -ENOENT)
		log_fatal("%s %s: %s", path, problem, strerror(-fd));
	if (fd >= 0)
		close(fd);
	if (mkdtemp(empty) == NULL)
		log_fatal("%s: %s", empty, strerror(errno));
	d->revocations_fd = open(empty, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	rmdir(empty);
	/* Of no owner that matters, for vmm_auth looks into it under its own uid. */
	if (d->revocations_fd < 0 || fchmod(d->revocations_fd, 0555) < 0)
		log_fatal("%s: %s", empty, strerror(errno));
}
