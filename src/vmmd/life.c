/* Watching a VM: the monitor's word that it is ready, its end, and ending it. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bridges.h"
#include "console.h"
#include "ends.h"
#include "eventlog.h"
#include "lifecycle.h"
#include "process.h"
#include "replace.h"
#include "stats.h"
#include "status.h"
#include "taps.h"
#include "volumes.h"

#define READY_SECONDS 10 /* for a monitor to say that it is ready, or what is wrong */
#define TERM_SECONDS  1	 /* between SIGTERM and SIGKILL */
#define KILL_SECONDS  5	 /* between one SIGKILL and the next: see SECURITY, an unreapable zombie */
#define REAP_WAIT_US  50000 /* until an adopted VM's parent has reaped it, looked for so often */
#define REAP_WAITS    40
#define KILLS_SAID    3 /* signals after which whoever waits is told */

static void set_timer(struct vm *vm, unsigned seconds)
{
	event_add(vm->timer, &(struct timeval){.tv_sec = seconds});
}

static void answer(struct vm *vm, struct waiter *list,
		   void (*with)(struct vm *, struct session *, uint32_t))
{
	for (struct waiter *w = list; w; w = w->next) {
		struct session *session = session_find(vm->daemon, w->session);

		if (session)
			with(vm, session, w->id);
	}
}

static void answer_started(struct vm *vm, struct session *session, uint32_t id)
{
	static struct msg_reply_vm row;

	vm_describe(vm, session->scope.depth, &row);
	row.id = id;
	row.replaced = vm->replaced_pid;
	session_reply(session, MSG_REPLY_VM, &row, NULL);
	session_end_reply(session, id);
}

static void answer_gone(struct vm *vm, struct session *session, uint32_t id)
{
	(void)vm;
	session_end_reply(session, id);
}

static void answer_stuck(struct vm *vm, struct session *session, uint32_t id)
{
	session_error(session, id, 503, "unavailable",
		      "process %u was killed and has not ended yet; vmmd goes on trying",
		      vm->record.pid);
}

static void answer_not_started(struct vm *vm, struct session *session, uint32_t id)
{
	if (vm->record.cause != CAUSE_GUEST)
		session_error(session, id, vm->record.cause == CAUSE_REVOKED ? 403 : 409,
			      cause_name(vm->record.cause), "%s", vm->status_text);
	else if (replace_has_stopped(vm))
		session_error(session, id, 503, "unavailable",
			      "%s was stopped, and the new one did not come up: %s",
			      vm->record.request.leaf.name, vm->status_text);
	else if (vm->unavailable)
		session_error(session, id, 503, "unavailable", "%s", vm->status_text);
	else
		session_error(session, id, 422, "image", "%s", vm->status_text);
}

void vm_started(struct vm *vm)
{
	struct vm *old = vm->replaced;

	vm->record.state = VM_RUNNING;
	vm->record.started_us = now_us();
	vm->record.oom_kills = host_oom_kills();
	vm->replaced = NULL;
	if (old && old->yields)
		vm->replaced_pid = old->record.pid;
	if (old)
		vm_free(old);
	vm_save(vm);
	eventlog_vm(vm, ENTRY_STARTED, NULL, NULL);
	answer(vm, vm->starting, answer_started);
	waiters_free(&vm->starting);
	stats_add(vm);
}

void vm_ready(struct vm *vm)
{
	status_close(vm);
	event_del(vm->timer);
	if (vm->go_fd >= 0)
		replace_ready(vm);
	else
		vm_started(vm);
}

void vm_fail_start(struct vm *vm, const char *why)
{
	snprintf(vm->status_text, sizeof(vm->status_text), "%s", why);
	status_close(vm);
	process_signal(vm->pidfd, SIGKILL);
	vm->kills++;
	set_timer(vm, KILL_SECONDS);
}

/* What an end of a VM lets go. */
static void released(struct daemon *d)
{
	volumes_released(d);
	bridges_settle(d);
}

/* Forgets VM; the one before it, if any, is what the path shows. */
static void take_back(struct vm *vm)
{
	struct vm *old = vm->replaced;
	bool beside = vm_is_beside(vm);

	/* The record last: as long as it is there the next vmmd does this again. */
	taps_remove(&vm->record, vm->daemon);
	record_remove_next(vm->dir_fd);
	vm->record.state = VM_ENDED;
	if (old == NULL) {
		vm_forget(vm);
		return;
	}
	vm_free(vm);
	if (beside)
		return;
	vm_save(old);
	console_ended(old);
	vm_trim_ended(old);
}

void vm_take_back(struct vm *vm)
{
	struct daemon *d = vm->daemon;

	take_back(vm);
	released(d);
}

static const struct path *stopped_by(const struct vm *vm)
{
	return vm->record.by.depth > 0 ? &vm->record.by : NULL;
}

static void failed_to_start(struct vm *vm)
{
	eventlog_vm(vm, ENTRY_FAILED, stopped_by(vm), vm->status_text);
	answer(vm, vm->starting, answer_not_started);
	answer(vm, vm->stopping, answer_gone);
	vm_take_back(vm);
}

