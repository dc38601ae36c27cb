#include "tap_rules.h"

#include <errno.h>

int tap_rules_install(const struct tap_rules *rules)
{
	(void)rules;
	return -ENOSYS;
}
int tap_rules_remove(const char *tap)
{
	(void)tap;
	return -ENOSYS;
}
int tap_rules_drops(const char *tap, uint64_t *frames, uint64_t *bytes)
{
	(void)tap, (void)frames, (void)bytes;
	return -ENOSYS;
}
int tap_rules_possible(void)
{
	return -ENOSYS;
}
