/*
 * Bridges of a policy: how one is written, what makes sense, the sorted list of them. Declared in
 * policy.h; whether one lies within another is policy.c's. Pure.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "policy.h"

#define BRIDGE_TEXT_MAX 96

/*
 * Narrower than what the kernel takes: no '%' (a pattern when an interface is made), no ':' and ','
 * (they separate in certificates), nothing that reads as an option or a path.
 */
static bool bridge_name_valid(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.";
	size_t len = strnlen(name, BRIDGE_NAME_SIZE);
	return len > 0 && len < BRIDGE_NAME_SIZE && name[0] != '-' && name[0] != '.' &&
	       strspn(name, allowed) == len;
}

static uint32_t address_value(const uint8_t address[4])
{
	return (uint32_t)address[0] << 24 | (uint32_t)address[1] << 16 | (uint32_t)address[2] << 8 |
	       address[3];
}

/* An internal bridge has no addresses. */
static bool bridge_all_zero(const struct bridge *bridge)
{
	static const uint8_t zero[4];
	return memcmp(bridge->first, zero, 4) == 0 && memcmp(bridge->last, zero, 4) == 0 &&
	       memcmp(bridge->router, zero, 4) == 0 && bridge->prefix == 0;
}

static bool bridge_check_addresses(const struct bridge *bridge, struct refusal *why)
{
	uint32_t first = address_value(bridge->first), last = address_value(bridge->last);
	uint32_t router = address_value(bridge->router);
	if (bridge->prefix < 1 || bridge->prefix > 32)
		return refusal_say(why, "bridge %s: netmask %" PRIu32 " is not 1 to 32",
				   bridge->name, bridge->prefix);
	if (first > last)
		return refusal_say(why, "bridge %s: its first address is above its last",
				   bridge->name);
	uint32_t mask = UINT32_MAX << (32 - bridge->prefix);
	if ((first & mask) != (router & mask) || (last & mask) != (router & mask))
		return refusal_say(why,
				   "bridge %s: its addresses are not all in its router's network",
				   bridge->name);
	return true;
}

bool bridge_check(const struct bridge *bridge, struct refusal *why)
{
	if (!bridge_name_valid(bridge->name))
		return refusal_say(why, "bridge name: 1 to 15 letters, digits, '-', '_', '.', "
					"not starting with '-' or '.'");
	if (bridge->external > 1)
		return refusal_say(why, "bridge %s: neither internal nor external", bridge->name);
	if (bridge->external)
		return bridge_check_addresses(bridge, why);
	if (!bridge_all_zero(bridge))
		return refusal_say(why, "bridge %s: internal, but with addresses", bridge->name);
	return true;
}

/* 1 to 32, one way to write each. */
static bool prefix_parse(const char *text, uint32_t *out)
{
	size_t len = strlen(text);
	if (len < 1 || len > 2 || strspn(text, "0123456789") != len || text[0] == '0')
		return false;
	*out = (uint32_t)(text[0] - '0');
	if (len == 2)
		*out = *out * 10 + (uint32_t)(text[1] - '0');
	return *out <= 32;
}

bool bridge_parse(const char *text, struct bridge *out, struct refusal *why)
{
	static const char shape[] = "a bridge is NAME or NAME/FIRST/LAST/ROUTER/BITS";
	char copy[BRIDGE_TEXT_MAX];
	char *part[5], *rest = copy;
	unsigned n = 0;

	*out = (struct bridge){0};
	if (strlen(text) >= sizeof(copy))
		return refusal_say(why, "%s: this one is too long", shape);
	memcpy(copy, text, strlen(text) + 1);
	while (rest && n < 5)
		part[n++] = strsep(&rest, "/");
	if (rest || (n != 1 && n != 5))
		return refusal_say(why, "bridge '%s': %s", text, shape);
	if (strlen(part[0]) < sizeof(out->name))
		memcpy(out->name, part[0], strlen(part[0]) + 1);
	if (n == 5) {
		out->external = 1;
		for (unsigned i = 1; i < 4; i++) {
			uint8_t *to = i == 1 ? out->first : i == 2 ? out->last : out->router;
			if (inet_pton(AF_INET, part[i], to) != 1)
				return refusal_say(why, "bridge %s: '%s' is not an IPv4 address",
						   part[0], part[i]);
		}
		if (!prefix_parse(part[4], &out->prefix))
			return refusal_say(why, "bridge %s: netmask '%s' is not 1 to 32", part[0],
					   part[4]);
	}
	return bridge_check(out, why);
}

void bridge_format(const struct bridge *bridge, char *out, size_t size)
{
	char first[INET_ADDRSTRLEN], last[INET_ADDRSTRLEN], router[INET_ADDRSTRLEN];
	if (!bridge->external) {
		(void)snprintf(out, size, "%s", bridge->name);
		return;
	}
	(void)inet_ntop(AF_INET, bridge->first, first, sizeof(first));
	(void)inet_ntop(AF_INET, bridge->last, last, sizeof(last));
	(void)inet_ntop(AF_INET, bridge->router, router, sizeof(router));
	(void)snprintf(out, size, "%s/%s/%s/%s/%" PRIu32, bridge->name, first, last, router,
		       bridge->prefix);
}

bool policy_add_bridge(struct policy *policy, const struct bridge *bridge, struct refusal *why)
{
	uint32_t at = 0;
	if (policy_bridge(policy, bridge->name))
		return refusal_say(why, "bridge %s: named twice", bridge->name);
	if (policy->nbridges >= BRIDGES_MAX)
		return refusal_say(why, "bridges: more than %d", BRIDGES_MAX);
	while (at < policy->nbridges && strcmp(policy->bridge[at].name, bridge->name) < 0)
		at++;
	memmove(&policy->bridge[at + 1], &policy->bridge[at],
		(policy->nbridges - at) * sizeof(policy->bridge[0]));
	policy->bridge[at] = *bridge;
	policy->nbridges++;
	return true;
}

const struct bridge *policy_bridge(const struct policy *policy, const char *name)
{
	for (uint32_t i = 0; i < policy->nbridges && i < BRIDGES_MAX; i++)
		if (strcmp(policy->bridge[i].name, name) == 0)
			return &policy->bridge[i];
	return NULL;
}
