/*
 * What a delegation grants and whether something lies within it: the one place where quotas and
 * policy are decided. Pure: no clock, no file, no log, no allocation.
 */
#include "policy.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "request.h"
#include "utf8.h"

#define ADDRESS_SIZE INET_ADDRSTRLEN
#define LIST_SIZE    256 /* of a set or a list of names in a refusal */

/*
 * A refusal may quote what a certificate says, and goes to terminals, logs and messages that take
 * UTF-8 alone: a character that is cut off or a control is written as '?'.
 */
static void refusal_clean(char *text)
{
	size_t len = strlen(text);
	for (size_t at = 0; at < len;) {
		size_t from = at;
		int32_t c = utf8_next(text, len, &at);
		if (c < 0)
			at++;
		if (c < 0x20 || (c >= 0x7f && c < 0xa0))
			memset(text + from, '?', at - from);
	}
}

bool refusal_say(struct refusal *why, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	(void)vsnprintf(why->text, sizeof(why->text), format, args);
	va_end(args);
	refusal_clean(why->text);
	return false;
}

/* A list that is being written into a bounded buffer; once something did not fit, it stays cut. */
struct list {
	char *out;
	size_t size, used;
	bool cut;
};

static void list_add(struct list *list, const char *item)
{
	const char *separator = list->used > 0 ? ", " : "";
	size_t need = strlen(separator) + strlen(item);
	/* Room for ", ..." stays, whatever follows. */
	if (list->cut || list->used + need + sizeof(", ...") > list->size) {
		list->cut = true;
		return;
	}
	list->used += (size_t)snprintf(list->out + list->used, list->size - list->used, "%s%s",
				       separator, item);
}

static void list_end(struct list *list)
{
	const char *rest = list->used == 0 ? "none" : "";
	if (list->cut)
		rest = list->used == 0 ? "..." : ", ...";
	if (list->size > 0)
		(void)snprintf(list->out + list->used, list->size - list->used, "%s", rest);
}

bool cpuset_has(const struct cpuset *set, unsigned cpu)
{
	return cpu < CPUS_MAX && (set->bits[cpu / 8] >> (cpu % 8) & 1) != 0;
}

void cpuset_add(struct cpuset *set, unsigned cpu)
{
	if (cpu < CPUS_MAX)
		set->bits[cpu / 8] |= (uint8_t)(1u << (cpu % 8));
}

static bool cpuset_within(const struct cpuset *child, const struct cpuset *parent)
{
	for (size_t i = 0; i < sizeof(child->bits); i++)
		if (child->bits[i] & ~parent->bits[i])
			return false;
	return true;
}

void cpuset_format(const struct cpuset *set, char *out, size_t size)
{
	struct list list = {.out = out, .size = size};
	for (unsigned cpu = 0; cpu < CPUS_MAX; cpu++) {
		char item[24];
		unsigned last = cpu;
		if (!cpuset_has(set, cpu))
			continue;
		while (cpuset_has(set, last + 1))
			last++;
		if (last > cpu)
			(void)snprintf(item, sizeof(item), "%u-%u", cpu, last);
		else
			(void)snprintf(item, sizeof(item), "%u", cpu);
		list_add(&list, item);
		cpu = last;
	}
	list_end(&list);
}

static bool number_within(const char *field, uint32_t child, uint32_t parent, const char *unit,
			  const char *parent_name, struct refusal *why)
{
	if (child <= parent)
		return true;
	return refusal_say(why, "%s: asked for %" PRIu32 "%s, %s grants %" PRIu32 "%s", field,
			   child, unit, parent_name, parent, unit);
}

static bool cpus_within(const struct cpuset *child, const struct cpuset *parent,
			const char *parent_name, struct refusal *why)
{
	char asked[LIST_SIZE / 2], granted[LIST_SIZE / 2];
	if (cpuset_within(child, parent))
		return true;
	cpuset_format(child, asked, sizeof(asked));
	cpuset_format(parent, granted, sizeof(granted));
	return refusal_say(why, "cpuids: asked for %s, %s grants %s", asked, parent_name, granted);
}

/* Refuses a bridge that POLICY does not have. */
static bool bridge_absent(const char *name, const struct policy *policy, const char *parent_name,
			  struct refusal *why)
{
	char granted[LIST_SIZE];
	struct list list = {.out = granted, .size = sizeof(granted)};
	for (uint32_t i = 0; i < policy->nbridges && i < BRIDGES_MAX; i++)
		list_add(&list, policy->bridge[i].name);
	list_end(&list);
	return refusal_say(why, "bridge %s: asked for, %s grants %s", name, parent_name, granted);
}

