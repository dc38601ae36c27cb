/* See host.h. */
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "roles.h"

struct host_interface host[HOST_INTERFACES];
int host_error;
static int last_index;

void host_clear(void)
{
	memset(host, 0, sizeof(host));
	host_error = 0;
}

struct host_interface *host_find(const char *name)
{
	for (unsigned i = 0; i < HOST_INTERFACES; i++)
		if (strcmp(host[i].name, name) == 0)
			return &host[i];
	return NULL;
}

struct host_interface *host_add(const char *name, enum interface_kind kind, uint32_t mtu)
{
	struct host_interface *new = host_find("");

	if (new == NULL)
		return NULL;
	snprintf(new->name, sizeof(new->name), "%s", name);
	new->is = (struct interface){.index = ++last_index, .kind = kind, .mtu = mtu};
	return new;
}

static int failing(void)
{
	int error = host_error;

	host_error = 0;
	return error;
}

int interface_find(const char *name, struct interface *out)
{
	const struct host_interface *found = host_find(name);

	if (found == NULL)
		return -ENODEV;
	*out = found->is;
	return 0;
}

int bridge_make(const char *name, bool shut, struct interface *out)
{
	int error = failing();

	if (error < 0)
		return error;
	if (host_find(name))
		return -EEXIST;
	*out = host_add(name, INTERFACE_BRIDGE, 1500)->is;
	host_find(name)->shut = shut;
	return 0;
}

int bridge_is_shut(const char *name)
{
	return host_find(name)->shut;
}

int bridge_shut(const char *name)
{
	int error = failing();

	if (error == 0)
		host_find(name)->shut = true;
	return error;
}

int bridge_remove(const char *name, int index)
{
	struct host_interface *found = host_find(name);
	int error = failing();

	if (error == 0 && found && found->is.index == index && found->is.kind == INTERFACE_BRIDGE)
		memset(found, 0, sizeof(*found));
	return error;
}

int tap_make(const char *name, const struct interface *bridge, int *fd)
{
	int error = failing();

	if (error < 0)
		return error;
	if (host_find(name))
		return -EBUSY;
	host_add(name, INTERFACE_TAP, bridge->mtu)->is.master = bridge->index;
	*fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	return 0;
}

int tap_up(const char *name)
{
	struct host_interface *found = host_find(name);

	if (found == NULL)
		return -ENODEV;
	found->is.up = true;
	return 0;
}

int tap_remove(const char *name)
{
	struct host_interface *found = host_find(name);

	if (found && found->is.kind == INTERFACE_TAP)
		memset(found, 0, sizeof(*found));
	return 0;
}

int tap_rules_install(const struct tap_rules *rules)
{
	struct host_interface *found = host_find(rules->tap);
	int error = failing();

	if (error < 0)
		return error;
	if (found == NULL)
		return -ENODEV;
	found->rules = *rules;
	found->has_rules = true;
	return 0;
}

int tap_rules_remove(const char *tap)
{
	struct host_interface *found = host_find(tap);

	if (found)
		found->has_rules = false;
	return 0;
}

int tap_rules_there(const char *tap)
{
	const struct host_interface *found = host_find(tap);

	return found && found->has_rules;
}

int tap_rules_possible(void)
{
	return 0;
}

int roles_tell_console(struct daemon *d, uint32_t type, const void *body, const int *fds)
{
	(void)d;
	(void)type;
	(void)body;
	(void)fds;
	return 0;
}
