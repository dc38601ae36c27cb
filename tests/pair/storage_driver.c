/*
 * One call of storage.h, for tests/e2e/storage_world.py, as vmmd would make it: with the
 * capabilities that vmmd keeps, and no others.
 *
 *	storage_driver PATH KIND open
 *	storage_driver PATH KIND make NAME MB
 *	storage_driver PATH KIND remove|enter NAME
 *
 * KIND: dir, btrfs, zfs to insist on; any. It prints what it is (open) or nothing; on failure it
 * prints the error's name and why to stderr, and exits with 1.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "process.h"
#include "storage.h"

static int call(const struct storage *storage, char **argv, struct refusal *why)
{
	const char *what = argv[0], *name = argv[1];
	uint64_t mb = name && argv[2] ? strtoull(argv[2], NULL, 10) : 0;
	int fd;

	if (strcmp(what, "open") == 0)
		return printf("%s\n", storage_kind_name(storage->kind)) < 0;
	if (strcmp(what, "make") == 0)
		return storage_make(storage, name, mb, why);
	if (strcmp(what, "remove") == 0)
		return storage_remove(storage, name, why);
	fd = storage_enter(storage, name);
	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

int main(int argc, char **argv)
{
	struct refusal why = {""};
	struct storage storage;
	int error;

	if (argc < 4 || (strcmp(argv[3], "open") != 0 && argc < 5))
		return 2;
	if (geteuid() == 0 && process_keep_needed_capabilities() < 0)
		return 2;
	error = storage_open(argv[1], strcmp(argv[2], "any") == 0 ? NULL : argv[2], &storage, &why);
	if (error == 0) {
		error = call(&storage, argv + 3, &why);
		close(storage.fd);
	}
	if (error)
		fprintf(stderr, "%s %s\n", strerrorname_np(-error), why.text);
	return error != 0;
}
