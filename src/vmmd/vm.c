/* The list of VMs and what can be asked of it. */
#include "vm.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "roles.h"
#include "volume.h"
#include "volumes.h"

struct vm *vm_new(struct daemon *d, const struct request *request)
{
	struct vm *vm = calloc(1, sizeof(*vm)), **end = &d->vms;

	if (vm == NULL)
		return NULL;
	vm->daemon = d;
	vm->record.format = RECORD_FORMAT;
	memcpy(vm->record.boot_id, d->boot_id, sizeof(d->boot_id));
	vm->record.request = *request;
	vm->record.state = VM_STARTING;
	request_path(request, &vm->path);
	path_format(&vm->path, 0, vm->name);
	vm->dir_fd = vm->fifo_fd = vm->pidfd = vm->status_fd = -1;
	vm->go_fd = vm->note_fd = -1;
	while (*end)
		end = &(*end)->next;
	*end = vm;
	return vm;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void free_event(struct event **event)
{
	if (*event)
		event_free(*event);
	*event = NULL;
}

struct vm *vm_successor(const struct vm *vm)
{
	for (struct vm *v = vm->daemon->vms; v; v = v->next)
		if (v->replaced == vm)
			return v;
	return NULL;
}

void vm_free(struct vm *vm)
{
	struct vm **at = &vm->daemon->vms, *next = vm_successor(vm);

	while (*at && *at != vm)
		at = &(*at)->next;
	if (*at)
		*at = vm->next;
	if (vm->replaced)
		vm->replaced->yields = false;
	if (next)
		next->replaced = NULL;
	free_event(&vm->exited);
	free_event(&vm->status);
	free_event(&vm->timer);
	close_fd(&vm->dir_fd);
	close_fd(&vm->fifo_fd);
	close_fd(&vm->pidfd);
	close_fd(&vm->status_fd);
	close_fd(&vm->go_fd);
	close_fd(&vm->note_fd);
	waiters_free(&vm->starting);
	waiters_free(&vm->stopping);
	free(vm);
}

bool vm_is_live(const struct vm *vm)
{
	return vm->record.state != VM_ENDED;
}

static struct vm *find(const struct daemon *d, const uint8_t *path_id, bool live)
{
	for (struct vm *vm = d->vms; vm; vm = vm->next)
		if (vm_is_live(vm) == live &&
		    memcmp(vm->record.request.path_id, path_id, DIGEST_SIZE) == 0)
			return vm;
	return NULL;
}

struct vm *vm_find_live(const struct daemon *d, const uint8_t *path_id)
{
	return find(d, path_id, true);
}

struct vm *vm_find_ended(const struct daemon *d, const uint8_t *path_id)
{
	return find(d, path_id, false);
}

bool vm_is_shown(const struct vm *vm)
{
	const struct vm *live = vm_find_live(vm->daemon, vm->record.request.path_id);

	return live == NULL || live == vm;
}

bool vm_is_beside(const struct vm *vm)
{
	return vm->replaced && vm_is_live(vm->replaced);
}

int vm_store(const struct vm *vm)
{
	return record_write(vm->dir_fd, vm_is_beside(vm) ? RECORD_NEXT : RECORD_NAME, &vm->record);
}

void vm_save(const struct vm *vm)
{
	int error = vm_store(vm);

	if (error < 0)
		log_error("%s: its record is not up to date, a restart of vmmd would not know: %s",
			  vm->name, strerror(-error));
}

/* What its path holds, whether VM's own memory is the larger or that of the one it replaces. */
static uint32_t memory_held(const struct vm *vm)
{
	uint32_t own = vm->record.request.vm.memory_mb, old = 0;

	if (vm_is_beside(vm))
		old = vm->replaced->record.request.vm.memory_mb;
	return own > old ? own : old;
}

struct usage vm_usage(const struct daemon *d, const struct path *path)
{
	struct usage sum = {0};

