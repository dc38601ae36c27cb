/* The VMs there are. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stats.h"

/* A path's id is a hash already. */
static unsigned bucket_of_path(const uint8_t path_id[DIGEST_SIZE])
{
	uint32_t word;

	memcpy(&word, path_id, sizeof(word));
	return word % TABLE_BUCKETS;
}

/* FNV-1a: vmmd makes the names, nobody else chooses them. */
static unsigned bucket_of_name(const char *name)
{
	uint32_t hash = 2166136261u;

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619u;
	return hash % TABLE_BUCKETS;
}

static const char *tap_name(const struct tap *tap)
{
	return tap->vm->is.tap[tap - tap->vm->tap].name;
}

struct vm *table_find(const struct table *table, const uint8_t path_id[DIGEST_SIZE])
{
	struct vm *vm = table->vms[bucket_of_path(path_id)];

	while (vm && memcmp(vm->is.path_id, path_id, DIGEST_SIZE) != 0)
		vm = vm->next;
	return vm;
}

struct tap *table_find_tap(const struct table *table, const char *name)
{
	struct tap *tap = table->taps[bucket_of_name(name)];

	while (tap && strcmp(tap_name(tap), name) != 0)
		tap = tap->next;
	return tap;
}

static void taps_add(struct table *table, struct vm *vm)
{
	for (unsigned i = 0; i < vm->is.ntaps; i++) {
		struct tap **bucket = &table->taps[bucket_of_name(vm->is.tap[i].name)];

		vm->tap[i] = (struct tap){.next = *bucket, .vm = vm};
		*bucket = &vm->tap[i];
	}
}

static void taps_remove(struct table *table, struct vm *vm)
{
	for (unsigned i = 0; i < vm->is.ntaps; i++) {
		struct tap **link = &table->taps[bucket_of_name(vm->is.tap[i].name)];

		while (*link != &vm->tap[i])
			link = &(*link)->next;
		*link = vm->tap[i].next;
	}
}

/* What was known of whoever ran at this path before is forgotten; VM's place in the lists stays. */
static void vm_settle(struct table *table, struct vm *vm, const struct msg_stats_vm *is,
		      const int fd[VM_FILES])
{
	const struct vm place = {
	    .next = vm->next, .before = vm->before, .after = vm->after, .number = vm->number};

	*vm = place;
	vm->is = *is;
	memcpy(vm->fd, fd, sizeof(vm->fd));
	taps_add(table, vm);
}

static void vm_clear(struct table *table, struct vm *vm)
{
	taps_remove(table, vm);
	for (unsigned i = 0; i < VM_FILES; i++)
		close(vm->fd[i]);
}

static struct vm *vm_new(struct table *table, const uint8_t path_id[DIGEST_SIZE])
{
	struct vm **bucket = &table->vms[bucket_of_path(path_id)];
	struct vm *vm = calloc(1, sizeof(*vm));

	if (vm == NULL)
		return NULL;
	vm->number = ++table->numbers;
	vm->next = *bucket;
	*bucket = vm;
	vm->before = table->last;
	*(table->last ? &table->last->after : &table->first) = vm;
	table->last = vm;
	return vm;
}

struct vm *table_add(struct table *table, const struct msg_stats_vm *is, const int fd[VM_FILES])
{
	struct vm *vm = table_find(table, is->path_id);

	if (vm)
		vm_clear(table, vm);
	else
		vm = vm_new(table, is->path_id);
	if (vm)
		vm_settle(table, vm, is, fd);
	else
		for (unsigned i = 0; i < VM_FILES; i++)
			close(fd[i]);
	return vm;
}

void table_remove(struct table *table, struct vm *vm)
{
	struct vm **link = &table->vms[bucket_of_path(vm->is.path_id)];

	vm_clear(table, vm);
	while (*link != vm)
		link = &(*link)->next;
	*link = vm->next;
	*(vm->before ? &vm->before->after : &table->first) = vm->after;
	*(vm->after ? &vm->after->before : &table->last) = vm->before;
	free(vm);
}
