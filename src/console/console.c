/*
 * The VMs by path, and what vmmd says about them. Does not read a FIFO or write to a reader itself.
 */
#include "console.h"

#include <errno.h>
#include <string.h>

#include "log.h"

/* Where the VM on the path with this id is, or would be. An id is a digest: any bytes of it will
 * do. */
static struct vm **console_find(struct console *console, const uint8_t *path_id)
{
	uint32_t hash;
	memcpy(&hash, path_id, sizeof(hash));
	struct vm **link = &console->bucket[hash % CONSOLE_BUCKETS];
	while (*link && memcmp((*link)->path_id, path_id, DIGEST_SIZE) != 0)
		link = &(*link)->next;
	return link;
}

static void console_drop(struct console *console, const uint8_t *path_id)
{
	struct vm **link = console_find(console, path_id);
	struct vm *vm = *link;
	if (!vm)
		return;
	*link = vm->next;
	vm_free(vm);
}

static void console_add(struct console *console, struct incoming *in)
{
	const struct msg_console_vm *body = &in->body.console_vm;
	struct vm **link = console_find(console, body->path_id);
	int error = -ENOMEM;
	if (!*link)
		*link = vm_new(console->base, body->path_id);
	if (*link) {
		int fifo = channel_take(in, 0), ring = channel_take(in, 1),
		    page = channel_take(in, 2);
		error = vm_run(*link, fifo, ring, page, body->redeployed != 0);
	}
	if (error < 0) {
		log_error("console %s: cannot be read: %s", *link ? (*link)->id : "",
			  strerror(-error));
		console_drop(console, body->path_id);
	}
}

static void console_ended(struct console *console, const struct msg_console_ended *body)
{
	struct vm *vm = *console_find(console, body->path_id);
	if (vm)
		vm_end(vm, body->end, body->end_value);
}

/* Of a VM that is not known nothing can be said: its reader's socket ends. */
static void console_read(struct console *console, struct incoming *in)
{
	const struct msg_console_read *body = &in->body.console_read;
	struct vm *vm = *console_find(console, body->path_id);
	if (vm)
		reader_start(vm, channel_take(in, 0), body);
}

static void console_handle(void *owner, struct incoming *in)
{
	struct console *console = owner;
	switch (in->type) {
	case MSG_CONSOLE_ADD:
		console_add(console, in);
		break;
	case MSG_CONSOLE_ENDED:
		console_ended(console, &in->body.console_ended);
		break;
	case MSG_CONSOLE_DROP:
		console_drop(console, in->body.console_drop.path_id);
		break;
	case MSG_CONSOLE_READ:
		console_read(console, in);
		break;
	}
}

bool console_needed(const struct console *console)
{
	if (console->up.readable)
		return true;
	for (unsigned i = 0; i < CONSOLE_BUCKETS; i++)
		for (const struct vm *vm = console->bucket[i]; vm; vm = vm->next)
			if (vm->readable)
				return true;
	return false;
}

int console_start(struct console *console, struct event_base *base, const struct channel *up)
{
	*console = (struct console){
	    .base = base, .up = {.message = console_handle, .outlived = true, .owner = console}};
	return upward_open(&console->up, base, up);
}

void console_stop(struct console *console)
{
	for (unsigned i = 0; i < CONSOLE_BUCKETS; i++)
		while (console->bucket[i])
			console_drop(console, console->bucket[i]->path_id);
	upward_close(&console->up);
}
