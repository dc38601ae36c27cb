/* The volume directory is opened and closed; what is in it is lent to VMs. */
#include "volumes.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "job.h"
#include "log.h"
#include "owned.h"
#include "transfer.h"
#include "volume_dir.h"
#include "volume_scan.h"

static const char *directory(const struct daemon *d, char *path)
{
	if (d->options->volume_dir)
		return d->options->volume_dir;
	snprintf(path, PATH_MAX, "%s/volumes", d->options->state_dir);
	return path;
}

void volumes_open(struct daemon *d)
{
	static struct volumes all;
	struct refusal why;
	const char *path, *problem;
	char buffer[PATH_MAX];
	int fd, error;

	path = directory(d, buffer);
	fd = owned_make(path, &problem);
	if (fd < 0)
		log_fatal("%s %s: %s", path, problem, strerror(-fd));
	close(fd);
	if (storage_open(path, d->options->storage, &all.storage, &why) < 0)
		log_fatal("%s", why.text);
	/* A job of a vmmd that was killed may have it still. */
	if (!owned_lock(all.storage.fd))
		log_fatal("%s is in use by another vmmd", path);
	error = volumes_scan(&all);
	if (error < 0)
		log_fatal("%s: %s", path, strerror(-error));
	d->volumes = &all;
	log_notice("volumes are in %s (%s)", path, storage_kind_name(all.storage.kind));
}

void volumes_check(struct daemon *d)
{
	struct storage storage;
	struct refusal why;
	const char *path, *problem;
	char buffer[PATH_MAX];
	int fd;

	path = directory(d, buffer);
	fd = owned_open(AT_FDCWD, path, &problem);
	/* One that is not there is made at the start. */
	if (fd == -ENOENT)
		return;
	if (fd < 0)
		log_fatal("%s %s: %s", path, problem, strerror(-fd));
	close(fd);
	if (storage_open(path, d->options->storage, &storage, &why) < 0)
		log_fatal("%s", why.text);
	close(storage.fd);
}

void volumes_close(struct daemon *d)
{
	if (d->volumes == NULL)
		return;
	transfers_end(d);
	jobs_end(d);
}

static bool refuse(struct start_error *error, uint32_t status, const char *word)
{
	error->status = status;
	error->word = word;
	return false;
}

/* Whether a VM may have VOLUME; OLD gives it up for it. */
static bool is_free(const struct daemon *d, const struct vm *old, const struct volume *volume,
		    struct start_error *error)
{
	char who[PATH_TEXT_SIZE] = "";

	for (const struct vm *vm = d->vms; vm; vm = vm->next)
		if (vm != old && volume_held_by(volume, vm))
			snprintf(who, sizeof(who), "%s", vm->record.request.leaf.name);
	if (volume->transfer)
		transfer_describe(volume->transfer, &volume->place->path, who, sizeof(who));
	if (who[0] == 0)
		return true;
	refusal_say(&error->why, "volume %s is in use by %s", volume->name, who);
	return refuse(error, 409, "in-use");
}

/* The volume NAME of the delegation at OWNER, for a VM: its descriptor, -1 with ERROR. */
static int lend(const struct daemon *d, const struct vm *old, const struct path *owner,
		const char *name, struct start_error *error)
{
	const struct volume *volume = volume_find(d->volumes, owner, name);
	int dir, fd;

	if (volume == NULL || volume->state != VOLUME_READY) {
		refusal_say(&error->why, "there is no volume %s: create-block makes it", name);
		refuse(error, 404, "not-found");
		return -1;
	}
	if (!is_free(d, old, volume, error))
		return -1;
	dir = place_open(&d->volumes->storage, owner);
	fd = dir < 0 ? dir : volume_open(dir, name, false, O_RDWR, volume->size_mb);
	if (dir >= 0)
		close(dir);
	if (fd >= 0)
		return fd;
	refusal_say(&error->why, "volume %s cannot be opened: %s", name, strerror(-fd));
	refuse(error, 503, "unavailable");
	return -1;
}

bool volumes_lend(struct daemon *d, const struct request *r, const struct vm *old, int *fds,
		  struct start_error *error)
{
	struct path owner;
	uint32_t n;

	request_scope(r, &owner);
	for (n = 0; n < r->vm.nblocks; n++) {
		fds[n] = lend(d, old, &owner, r->vm.block[n].volume, error);
		if (fds[n] < 0)
			break;
	}
	if (n == r->vm.nblocks)
		return true;
	while (n > 0) {
		close(fds[--n]);
		fds[n] = -1;
	}
	return false;
}
