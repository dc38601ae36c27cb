/* Bridges and who needs them (bridges.h). */
#include "bridges.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "session.h"

/* An index that no interface has: the bridge is about to be made. */
#define ABOUT_TO 0

/* Whether the top delegation of R names the bridge, in its newest certificate. */
static bool named_by(const struct daemon *d, const struct request *r, const char *name)
{
	struct path top = {.depth = 1};
	const struct policy *newest;

	if (r->depth == 0)
		return false;
	top.node[0] = r->level[0].node;
	newest = tree_policy(&d->tree, &top);
	return policy_bridge(newest ? newest : &r->level[0].policy, name) != NULL;
}

static bool has_tap_in(const struct vm_record *record, const char *name)
{
	for (uint32_t k = 0; k < record->ntaps; k++)
		if (strcmp(record->tap[k].bridge, name) == 0)
			return true;
	return false;
}

static bool needed(const struct daemon *d, const char *name)
{
	for (const struct vm *vm = d->vms; vm; vm = vm->next)
		if (vm_is_live(vm) &&
		    (has_tap_in(&vm->record, name) || named_by(d, &vm->record.request, name)))
			return true;
	for (const struct session *s = d->sessions; s; s = s->next)
		if (s->logged_in && named_by(d, &s->request, name))
			return true;
	return false;
}

/* What the list says of a bridge. */
struct listed {
	int index;
	bool shut;
};

/* 0 or -errno. */
static int write_listed(const struct daemon *d, const char *name, const struct listed *listed)
{
	int fd = openat(d->bridges_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
			0600);
	int error = 0;

	if (fd < 0)
		return -errno;
	if (dprintf(fd, "%d%s\n", listed->index, listed->shut ? " shut" : "") < 0)
		error = -errno;
	close(fd);
	return error;
}

static struct listed read_listed(const struct daemon *d, const char *name)
{
	int fd = openat(d->bridges_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct listed listed = {.index = ABOUT_TO};
	char text[32] = {0}, *end;

	if (fd < 0)
		return listed;
	if (read(fd, text, sizeof(text) - 1) > 0) {
		listed.index = (int)strtol(text, &end, 10);
		listed.shut = strcmp(end, " shut\n") == 0;
	}
	close(fd);
	return listed;
}

/*
 * The list says so before the bridge is there and names its index after: killed in between vmmd
 * finds a bridge that it must have made, for there was no interface of that name.
 */
static int make(struct daemon *d, const char *name, bool shut, struct interface *out)
{
	struct listed listed = {.index = ABOUT_TO, .shut = shut};
	int error = write_listed(d, name, &listed);

	if (error == 0)
		error = bridge_make(name, shut, out);
	if (error < 0) {
		unlinkat(d->bridges_fd, name, 0);
		return error;
	}
	listed.index = out->index;
	error = write_listed(d, name, &listed);
	if (error < 0) {
		bridge_remove(name, out->index);
		unlinkat(d->bridges_fd, name, 0);
		return error;
	}
	log_notice("made the bridge %s", name);
	return 0;
}

static bool is_made_here(const struct daemon *d, const struct bridge *bridge)
{
	return !bridge->external || d->options->create_bridges;
}

bool bridges_use(struct daemon *d, const struct bridge *wanted, struct interface *out,
		 struct start_error *error)
{
	const char *name = wanted->name;
	int result = interface_find(name, out);

