/*
 * vmm_ca delegation and vmm_ca command: requests without an image.
 */
#include "ask.h"
#include "commands.h"
#include "content.h"

static bool delegation_content(const struct args *args, struct cert_content *out,
			       struct refusal *why)
{
	struct policy *policy = &out->policy;

	out->present = PRESENT(ARC_VERSION) | PRESENT(ARC_VMS) | PRESENT(ARC_MEMORY) |
		       PRESENT(ARC_CPUIDS);
	if (args->storage.given)
		out->present |= PRESENT(ARC_BLOCK);
	if (args->bridge.count > 0)
		out->present |= PRESENT(ARC_BRIDGES);
	policy->vms = args->vms.value;
	policy->memory_mb = args->memory.value;
	policy->block_mb = args->storage.value;
	return option_need(args->vms.given, "vms", why) &&
	       option_need(args->memory.given, "memory", why) &&
	       option_need(args->cpu.count > 0, "cpu", why) &&
	       cpus_parse(&args->cpu, &policy->cpus, why) &&
	       bridges_parse(&args->bridge, policy, why);
}

static int delegation_run(const struct args *args, struct refusal *why)
{
	struct cert_content content = {0};

	if (!delegation_content(args, &content, why))
		return EXIT_USAGE;
	return ask(args, args->rest.item[0], &content, SHAPE_DELEGATION, why);
}

static const struct option delegation_options[] = {
    NUMBER("vms", vms, "N", 0, POLICY_NUMBER_MAX, "how many VMs may run at once"),
    NUMBER("memory", memory, "MB", 0, POLICY_NUMBER_MAX, "how much memory they have together"),
    ITEMS("cpu", cpu, "ID", "a CPU they may be pinned to; several times for several"),
    NUMBER("block", storage, "MB", 0, POLICY_NUMBER_MAX, "how much storage volumes may take"),
    ITEMS("bridge", bridge, "BRIDGE",
	  "a bridge they may use: NAME, or NAME/FIRST/LAST/ROUTER/BITS"),
    ASK_OPTIONS,
    NUMBER("path-length", path_length, "N", 0, CERT_CHAIN_MAX,
	   "with --issuer: how many delegations may follow; default: any"),
    OPTIONS_END,
};

const struct command command_delegation = {
    .name = "delegation",
    .arguments = "NAME --vms N --memory MB --cpu ID... [--block MB] [--bridge BRIDGE]...",
    .summary = "ask for a delegation: resources to hand on",
    .text = "Writes NAME.key and NAME.req, with --issuer NAME.pem and NAME.bundle too.",
    .options = delegation_options,
    .rest_min = 1,
    .rest_max = 1,
    .run = delegation_run,
};

static int command_run(const struct args *args, struct refusal *why)
{
	struct cert_content content = {.present = PRESENT(ARC_VERSION) | PRESENT(ARC_PERMISSIONS)};

	if (!option_need(args->permission.count > 0, "permission", why) ||
	    !permissions_parse(&args->permission, &content.permissions, why))
		return EXIT_USAGE;
	return ask(args, args->rest.item[0], &content, SHAPE_COMMAND, why);
}

static const struct option command_options[] = {
    ITEMS("permission", permission, "P",
	  "all, info, image, block, statistics, console, log; several times for several"),
    ASK_OPTIONS,
    OPTIONS_END,
};

const struct command command_command = {
    .name = "command",
    .arguments = "NAME --permission P...",
    .summary = "ask for a command certificate: an interactive session",
    .text = "Writes NAME.key and NAME.req, with --issuer NAME.pem and NAME.bundle too.",
    .options = command_options,
    .rest_min = 1,
    .rest_max = 1,
    .run = command_run,
};