/* Who waits for the end of VM: where another one of its path is ended as well, for both. */
static void answer_ended(struct vm *vm, struct vm *next)
{
	struct waiter **last = &vm->stopping;

	if (next == NULL || next->kills == 0) {
		answer(vm, vm->stopping, answer_gone);
		waiters_free(&vm->stopping);
		return;
	}
	while (*last)
		last = &(*last)->next;
	*last = next->stopping;
	next->stopping = vm->stopping;
	vm->stopping = NULL;
}

static void has_ended(struct vm *vm)
{
	struct vm *next = vm_successor(vm);
	struct vm_record *r = &vm->record;
	struct daemon *d = vm->daemon;

	stats_remove(vm);
	taps_remove(r, d);
	if (r->state != VM_STOPPING)
		r->cause = end_cause(r->end, r->end_value, host_oom_kills() > r->oom_kills);
	r->state = VM_ENDED;
	r->ended_us = now_us();
	event_free(vm->exited);
	event_free(vm->timer);
	vm->exited = vm->timer = NULL;
	close(vm->pidfd);
	vm->pidfd = -1;
	vm_save(vm);
	eventlog_vm(vm, ENTRY_STOPPED, stopped_by(vm), NULL);
	answer_ended(vm, next);
	if (next) {
		/* The console goes on; VM may be gone after this. */
		replace_old_ended(next);
	} else {
		/* The FIFO stays open: if no vmm_console runs now, the next one finds the last
		 * bytes in it. */
		console_ended(vm);
		vm_trim_ended(vm);
	}
	released(d);
}

static void on_exited(evutil_socket_t fd, short what, void *arg)
{
	struct vm *vm = arg;

	(void)what;
	/* Its last words may have come in the same turn. */
	if (vm->record.state == VM_STARTING && vm->status)
		status_read(vm);
	vm->record.end = process_end(fd, &vm->record.end_value);
	if (vm->record.end == END_NONE && vm->reap_waits++ < REAP_WAITS) {
		/* An adopted one: how it ended is known once its parent, init, has asked. */
		event_del(vm->exited);
		event_add(vm->timer, &(struct timeval){.tv_usec = REAP_WAIT_US});
		return;
	}
	if (vm->record.end == END_NONE)
		vm->record.end = END_UNKNOWN;
	if (vm->record.state == VM_STARTING) {
		if (vm->status)
			vm_fail_start(vm, "the monitor ended before it was ready");
		else if (vm->kills == 0)
			snprintf(vm->status_text, sizeof(vm->status_text),
				 "the monitor ended before its guest started");
		failed_to_start(vm);
	} else {
		has_ended(vm);
	}
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct vm *vm = arg, *next = vm_successor(vm);

	(void)fd;
	(void)what;
	if (process_ended(vm->pidfd)) {
		event_add(vm->exited, NULL);
		return;
	}
	if (vm->record.state == VM_STARTING && vm->kills == 0) {
		vm_fail_start(vm, "the monitor was not ready within 10 seconds");
		return;
	}
	process_signal(vm->pidfd, SIGKILL);
	if (++vm->kills == KILLS_SAID) {
		answer(vm, vm->stopping, answer_stuck);
		waiters_free(&vm->stopping);
		if (next) {
			answer(vm, next->starting, answer_stuck);
			waiters_free(&next->starting);
		}
	}
	set_timer(vm, KILL_SECONDS);
}

int vm_watch(struct vm *vm)
{
	struct event_base *base = vm->daemon->base;

	vm->timer = evtimer_new(base, on_timer, vm);
	vm->exited = event_new(base, vm->pidfd, EV_READ | EV_PERSIST, on_exited, vm);
	if (vm->timer == NULL || vm->exited == NULL)
		return -ENOMEM;
	event_add(vm->exited, NULL);
	if (vm->status_fd < 0)
		return 0;
	set_timer(vm, READY_SECONDS);
	return status_watch(vm);
}

static void end_starting(struct vm *vm)
{
	status_close(vm);
	snprintf(vm->status_text, sizeof(vm->status_text), "it was %s while it started",
		 cause_name(vm->record.cause));
	/* A vmmd that comes after us must not let it go. */
	vm->record.waits = 0;
	vm_save(vm);
	process_signal(vm->pidfd, SIGKILL);
	set_timer(vm, KILL_SECONDS);
}

void vm_end(struct vm *vm, enum stop_cause cause, const struct path *by)
{
	if (vm->kills > 0)
		return;
	vm->record.cause = cause;
	if (by)
		vm->record.by = *by;
	vm->kills++;
	if (vm->record.state == VM_STARTING) {
		end_starting(vm);
		return;
	}
	vm->record.state = VM_STOPPING;
	vm_save(vm);
	process_signal(vm->pidfd, SIGTERM);
	set_timer(vm, TERM_SECONDS);
}

void vm_stop(struct vm *vm, enum stop_cause cause, const struct path *by, struct session *session,
	     uint32_t id)
{
	struct vm *next = vm_successor(vm);

	if (session)
		waiter_add(&vm->stopping, session->number, id);
	if (next)
		vm_end(next, cause, by);
	vm_end(vm, cause, by);
}