	for (const struct vm *vm = d->vms; vm; vm = vm->next) {
		if (!vm_is_live(vm) || vm->yields || !path_within(&vm->path, path))
			continue;
		sum.vms++;
		sum.memory_mb += memory_held(vm);
	}
	sum.block_mb = volumes_used_mb(d, path);
	return sum;
}

void vm_note_digest(struct daemon *d, uint64_t session, const uint8_t *sha256)
{
	for (struct vm *vm = d->vms; vm; vm = vm->next) {
		if (vm->session != session || vm->record.digest_known)
			continue;
		memcpy(vm->record.sha256, sha256, DIGEST_SIZE);
		vm->record.digest_known = 1;
		if (vm->dir_fd >= 0)
			vm_save(vm);
	}
}

static unsigned more_digits(unsigned digits, const struct label *a, const struct label *b)
{
	unsigned n = label_equal(a, b) ? 0 : label_digits_between(a, b);

	return n > digits ? n : digits;
}

/* Digits that tell PATH's node at LEVEL from every sibling that is known, by a VM, a volume or by
 * itself. */
static unsigned digits_needed(const struct daemon *d, const struct path *path, unsigned level)
{
	const struct label *label = &path->node[level].label;
	const struct tree_node *known;
	const struct place *place = NULL;
	struct path parent = *path;
	unsigned digits = LABEL_DIGITS_MIN;

	parent.depth = level;
	for (const struct vm *vm = d->vms; vm; vm = vm->next)
		if (vm->path.depth > level && path_within(&vm->path, &parent))
			digits = more_digits(digits, &vm->path.node[level].label, label);
	while ((place = place_next(d, place)) != NULL)
		if (place->path.depth > level && path_within(&place->path, &parent))
			digits = more_digits(digits, &place->path.node[level].label, label);
	known = tree_find(&d->tree, &parent);
	for (known = known ? known->children : NULL; known; known = known->next)
		digits = more_digits(digits, &known->node.label, label);
	return digits;
}

void vm_label_path(const struct daemon *d, const struct path *path, unsigned skip, char *out)
{
	*out = 0;
	for (unsigned level = skip; level < path->depth; level++) {
		if (level > skip)
			*out++ = '.';
		label_format(&path->node[level].label, digits_needed(d, path, level), out);
		out += strlen(out);
	}
}

void vm_describe(const struct vm *vm, unsigned skip, struct msg_reply_vm *out)
{
	const struct vm_record *r = &vm->record;
	const struct vm_config *config = &r->request.vm;

	memset(out, 0, sizeof(*out));
	path_format(&vm->path, skip, out->path);
	vm_label_path(vm->daemon, &vm->path, skip, out->label);
	out->state = r->state;
	out->pid = r->state == VM_ENDED ? 0 : r->pid;
	out->cpuid = config->cpuid;
	out->memory_mb = config->memory_mb;
	out->started_us = r->started_us;
	out->ended_us = r->ended_us;
	out->end = r->end;
	out->end_value = r->end_value;
	out->cause = r->cause;
	out->digest_known = r->digest_known;
	memcpy(out->sha256, r->sha256, DIGEST_SIZE);
	out->image_size = config->image.size;
	memcpy(out->target, r->target, sizeof(out->target));
	out->argv = config->argv;
	out->command = r->command;
	/* Its taps went with it, and its addresses may be another one's. */
	out->ntaps = vm_is_live(vm) ? r->ntaps : 0;
	memcpy(out->tap, r->tap, sizeof(out->tap));
	out->nvolumes = config->nblocks;
	memcpy(out->volume, config->block, sizeof(out->volume));
}

static bool same_top(const struct vm *a, const struct vm *b)
{
	return label_equal(&a->path.node[0].label, &b->path.node[0].label);
}

void vm_trim_ended(struct vm *vm)
{
	struct daemon *d = vm->daemon;

	for (;;) {
		struct vm *oldest = NULL;
		unsigned n = 0;

		for (struct vm *v = d->vms; v; v = v->next) {
			if (vm_is_live(v) || !same_top(v, vm))
				continue;
			n++;
			if (oldest == NULL || v->record.ended_us < oldest->record.ended_us)
				oldest = v;
		}
		if (n <= ENDED_KEPT)
			return;
		vm_forget(oldest);
	}
}

void vm_forget(struct vm *vm)
{
	struct daemon *d = vm->daemon;
	struct msg_console_drop drop;
	const uint8_t *path_id = vm->record.request.path_id;

	/* A VM that starts on the same path keeps the directory and the console. */
	if (vm_find_live(d, path_id) == NULL) {
		memcpy(drop.path_id, path_id, DIGEST_SIZE);
		roles_tell_console(d, MSG_CONSOLE_DROP, &drop, NULL);
		record_remove_dir(d, path_id);
	}
	vm_free(vm);
}

void waiter_add(struct waiter **list, uint64_t session, uint32_t id)
{
	struct waiter *w = malloc(sizeof(*w));

	/* Without memory the answer is lost, not the work. */
	if (w == NULL)
		return;
	*w = (struct waiter){.next = *list, .session = session, .id = id};
	*list = w;
}

void waiters_free(struct waiter **list)
{
	while (*list) {
		struct waiter *w = *list;

		*list = w->next;
		free(w);
	}
}
