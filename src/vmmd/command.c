/* Options for the descriptors, in their order; see doc/monitor.md. */
#include "command.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "taps.h"

static bool add(struct strings *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool add(struct strings *command, const char *format, ...)
{
	char option[128];
	va_list args;

	va_start(args, format);
	vsnprintf(option, sizeof(option), format, args);
	va_end(args);
	return strings_add(command, option) == 0;
}

/* "--net=@7", or "--net:service=@7" when the device's name is known. */
static bool add_device(struct strings *command, const char *option, const char *name, unsigned fd)
{
	return add(command, "--%s%s%s=@%u", option, *name ? ":" : "", name, fd);
}

static bool add_options(const struct vm *vm, struct strings *command)
{
	const struct vm_record *r = &vm->record;
	const struct vm_config *config = &r->request.vm;
	unsigned fd = COMMAND_DEVICE_FD;
	bool fits = true;

	add(command, "vmm_monitor");
	add(command, "--mem=%u", config->memory_mb);
	add(command, "--image=@%d:%llu:%llu", COMMAND_IMAGE_FD,
	    (unsigned long long)config->image.offset, (unsigned long long)config->image.size);
	add(command, "--status=@%d", COMMAND_STATUS_FD);
	/* Beyond what Solo5's tender does: no image that it ran well executes data. */
	add(command, "--nx");
	if (vm->kvm)
		add(command, "--kvm=@%d", COMMAND_KVM_FD);
	if (vm->replaces)
		add(command, "--go=@%d", COMMAND_GO_FD);
	add(command, "--stats=@%d", COMMAND_STATS_FD);
	for (uint32_t k = 0; k < r->ntaps; k++)
		fits = add_device(command, "net", r->tap[k].device, fd++) && fits;
	for (uint32_t k = 0; k < config->nblocks; k++)
		fits = add_device(command, "block", config->block[k].device, fd++) && fits;
	return add(command, "--") && fits;
}

bool command_make(struct vm *vm, struct refusal *why)
{
	static struct strings guest;
	struct token_net net[DEVICES_MAX];
	struct strings *command = &vm->record.command;
	const char *arg = NULL;
	bool fits;

	if (!taps_tokens(vm, net))
		return refusal_say(why, "a bridge of it is no longer granted");
	command->count = command->size = 0;
	fits = tokens_expand(&vm->record.request.vm, net, &guest) && add_options(vm, command);
	while (fits && (arg = strings_next(&guest, arg)) != NULL)
		fits = strings_add(command, arg) == 0;
	return fits ||
	       refusal_say(why, "argv: too long beside the monitor's own options; without devices "
				"8000 bytes in 1000 arguments fit");
}

void command_argv(struct strings *command, char **argv)
{
	char *at = command->bytes;

	for (uint32_t i = 0; i < command->count; i++) {
		*argv++ = at;
		at += strlen(at) + 1;
	}
	*argv = NULL;
}

const char *command_guest(const struct strings *command)
{
	const char *word = NULL;

	while ((word = strings_next(command, word)) != NULL)
		if (strcmp(word, "--") == 0)
			return strings_next(command, word);
	return NULL;
}
