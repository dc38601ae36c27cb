#include "interfaces.h"

#include <errno.h>

int interface_find(const char *name, struct interface *out)
{
	(void)name, (void)out;
	return -ENOSYS;
}
int bridge_make(const char *name, struct interface *out)
{
	(void)name, (void)out;
	return -ENOSYS;
}
int bridge_remove(const char *name, int index)
{
	(void)name, (void)index;
	return -ENOSYS;
}
int bridge_ports(int index)
{
	(void)index;
	return -ENOSYS;
}
int tap_make(const char *name, const struct interface *bridge, int *fd)
{
	(void)name, (void)bridge, (void)fd;
	return -ENOSYS;
}
int tap_up(const char *name)
{
	(void)name;
	return -ENOSYS;
}
int tap_remove(const char *name)
{
	(void)name;
	return -ENOSYS;
}
