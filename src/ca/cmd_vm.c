/*
 * vmm_ca vm: a request that carries an image.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "ask.h"
#include "commands.h"
#include "content.h"
#include "files.h"
#include "manifest.h"

/* Less than this is never left for the rest of a chain's smallest message. */
#define CERTIFICATE_MIN 512
#define IMAGE_MAX	(CERT_MESSAGE_MAX - CERTIFICATE_MIN)
/* More is not even read, to say how large it is. */
#define IMAGE_READ_MAX (256u << 20)

static bool vm_options(const struct args *args, struct cert_content *out, struct refusal *why)
{
	struct vm_config *vm = &out->vm;
	uint32_t cpu = 0;

	if (args->compress || args->detached)
		return refusal_say(why,
				   "--%s is not in this version: images are embedded as they "
				   "are, up to 16 MB",
				   args->compress ? "compress" : "detached");
	if (!option_need(args->memory.given, "memory", why) ||
	    !option_need(args->cpu.count > 0, "cpu", why))
		return false;
	if (args->cpu.count > 1)
		return refusal_say(why, "--cpu is given %zu times, a VM has one", args->cpu.count);
	if (!number_parse("--cpu", args->cpu.item[0], 0, CPUS_MAX - 1, &cpu, why))
		return false;
	vm->cpuid = cpu;
	vm->memory_mb = args->memory.value;
	return nets_parse(&args->net, vm, why) && blocks_parse(&args->block, vm, why) &&
	       argv_parse(&args->arg, &vm->argv, why);
}

static void vm_present(const struct args *args, struct cert_content *out)
{
	out->present = PRESENT(ARC_VERSION) | PRESENT(ARC_MEMORY) | PRESENT(ARC_CPUID) |
		       PRESENT(ARC_IMAGE) | PRESENT(ARC_PERMISSIONS);
	if (args->net.count > 0)
		out->present |= PRESENT(ARC_NETWORK);
	if (args->block.count > 0)
		out->present |= PRESENT(ARC_BLOCK_DEVICE);
	if (args->arg.count > 0)
		out->present |= PRESENT(ARC_ARGV);
	out->permissions = args->force ? PERMIT_FORCE_CREATE : PERMIT_IMAGE;
}

/* The image in FILE, read from PATH, into OUT. */
static bool vm_image(const char *path, const struct blob *file, struct cert_content *out,
		     struct refusal *why)
{
	struct elf_image elf;
	char problem[ELF_WHY_SIZE];

	if (file->size > IMAGE_MAX)
		return refusal_say(why,
				   "image: %.200s has %zu bytes, a certificate carries at most %u",
				   path, file->size, IMAGE_MAX);
	if (!elf_read(file->data, file->size, &elf, problem) ||
	    !elf_runs_on(&elf, elf.machine, problem))
		return refusal_say(why, "image: %.200s: %s", path, problem);
	if (!elf_fits(&elf, (uint64_t)out->vm.memory_mb << 20, problem))
		return refusal_say(why, "memory: %.200s %s", path, problem);
	out->image = file->data;
	out->vm.image = (struct image){
	    .form = IMAGE_EMBEDDED,
	    .arch = elf.machine == MACHINE_AARCH64 ? ARCH_ARM64 : ARCH_AMD64,
	    .size = file->size,
	    .inflated = file->size,
	};
	return manifest_check(&elf, &out->vm, why);
}

static int vm_run(const struct args *args, struct refusal *why)
{
	struct cert_content content = {0};
	const char *path = args->rest.item[1];
	int status = EXIT_REFUSED;
	struct blob file;

	vm_present(args, &content);
	if (!vm_options(args, &content, why))
		return EXIT_USAGE;
	if (file_read(path, IMAGE_READ_MAX, &file, why) && vm_image(path, &file, &content, why))
		status = ask(args, args->rest.item[0], &content, SHAPE_VM, why);
	free(file.data);
	return status;
}

static const struct option vm_command_options[] = {
    NUMBER("memory", memory, "MB", 0, POLICY_NUMBER_MAX, "its memory, 1 to 4095"),
    ITEMS("cpu", cpu, "ID", "the CPU that it is pinned to"),
    ITEMS("net", net, "[DEVICE:]BRIDGE", "a network device and its bridge"),
    ITEMS("block", block, "[DEVICE:]VOLUME", "a block device and its volume"),
    ITEMS("arg", arg, "ARG", "an argument for the image; several times for several"),
    FLAG("force", force, "may replace a running VM of the same name"),
    FLAG("compress", compress, NULL),
    FLAG("detached", detached, NULL),
    ASK_OPTIONS,
    OPTIONS_END,
};

const struct command command_vm = {
    .name = "vm",
    .arguments = "NAME IMAGE --memory MB --cpu ID [--net [DEVICE:]BRIDGE]...\n"
		 "                 [--block [DEVICE:]VOLUME]... [--arg ARG]... [--force]",
    .summary = "ask for a VM certificate: an image and what it runs with",
    .text = "Writes NAME.key and NAME.req, with --issuer NAME.pem and NAME.bundle too.\n"
	    "An image that could not be started is refused. Devices without a name take the\n"
	    "image's in the order of its manifest.",
    .options = vm_command_options,
    .rest_min = 2,
    .rest_max = 2,
    .run = vm_run,
};
