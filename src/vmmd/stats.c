/* What vmm_stats is told of VMs (stats.h). */
#include "stats.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "process.h"
#include "roles.h"
#include "tap_rules.h"

static const char *const process_files[] = {"stat", "status", "io"};

#define PROCESS_FILES (sizeof(process_files) / sizeof(process_files[0]))
#define VM_FDS	      (PROCESS_FILES + 1) /* and the statistics page */

static bool runs(const struct vm *vm)
{
	return vm->record.state == VM_RUNNING || vm->record.state == VM_STOPPING;
}

/* What is to be read of VM; -1 for what is not there. */
static void open_vm(const struct vm *vm, int *fds)
{
	char path[64];

	for (size_t i = 0; i < PROCESS_FILES; i++) {
		snprintf(path, sizeof(path), "/proc/%u/%s", vm->record.pid, process_files[i]);
		fds[i] = open(path, O_RDONLY | O_CLOEXEC);
	}
	fds[PROCESS_FILES] = record_open_page(vm->dir_fd, O_RDONLY);
}

static void describe(const struct vm *vm, struct msg_stats_vm *out)
{
	const struct vm_record *r = &vm->record;

	memcpy(out->path_id, r->request.path_id, DIGEST_SIZE);
	out->path = vm->path;
	out->pid = r->pid;
	out->cpuid = r->request.vm.cpuid;
	out->memory_mb = r->request.vm.memory_mb;
	memcpy(out->target, r->target, sizeof(out->target));
	out->started_us = r->started_us;
	out->nblocks = r->request.vm.nblocks;
	out->ntaps = r->ntaps;
	memcpy(out->tap, r->tap, sizeof(out->tap));
}

static void tell_drops(const struct vm *vm)
{
	struct msg_stats_drops msg = {.ntaps = vm->record.ntaps};

	memcpy(msg.path_id, vm->record.request.path_id, DIGEST_SIZE);
	for (uint32_t k = 0; k < msg.ntaps; k++)
		msg.tap[k].frames = vm->dropped[k];
	roles_tell_stats(vm->daemon, MSG_STATS_DROPS, &msg, NULL);
}

static bool has_dropped(const struct vm *vm)
{
	for (uint32_t k = 0; k < vm->record.ntaps; k++)
		if (vm->dropped[k] > 0)
			return true;
	return false;
}

void stats_add(const struct vm *vm)
{
	static struct msg_stats_vm msg;
	int opened[VM_FDS], fds[VM_FDS];

	open_vm(vm, opened);
	for (size_t i = 0; i < VM_FDS; i++)
		fds[i] = opened[i] < 0 ? vm->daemon->null_fd : opened[i];
	describe(vm, &msg);
	/* As long as it has not ended its pid is nobody else's: what was opened is of it. */
	if (!process_ended(vm->pidfd) &&
	    roles_tell_stats(vm->daemon, MSG_STATS_ADD, &msg, fds) == 0 && has_dropped(vm))
		tell_drops(vm);
	for (size_t i = 0; i < VM_FDS; i++)
		if (opened[i] >= 0)
			close(opened[i]);
}

void stats_remove(const struct vm *vm)
{
	struct msg_stats_remove msg;

	memcpy(msg.path_id, vm->record.request.path_id, DIGEST_SIZE);
	roles_tell_stats(vm->daemon, MSG_STATS_REMOVE, &msg, NULL);
}

void stats_announce_all(struct daemon *d)
{
	for (const struct vm *vm = d->vms; vm; vm = vm->next)
		if (runs(vm))
			stats_add(vm);
}

/* One tap of a VM that runs, to be found by its name. */
struct tap_place {
	const char *name;
	struct vm *vm;
	uint32_t k;
};

struct tap_places {
	size_t n;
	struct tap_place *at;
};

static int by_name(const void *a, const void *b)
{
	const struct tap_place *one = a, *other = b;

	return strcmp(one->name, other->name);
}

/* Sorted by name; none without memory. */
static struct tap_places find_taps(const struct daemon *d)
{
	struct tap_places places = {0};
	size_t room = 0;

	for (const struct vm *vm = d->vms; vm; vm = vm->next)
		room += runs(vm) ? vm->record.ntaps : 0;
	places.at = room > 0 ? calloc(room, sizeof(*places.at)) : NULL;
	for (struct vm *vm = places.at ? d->vms : NULL; vm; vm = vm->next)
		for (uint32_t k = 0; runs(vm) && k < vm->record.ntaps; k++)
			places.at[places.n++] = (struct tap_place){vm->record.tap[k].name, vm, k};
	if (places.n > 0)
		qsort(places.at, places.n, sizeof(*places.at), by_name);
	return places;
}

/* Never less than before, whoever counts. */
static void note_drops(void *arg, const char *tap, uint64_t frames)
{
	const struct tap_places *places = arg;
	const struct tap_place wanted = {.name = tap};
	const struct tap_place *found = bsearch(&wanted, places->at, places->n, sizeof(wanted),
						by_name);

	if (found == NULL || frames <= found->vm->dropped[found->k])
		return;
	found->vm->dropped[found->k] = frames;
	found->vm->dropped_more = true;
}

static void look_at_drops(struct daemon *d)
{
	struct tap_places places = find_taps(d);
	int error = places.n > 0 ? tap_rules_drops(note_drops, &places) : 0;

	free(places.at);
	if (error < 0 && error != d->drops_error)
		log_warning("what the rules of taps dropped cannot be read: %s", strerror(-error));
	d->drops_error = error;
	for (struct vm *vm = d->vms; vm; vm = vm->next) {
		if (vm->dropped_more)
			tell_drops(vm);
		vm->dropped_more = false;
	}
}

static void on_interval(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	look_at_drops(arg);
}

void stats_open(struct daemon *d)
{
	const struct timeval interval = {.tv_sec = d->options->stats_interval};
	struct event *event;

	if (d->no_taps.text[0])
		return;
	event = event_new(d->base, -1, EV_PERSIST, on_interval, d);
	if (event == NULL || event_add(event, &interval) < 0)
		log_fatal("out of memory");
	look_at_drops(d);
}
