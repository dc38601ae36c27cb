/*
 * Granting less than is asked, see lower.h.
 */
#include "lower.h"

#include <string.h>

#include "content.h"
#include "describe.h"

static bool number_lower(const char *field, const char *unit, const struct number *given,
			 uint32_t *asked, struct refusal *why)
{
	if (!given->given)
		return true;
	if (given->value > *asked)
		return refusal_say(why, "%s: %u%s is given, the request asks for %u%s", field,
				   given->value, unit, *asked, unit);
	*asked = given->value;
	return true;
}

static bool cpus_lower(const struct items *given, struct cpuset *asked, struct refusal *why)
{
	struct cpuset cpus = {{0}};
	char more[128], less[128];

	if (given->count == 0)
		return true;
	if (!cpus_parse(given, &cpus, why))
		return false;
	for (size_t i = 0; i < sizeof(cpus.bits); i++) {
		if ((cpus.bits[i] & ~asked->bits[i]) == 0)
			continue;
		cpuset_format(&cpus, more, sizeof(more));
		cpuset_format(asked, less, sizeof(less));
		return refusal_say(why, "cpuids: %s is given, the request asks for %s", more, less);
	}
	*asked = cpus;
	return true;
}

static bool bridges_lower(const struct items *given, struct policy *asked, struct refusal *why)
{
	struct policy lower = *asked;
	struct refusal what;

	if (given->count == 0)
		return true;
	lower.nbridges = 0;
	memset(lower.bridge, 0, sizeof(lower.bridge));
	if (!bridges_parse(given, &lower, why))
		return false;
	if (!policy_within(&lower, asked, "the request", &what))
		return refusal_say(why, "--bridge may only narrow: %.400s", what.text);
	*asked = lower;
	return true;
}

/* Whether the options given are ones that SHAPE has something for. */
static bool options_fit(const struct args *args, enum cert_shape shape, struct refusal *why)
{
	const struct {
		const char *name;
		bool given, in_vm;
	} options[] = {
	    {"vms", args->vms.given, false},	       {"memory", args->memory.given, true},
	    {"cpu", args->cpu.count > 0, false},       {"block", args->storage.given, false},
	    {"bridge", args->bridge.count > 0, false},
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (options[i].given && shape != SHAPE_DELEGATION &&
		    !(shape == SHAPE_VM && options[i].in_vm))
			return refusal_say(why,
					   "--%s: the request is for %s, which has none to lower",
					   options[i].name, shape_words(shape));
	return true;
}

bool content_lower(const struct args *args, enum cert_shape shape, struct cert_content *content,
		   struct refusal *why)
{
	struct policy *policy = &content->policy;

	/* Memory is in both places, see cert.h. */
	if (!options_fit(args, shape, why) ||
	    !number_lower("vms", "", &args->vms, &policy->vms, why) ||
	    !number_lower("memory", " MB", &args->memory, &policy->memory_mb, why) ||
	    !number_lower("block", " MB", &args->storage, &policy->block_mb, why) ||
	    !cpus_lower(&args->cpu, &policy->cpus, why) ||
	    !bridges_lower(&args->bridge, policy, why))
		return false;
	content->vm.memory_mb = policy->memory_mb;
	return true;
}