	if (result == -ENODEV && !is_made_here(d, wanted))
		return start_refuse(error, 503, "unavailable",
				    "bridge %s: this host has none: its operator makes it (ip link "
				    "add %s type bridge), or vmmd with --create-bridges",
				    name, name);
	if (result == -ENODEV)
		result = make(d, name, !wanted->external, out);
	if (result < 0)
		return start_refuse(error, 503, "unavailable", "bridge %s: %s", name,
				    strerror(-result));
	if (out->kind != INTERFACE_BRIDGE)
		return start_refuse(error, 503, "unavailable",
				    "bridge %s: this host has an interface of that name that is no "
				    "bridge; it is left alone",
				    name);
	return true;
}

void bridges_login(struct daemon *d, const struct policy *policy)
{
	struct interface found;
	struct start_error error;

	if (d->bridges_fd < 0)
		return;
	for (uint32_t i = 0; i < policy->nbridges; i++)
		if (is_made_here(d, &policy->bridge[i]) &&
		    !bridges_use(d, &policy->bridge[i], &found, &error))
			log_warning("%s", error.why.text);
}

/* Removes the bridge NAME of the list, if it is still the one that vmmd made. */
static void let_go(struct daemon *d, const char *name)
{
	int index = read_listed(d, name).index, error = 0;
	struct interface found;

	if (index == ABOUT_TO)
		index = interface_find(name, &found) == 0 && found.kind == INTERFACE_BRIDGE
			    ? found.index
			    : ABOUT_TO;
	if (index != ABOUT_TO)
		error = bridge_remove(name, index);
	if (error < 0) {
		log_warning("the bridge %s could not be removed: %s", name, strerror(-error));
		return;
	}
	unlinkat(d->bridges_fd, name, 0);
	log_notice("removed the bridge %s", name);
}

/* WITH each bridge of the list, which it may take out of it. */
static void each_listed(struct daemon *d,
			void (*with)(struct daemon *d, const char *name, void *arg), void *arg)
{
	int fd = d->bridges_fd < 0 ? -1
				   : openat(d->bridges_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			with(d, entry->d_name, arg);
	if (dir)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
}

/* By another vmmd of this host, or by its operator: our own VMs' taps are gone before. */
static bool is_used_by_others(const struct daemon *d, const char *name)
{
	struct interface found;

	return interface_find(name, &found) == 0 && found.index == read_listed(d, name).index &&
	       bridge_has_ports(found.index) == 1;
}

static void settle(struct daemon *d, const char *name, void *arg)
{
	(void)arg;
	if (!needed(d, name) && !is_used_by_others(d, name))
		let_go(d, name);
}

void bridges_settle(struct daemon *d)
{
	each_listed(d, settle, NULL);
}

struct shut_again {
	unsigned n;
	char first[INTERFACE_NAME_SIZE];
};

static void relock(struct daemon *d, const char *name, void *arg)
{
	struct listed listed = read_listed(d, name);
	struct shut_again *again = arg;
	struct interface found;
	int error;

	if (!listed.shut || interface_find(name, &found) < 0 || found.index != listed.index ||
	    bridge_is_shut(name) != 0)
		return;
	error = bridge_shut(name);
	if (error < 0)
		log_error("the bridge %s reaches the host now: its rules are gone and could not be "
			  "put back: %s",
			  name, strerror(-error));
	else if (again->n++ == 0)
		snprintf(again->first, sizeof(again->first), "%s", name);
}

void bridges_relock(struct daemon *d)
{
	struct shut_again again = {0};

	each_listed(d, relock, &again);
	if (again.n > 0)
		log_warning(
		    "somebody removed the rules of %u internal bridge%s (netdev " BRIDGE_TABLE
		    "%s%s); they are back",
		    again.n, again.n > 1 ? "s" : "", again.first, again.n > 1 ? ", ..." : "");
}

/* It may be down, and not shut. Nobody is in it yet: who needs it makes it anew. */
static void drop_half_made(struct daemon *d, const char *name, void *arg)
{
	(void)arg;
	if (read_listed(d, name).index == ABOUT_TO)
		let_go(d, name);
}

void bridges_open(struct daemon *d)
{
	if (d->no_taps.text[0])
		return;
	if (mkdirat(d->run_fd, "bridges", 0700) < 0 && errno != EEXIST)
		log_fatal("%s/bridges: %s", d->options->run_dir, strerror(errno));
	d->bridges_fd = openat(d->run_fd, "bridges",
			       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (d->bridges_fd < 0)
		log_fatal("%s/bridges: %s", d->options->run_dir, strerror(errno));
	each_listed(d, drop_half_made, NULL);
	bridges_settle(d);
}

void bridges_leave(struct daemon *d)
{
	if (d->bridges_fd < 0)
		return;
	close(d->bridges_fd);
	d->bridges_fd = -1;
	unlinkat(d->run_fd, "bridges", AT_REMOVEDIR);
}
