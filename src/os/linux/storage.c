#include "storage.h"

#include <errno.h>

const char *storage_kind_name(enum storage_kind kind)
{
	(void)kind;
	return "dir";
}
int storage_open(const char *path, const char *insist, struct storage *out, struct refusal *why)
{
	(void)path, (void)insist, (void)out, (void)why;
	return -ENOSYS;
}
int storage_make(const struct storage *storage, const char *name, uint64_t limit_mb,
		 struct refusal *why)
{
	(void)storage, (void)name, (void)limit_mb, (void)why;
	return -ENOSYS;
}
int storage_limit(const struct storage *storage, const char *name, uint64_t limit_mb,
		  struct refusal *why)
{
	(void)storage, (void)name, (void)limit_mb, (void)why;
	return -ENOSYS;
}
int storage_remove(const struct storage *storage, const char *name, struct refusal *why)
{
	(void)storage, (void)name, (void)why;
	return -ENOSYS;
}
int storage_enter(const struct storage *storage, const char *name)
{
	(void)storage, (void)name;
	return -ENOSYS;
}
