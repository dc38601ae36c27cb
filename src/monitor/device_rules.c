/* See device_rules.h. */
#include "device_rules.h"

#include "block.h"

#include <errno.h>
#include <seccomp.h>
#include <string.h>

/* A frame that is too long is an error, not the end: Solo5's tenders let it pass. */
static size_t net_rules(const struct device *net, struct sandbox_rule *rules)
{
	const uint64_t fd = (uint64_t)net->fd, longest = net->mtu + ETHERNET_HEADER;
	const struct sandbox_rule own[] = {
	    SANDBOX_ALLOW_IF(read, "a frame", {0, SANDBOX_EQ, fd}),
	    SANDBOX_ALLOW_IF(write, "a frame", {0, SANDBOX_EQ, fd}, {2, SANDBOX_LE, longest}),
	    {SCMP_SYS(write),
	     EINVAL,
	     "one that is too long",
	     {{0, SANDBOX_EQ, fd}, {2, SANDBOX_GT, longest}}},
	};

	memcpy(rules, own, sizeof(own));
	return sizeof(own) / sizeof(own[0]);
}

static size_t block_rules(const struct device *block, bool chunks, struct sandbox_rule *rules)
{
	const uint64_t fd = (uint64_t)block->fd, sector = block->sector;
	const uint64_t last = block->capacity - sector, last_chunk = block->capacity - BLOCK_CHUNK;
	const struct sandbox_rule own[] = {
	    SANDBOX_ALLOW_IF(pread64, "a sector", {0, SANDBOX_EQ, fd}, {2, SANDBOX_EQ, sector},
			     {3, SANDBOX_LE, last}),
	    SANDBOX_ALLOW_IF(pwrite64, "a sector", {0, SANDBOX_EQ, fd}, {2, SANDBOX_EQ, sector},
			     {3, SANDBOX_LE, last}),
	    SANDBOX_ALLOW_IF(pread64, "several", {0, SANDBOX_EQ, fd}, {2, SANDBOX_LE, BLOCK_CHUNK},
			     {3, SANDBOX_LE, last_chunk}),
	    SANDBOX_ALLOW_IF(pwrite64, "several", {0, SANDBOX_EQ, fd}, {2, SANDBOX_LE, BLOCK_CHUNK},
			     {3, SANDBOX_LE, last_chunk}),
	};
	size_t n = chunks && block->capacity >= BLOCK_CHUNK ? 4 : 2;

	memcpy(rules, own, n * sizeof(own[0]));
	return n;
}

size_t device_rules(const struct devices *devices, bool chunks, struct sandbox_rule *rules)
{
	size_t n = 0;

	for (unsigned k = 0; k < devices->nnets; k++)
		n += net_rules(&devices->at[devices->net[k]], rules + n);
	for (unsigned k = 0; k < devices->nblocks; k++)
		n += block_rules(&devices->at[devices->block[k]], chunks, rules + n);
	return n;
}
