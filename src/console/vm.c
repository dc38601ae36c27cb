/*
 * One VM: bytes go from its FIFO into its ring and nowhere else. Never waits, keeps no more than
 * the ring, whatever the guest prints.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "console.h"
#include "log.h"

/* Bytes left in the FIFO of a VM that ended: more than any FIFO holds, so that draining one ends.
 */
#define DRAIN_MAX (4 * 1024 * 1024)

static int64_t now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Sees to it that what the ring touches next has memory behind it. 0 or -errno. */
static int vm_reserve(struct vm *vm)
{
	int error = region_reserve(&vm->region, 1);
	size_t reach;

	/* How far the ring reaches says the ring itself, and that may lead on. */
	while (error == 0 && (reach = ring_reach(vm->region.base)) > vm->region.reserved)
		error = region_reserve(&vm->region, reach);
	return error;
}

/* Goes on in memory where the file cannot grow: nothing is lost but what a crash would lose. */
static int vm_leave_file(struct vm *vm)
{
	int error = region_leave_file(&vm->region);
	if (error < 0)
		return error;
	(void)ring_attach(&vm->ring, vm->region.base, now_us());
	return 0;
}

static uint8_t *vm_space(struct vm *vm, size_t *size)
{
	int error = vm_reserve(vm);
	if (error < 0) {
		log_warning("console %s: kept in memory only, its ring cannot grow: %s", vm->id,
			    strerror(-error));
		/* To wait here would make guests wait; our successor may find memory. */
		if (vm_leave_file(vm) < 0)
			log_fatal("console %s: no memory for its lines", vm->id);
	}
	return ring_space(&vm->ring, size);
}

/* The FIFO will never be readable again, or always: no more events of it. */
static void vm_stop_reading(struct vm *vm)
{
	if (vm->readable)
		event_free(vm->readable);
	vm->readable = NULL;
}

/* Reads until the FIFO is empty, or MAX bytes and what one read more brings. */
static void vm_read(struct vm *vm, size_t max)
{
	for (size_t total = 0; total < max;) {
		size_t size;
		uint8_t *space = vm_space(vm, &size);
		ssize_t n = read(vm->fifo, space, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			log_error("console %s: its FIFO: %s", vm->id, strerror(errno));
		if (n <= 0) {
			vm_stop_reading(vm);
			return;
		}
		ring_commit(&vm->ring, (size_t)n, now_us());
		total += (size_t)n;
	}
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct vm *vm = arg;
	(void)fd;
	(void)what;
	vm_read(vm, TURN_BYTES);
	page_store(vm);
	readers_wake(vm);
}

struct vm *vm_new(struct event_base *base, const uint8_t *path_id)
{
	struct vm *vm = calloc(1, sizeof(*vm));
	if (!vm)
		return NULL;
	vm->base = base;
	vm->fifo = vm->page = -1;
	memcpy(vm->path_id, path_id, sizeof(vm->path_id));
	for (unsigned i = 0; i < sizeof(vm->id) / 2; i++)
		(void)snprintf(vm->id + 2 * i, 3, "%02x", path_id[i]);
	return vm;
}

/* Stops reading; what the FIFO still holds goes into the ring. */
static void vm_close_fifo(struct vm *vm)
{
	if (vm->fifo < 0)
		return;
	vm_read(vm, DRAIN_MAX);
	vm_stop_reading(vm);
	close(vm->fifo);
	vm->fifo = -1;
	page_store(vm);
	page_close(vm);
}

void vm_free(struct vm *vm)
{
	readers_free(vm);
	vm_close_fifo(vm);
	region_unmap(&vm->region);
	free(vm);
}

/* Maps and attaches to the ring in FILE, or to an empty one in memory. 0 or -errno. */
static int vm_map(struct vm *vm, int file)
{
	region_unmap(&vm->region);
	int error = region_map(&vm->region, file, RING_SIZE);
	if (error == 0)
		error = vm_reserve(vm);
	if (error < 0) {
		log_warning("console %s: kept in memory only, its ring's file: %s", vm->id,
			    strerror(-error));
		region_unmap(&vm->region);
		error = region_anonymous(&vm->region, RING_SIZE);
	}
	if (error < 0)
		return error;
	if (ring_attach(&vm->ring, vm->region.base, now_us()) == RING_DAMAGED)
		log_warning("console %s: its ring was damaged, old lines are gone", vm->id);
	return 0;
}

int vm_run(struct vm *vm, int fifo, int ring, int page, bool redeployed)
{
	int flags, error;
	vm_close_fifo(vm);
	error = vm_map(vm, ring);
	close(ring);
	if (error < 0) {
		close(fifo);
		close(page);
		return error;
	}
	vm->fifo = fifo;
	vm->ended = false;
	page_take(vm, page);
	if (redeployed)
		ring_mark(&vm->ring, now_us());
	/* It comes so; a read that waits would stop every console. */
	flags = fcntl(fifo, F_GETFL);
	if (flags < 0 || fcntl(fifo, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	vm->readable = event_new(vm->base, fifo, EV_READ | EV_PERSIST, on_readable, vm);
	if (!vm->readable || event_add(vm->readable, NULL) < 0)
		return -ENOMEM;
	readers_wake(vm);
	return 0;
}

void vm_end(struct vm *vm, uint32_t end, uint32_t end_value)
{
	vm_close_fifo(vm);
	ring_flush(&vm->ring, now_us());
	vm->ended = true;
	vm->end = end;
	vm->end_value = end_value;
	readers_wake(vm);
}
