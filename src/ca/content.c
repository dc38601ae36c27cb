/*
 * Options to what a certificate says, see content.h. What a value may be in itself is decided by
 * cert_decode, which reads back what is made of these.
 */
#include "content.h"

#include <string.h>

#include "utf8.h"

bool option_need(bool given, const char *name, struct refusal *why)
{
	return given || refusal_say(why, "--%s is missing", name);
}

bool cpus_parse(const struct items *items, struct cpuset *out, struct refusal *why)
{
	for (size_t i = 0; i < items->count; i++) {
		uint32_t cpu;

		if (!number_parse("--cpu", items->item[i], 0, CPUS_MAX - 1, &cpu, why))
			return false;
		cpuset_add(out, cpu);
	}
	return true;
}

bool bridges_parse(const struct items *items, struct policy *out, struct refusal *why)
{
	for (size_t i = 0; i < items->count; i++) {
		struct bridge bridge;

		if (!bridge_parse(items->item[i], &bridge, why) ||
		    !policy_add_bridge(out, &bridge, why))
			return false;
	}
	return true;
}

bool permissions_parse(const struct items *items, uint32_t *out, struct refusal *why)
{
	for (size_t i = 0; i < items->count; i++) {
		uint32_t permission = permission_parse(items->item[i]);

		if (permission == 0)
			return refusal_say(why,
					   "--permission wants all, info, image, block, "
					   "statistics, console or log, not '%.64s'",
					   items->item[i]);
		*out |= permission;
	}
	return true;
}

/* TEXT, "[DEVICE:]NAME", into two buffers of DEVICE_SIZE and SIZE bytes, which are zero. */
static bool spec_parse(const char *what, const char *text, char *device, char *name, size_t size,
		       struct refusal *why)
{
	const char *colon = strchr(text, ':'), *rest = colon == NULL ? text : colon + 1;
	size_t len = colon == NULL ? 0 : (size_t)(colon - text);

	if ((colon != NULL && len == 0) || len >= DEVICE_SIZE)
		return refusal_say(why, "%s '%.64s': a device has 1 to %d letters and digits", what,
				   text, DEVICE_SIZE - 1);
	if (rest[0] == '\0' || strlen(rest) >= size)
		return refusal_say(why, "%s '%.64s': a name has 1 to %zu bytes", what, text,
				   size - 1);
	memcpy(device, text, len);
	memcpy(name, rest, strlen(rest));
	return true;
}

bool nets_parse(const struct items *items, struct vm_config *out, struct refusal *why)
{
	for (size_t i = 0; i < items->count; i++) {
		struct net_spec *net = &out->net[out->nnets];

		if (out->nnets == DEVICES_MAX)
			return refusal_say(why, "--net: %zu devices, a VM has at most %d",
					   items->count, DEVICES_MAX);
		if (!spec_parse("--net", items->item[i], net->device, net->bridge,
				sizeof(net->bridge), why))
			return false;
		out->nnets++;
	}
	return true;
}

bool blocks_parse(const struct items *items, struct vm_config *out, struct refusal *why)
{
	for (size_t i = 0; i < items->count; i++) {
		struct block_spec *block = &out->block[out->nblocks];
		const char *problem;

		if (out->nblocks == DEVICES_MAX)
			return refusal_say(why, "--block: %zu devices, a VM has at most %d",
					   items->count, DEVICES_MAX);
		if (!spec_parse("--block", items->item[i], block->device, block->volume,
				sizeof(block->volume), why))
			return false;
		problem = volume_name_problem(block->volume, strlen(block->volume));
		if (problem != NULL)
			return refusal_say(why, "--block: %s is no name for a volume: it %s",
					   block->volume, problem);
		out->nblocks++;
	}
	return true;
}

bool argv_parse(const struct items *items, struct strings *out, struct refusal *why)
{
	for (size_t i = 0; i < items->count; i++) {
		const char *arg = items->item[i];

		if (!utf8_valid(arg, strlen(arg)))
			return refusal_say(why, "--arg: number %zu is not UTF-8", i + 1);
		if (strings_add(out, arg) < 0)
			return refusal_say(why, "--arg: more than %d arguments or %d bytes",
					   ARGV_COUNT_MAX, ARGV_SIZE);
	}
	return true;
}