/* What a bridge is, without its name: "internal", "10.0.0.2-10.0.0.5 router 10.0.0.1/24". */
static void bridge_describe(const struct bridge *bridge, char *out, size_t size)
{
	char first[ADDRESS_SIZE], last[ADDRESS_SIZE], router[ADDRESS_SIZE];
	if (!bridge->external) {
		(void)snprintf(out, size, "internal");
		return;
	}
	(void)inet_ntop(AF_INET, bridge->first, first, sizeof(first));
	(void)inet_ntop(AF_INET, bridge->last, last, sizeof(last));
	(void)inet_ntop(AF_INET, bridge->router, router, sizeof(router));
	(void)snprintf(out, size, "%s-%s router %s/%" PRIu32, first, last, router, bridge->prefix);
}

static bool bridge_within(const struct bridge *child, const struct bridge *parent)
{
	if (!child->external || !parent->external)
		return !child->external && !parent->external;
	return child->prefix == parent->prefix && memcmp(child->router, parent->router, 4) == 0 &&
	       memcmp(child->first, parent->first, 4) >= 0 &&
	       memcmp(child->first, child->last, 4) <= 0 &&
	       memcmp(child->last, parent->last, 4) <= 0;
}

static bool bridges_within(const struct policy *child, const struct policy *parent,
			   const char *parent_name, struct refusal *why)
{
	char asked[96], granted[96];
	for (uint32_t i = 0; i < child->nbridges; i++) {
		const struct bridge *bridge = &child->bridge[i];
		const struct bridge *found = policy_bridge(parent, bridge->name);
		if (!found)
			return bridge_absent(bridge->name, parent, parent_name, why);
		if (bridge_within(bridge, found))
			continue;
		bridge_describe(bridge, asked, sizeof(asked));
		bridge_describe(found, granted, sizeof(granted));
		return refusal_say(why, "bridge %s: asked for %s, %s grants %s", bridge->name,
				   asked, parent_name, granted);
	}
	return true;
}

bool policy_within(const struct policy *child, const struct policy *parent, const char *parent_name,
		   struct refusal *why)
{
	return number_within("vms", child->vms, parent->vms, "", parent_name, why) &&
	       number_within("memory", child->memory_mb, parent->memory_mb, " MB", parent_name,
			     why) &&
	       number_within("block", child->block_mb, parent->block_mb, " MB", parent_name, why) &&
	       cpus_within(&child->cpus, &parent->cpus, parent_name, why) &&
	       bridges_within(child, parent, parent_name, why);
}

bool policy_allows_vm(const struct vm_config *vm, const struct policy *parent,
		      const char *parent_name, struct refusal *why)
{
	char granted[LIST_SIZE];
	if (!cpuset_has(&parent->cpus, vm->cpuid)) {
		cpuset_format(&parent->cpus, granted, sizeof(granted));
		return refusal_say(why, "cpuid: asked for %" PRIu32 ", %s grants %s", vm->cpuid,
				   parent_name, granted);
	}
	if (vm->memory_mb == 0 || vm->memory_mb > VM_MEMORY_MAX_MB)
		return refusal_say(why, "memory: asked for %" PRIu32 " MB, a VM has 1 to %d MB",
				   vm->memory_mb, VM_MEMORY_MAX_MB);
	if (!number_within("memory", vm->memory_mb, parent->memory_mb, " MB", parent_name, why))
		return false;
	if (vm->nnets > DEVICES_MAX)
		return refusal_say(why,
				   "network: asked for %" PRIu32 " devices, a VM has at most %d",
				   vm->nnets, DEVICES_MAX);
	for (uint32_t i = 0; i < vm->nnets; i++)
		if (!policy_bridge(parent, vm->net[i].bridge))
			return bridge_absent(vm->net[i].bridge, parent, parent_name, why);
	return true;
}

/* USED + WANTED <= GRANTED, where the sum may not fit. */
static bool fits(uint64_t granted, uint64_t used, uint64_t wanted)
{
	return wanted <= granted && used <= granted - wanted;
}

bool quota_admits(const struct policy *granted, const struct usage *used,
		  const struct usage *wanted, const char *name, struct refusal *why)
{
	/* What is not asked for is not refused, even where a newer certificate grants less than is
	 * in use. */
	if (wanted->vms > 0 && !fits(granted->vms, used->vms, wanted->vms)) {
		if (wanted->vms == 1)
			return refusal_say(why, "%s has no room for another VM: it grants %" PRIu32,
					   name, granted->vms);
		return refusal_say(why, "%s has no room for %" PRIu32 " VMs: it grants %" PRIu32,
				   name, wanted->vms, granted->vms);
	}
	if (wanted->memory_mb > 0 && !fits(granted->memory_mb, used->memory_mb, wanted->memory_mb))
		return refusal_say(why,
				   "%s has no room for %" PRIu64 " MB: it grants %" PRIu32 " MB",
				   name, wanted->memory_mb, granted->memory_mb);
	if (wanted->block_mb > 0 && !fits(granted->block_mb, used->block_mb, wanted->block_mb))
		return refusal_say(why,
				   "%s has no room for %" PRIu64
				   " MB of block storage: it grants %" PRIu32 " MB",
				   name, wanted->block_mb, granted->block_mb);
	return true;
}
