/* Starts, watches and replaces the processes of the roles. */
#include "roles.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "family.h"
#include "log.h"
#include "process.h"
#include "spawn.h"

/* A role that falls this far behind is broken: one VM's messages are a few hundred bytes. */
#define OUTBOX_MAX (16u << 20)
#define BATCH	   16 /* messages taken in one turn */
/* More than a channel holds, but an end, whoever still has its other side. */
#define LAST_WORDS 8192

/* A process that another vmmd left is waited for in turns: after SIGTERM, then after SIGKILL. */
#define LEFTOVER_TURN_US   10000
#define LEFTOVER_OWN_TURNS 200
#define LEFTOVER_TURNS	   500

static struct incoming in;

int role_send(struct role *role, uint32_t type, const void *body, const int *fds)
{
	int error = outbox_send(&role->box, &role->up, type, body, fds);

	if (role->box.bytes > OUTBOX_MAX)
		error = -ENOBUFS;
	if (error < 0) {
		log_error("%s (pid %d) does not take messages: %s; it is ended",
			  role_types[role->kind].name, (int)role->pid, strerror(-error));
		process_signal(role->pidfd, SIGKILL);
	} else if (role->box.first) {
		event_add(role->writable, NULL);
	}
	return error;
}

static int tell(struct daemon *d, enum role_kind kind, uint32_t type, const void *body,
		const int *fds)
{
	struct role *role = d->slot[kind].current;

	return role ? role_send(role, type, body, fds) : -ESRCH;
}

int roles_tell_console(struct daemon *d, uint32_t type, const void *body, const int *fds)
{
	return tell(d, ROLE_CONSOLE, type, body, fds);
}

int roles_push_list(struct daemon *d, const struct msg_revocation_push *push, int chain)
{
	int error = tell(d, ROLE_AUTH, MSG_REVOCATION_PUSH, push, &chain);

	if (error == 0)
		d->slot[ROLE_AUTH].current->pushes++;
	return error;
}

int roles_tell_stats(struct daemon *d, uint32_t type, const void *body, const int *fds)
{
	return tell(d, ROLE_STATS, type, body, fds);
}

int roles_tell_log(struct daemon *d, uint32_t type, const void *body, const int *fds)
{
	return tell(d, ROLE_LOG, type, body, fds);
}

static void handle(struct role *role, struct incoming *msg)
{
	const char *name = role_types[role->kind].name;

	if (msg->type == MSG_ROLE_READY) {
		role_ready(role);
	} else if (msg->type == MSG_ROLE_FAILED) {
		/* At start-up that is the operator's to mend; later the one that works goes on. */
		if (!role->daemon->slot[role->kind].ever_ready)
			log_fatal("%s", msg->body.detail.detail);
		log_error("%s: %s", name, msg->body.detail.detail);
	} else if (msg->type == MSG_ROLE_EXPIRES) {
		role->expires = msg->body.expires.expires;
	} else {
		role_types[role->kind].message(role, msg);
	}
	incoming_close(msg);
}

/* Takes one message; false: there is none. */
static bool receive(struct role *role)
{
	switch (channel_recv(&role->up, &in)) {
	case CHANNEL_MESSAGE:
		handle(role, &in);
		return true;
	case CHANNEL_AGAIN:
		return false;
	case CHANNEL_BAD:
		log_error("%s (pid %d) sent %s: it is ended", role_types[role->kind].name,
			  (int)role->pid, in.problem);
		break;
	case CHANNEL_EOF:
		break;
	}
	event_del(role->readable);
	process_signal(role->pidfd, SIGKILL);
	return false;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	for (int i = 0; i < BATCH && receive(arg); i++)
		continue;
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct role *role = arg;

	(void)fd;
	(void)what;
	if (outbox_flush(&role->box, &role->up) == -EAGAIN)
		event_add(role->writable, NULL);
}

/* ROLE is in no list any more. */
static void role_free(struct role *role)
{
	struct role_slot *slot = &role->daemon->slot[role->kind];

	if (slot->current == role)
		slot->current = NULL;
	if (slot->next == role)
		slot->next = NULL;
	if (role->readable)
		event_free(role->readable);
	if (role->writable)
		event_free(role->writable);
	if (role->exited)
		event_free(role->exited);
	if (role->patience)
		event_free(role->patience);
	outbox_clear(&role->box);
	channel_close(&role->up);
	close(role->pidfd);
	free(role);
}

static void role_remove(struct role *role)
{
	struct role **at = &role->daemon->roles;

	while (*at && *at != role)
		at = &(*at)->next;
	if (*at)
		*at = role->next;
	role_free(role);
}

static void restart_later(struct daemon *d, enum role_kind kind, int64_t lived_us)
{
	struct role_slot *slot = &d->slot[kind];
	unsigned delay_ms;

	slot->failures = lived_us > 10 * 1000000 ? 0 : slot->failures + 1;
	delay_ms = slot->failures <= 1 ? 0 : slot->failures > 6 ? 5000 : 100u << slot->failures;
	event_add(slot->restart,
		  &(struct timeval){.tv_sec = delay_ms / 1000, .tv_usec = delay_ms % 1000 * 1000});
}

static void on_exited(evutil_socket_t fd, short what, void *arg)
{
	struct role *role = arg;
	struct daemon *d = role->daemon;
	enum role_kind kind = role->kind;
	bool retired = role->retired;
	int64_t lived_us = now_us() - role->started_us;
	uint32_t value;
	enum vm_end end = process_end(fd, &value);

	(void)what;
	if (end == END_NONE)
		return;
	/* Its last words: a vmm_auth that has served its term leaves sessions. */
	for (int i = 0; i < LAST_WORDS && receive(role); i++)
		continue;
	if (!retired)
		log_error("%s (pid %d) ended with %s %u", role_types[kind].name, (int)role->pid,
			  end == END_EXIT ? "exit" : "signal", value);
	role_remove(role);
	role_hand_over(d, kind);
	/* A successor that failed beside one that works is not tried again by itself. */
	if (retired || d->slot[kind].current)
		return;
	if (!d->slot[kind].ever_ready)
		log_fatal("%s cannot start", role_types[kind].name);
	restart_later(d, kind, lived_us);
}

static void on_restart(evutil_socket_t fd, short what, void *arg)
{
	struct role_slot *slot = arg;
	struct daemon *d = slot->daemon;

	(void)fd;
	(void)what;
	role_restart(d, (enum role_kind)(slot - d->slot));
}

/* Which processes are ours, for a vmmd that comes after this one was killed. */
static void write_down(const struct daemon *d)
{
	int fd;

	if (d->run_fd < 0)
		return;
	fd = openat(d->run_fd, "roles", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (fd < 0)
		return;
	for (const struct role *r = d->roles; r; r = r->next)
		dprintf(fd, "%d %llu\n", (int)r->pid, (unsigned long long)r->start_ticks);
	close(fd);
}

#define ROLE_FDS  4 /* null, null, stderr, the channel; namespaces follow */
#define ROLE_ARGS (NAMESPACES_MAX + 3)

/* A role joins the namespaces itself, when it has loaded what it needs; the argument's texts: ARG.
 */
uint32_t role_uid(const struct daemon *d, enum role_kind kind)
{
	return d->options->uid_base + 1 + kind;
}

static void role_arguments(const struct role *role, char arg[][24], char **argv)
{
	const struct daemon *d = role->daemon;
	unsigned n = 0;

	snprintf(arg[n++], sizeof(arg[0]), "%s", role_types[role->kind].name);
	if (d->root)
		snprintf(arg[n++], sizeof(arg[0]), "--uid=%u", role_uid(d, role->kind));
	for (unsigned i = 0; i < d->namespaces.n; i++)
		snprintf(arg[n++], sizeof(arg[0]), "--join=%u", ROLE_FDS + i);
	if (d->options->verbose)
		snprintf(arg[n++], sizeof(arg[0]), "-v");
	for (unsigned i = 0; i < n; i++)
		argv[i] = arg[i];
	argv[n] = NULL;
}

static int spawn_role(struct role *role, int channel)
{
	const struct daemon *d = role->daemon;
	char arg[ROLE_ARGS][24], *argv[ROLE_ARGS + 1];
	int fds[ROLE_FDS + NAMESPACES_MAX] = {d->null_fd, d->null_fd, STDERR_FILENO, channel};
	const struct spawn what = {.program = d->slot[role->kind].program,
				   .argv = argv,
				   .fds = fds,
				   .nfds = ROLE_FDS + d->namespaces.n,
				   .cpu = -1};
	const char *step;
	int error;

	memcpy(fds + ROLE_FDS, d->namespaces.fd, d->namespaces.n * sizeof(int));
	role_arguments(role, arg, argv);
	error = spawn(&what, &role->pid, &role->pidfd, &step);
	if (error < 0)
		log_error("%s: cannot %s: %s", argv[0], step, strerror(-error));
	return error;
}

static int watch(struct role *role)
{
	struct event_base *base = role->daemon->base;

	role->readable = event_new(base, role->up.fd, EV_READ | EV_PERSIST, on_readable, role);
	role->writable = event_new(base, role->up.fd, EV_WRITE, on_writable, role);
	role->exited = event_new(base, role->pidfd, EV_READ | EV_PERSIST, on_exited, role);
	role->patience = evtimer_new(base, role_patience_ends, role);
	if (!role->readable || !role->writable || !role->exited || !role->patience)
		return -ENOMEM;
	event_add(role->readable, NULL);
	event_add(role->exited, NULL);
	return channel_set_nonblocking(&role->up);
}

static void start(struct daemon *d, enum role_kind kind)
{
	struct role *role = calloc(1, sizeof(*role));
	struct channel lower;
	int error = -ENOMEM;

	if (role == NULL || channel_pair(role_types[kind].link, &role->up, &lower) < 0)
		goto failed;
	role->daemon = d;
	role->kind = kind;
	role->started_us = now_us();
	outbox_init(&role->box);
	error = spawn_role(role, lower.fd);
	channel_close(&lower);
	if (error < 0) {
		channel_close(&role->up);
		goto failed;
	}
	role->start_ticks = process_start_ticks(role->pid);
	role->next = d->roles;
	d->roles = role;
	write_down(d);
	error = watch(role);
	if (error == 0)
		error = role_types[kind].set_up(role);
	if (error < 0) /* its end is noticed, and leads to another try */
		process_signal(role->pidfd, SIGKILL);
	return;
failed:
	free(role);
	if (!d->slot[kind].ever_ready)
		log_fatal("%s cannot be started", role_types[kind].name);
	restart_later(d, kind, 0);
}

void role_restart(struct daemon *d, enum role_kind kind)
{
	d->slot[kind].restarts++;
	start(d, kind);
}

void roles_start(struct daemon *d)
{
	for (int kind = 0; kind < ROLE_KINDS; kind++) {
		d->slot[kind].daemon = d;
		d->slot[kind].restart = evtimer_new(d->base, on_restart, &d->slot[kind]);
		if (d->slot[kind].restart == NULL)
			log_fatal("out of memory");
		start(d, (enum role_kind)kind);
	}
}

void roles_reload(struct daemon *d)
{
	/* The others have no configuration, and of none of them may there be two. */
	static const enum role_kind configured[] = {ROLE_AUTH, ROLE_GATE};

	if (roles_find(d) < 0)
		return;
	for (size_t i = 0; i < sizeof(configured) / sizeof(configured[0]); i++)
		start(d, configured[i]);
}

void roles_stop(struct daemon *d)
{
	while (d->roles) {
		struct role *role = d->roles;

		d->roles = role->next;
		process_signal(role->pidfd, SIGKILL);
		waitpid(role->pid, NULL, 0);
		role_free(role);
	}
	if (d->run_fd >= 0)
		unlinkat(d->run_fd, "roles", 0);
}

static void wait_ended(int pidfd, int turns)
{
	for (int i = 0; i < turns && !process_ended(pidfd); i++)
		usleep(LEFTOVER_TURN_US);
}

void roles_end_leftovers(struct daemon *d)
{
	int fd = openat(d->run_fd, "roles", O_RDONLY | O_NOFOLLOW | O_CLOEXEC), pid;
	unsigned long long ticks;
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");

	while (file && fscanf(file, "%d %llu", &pid, &ticks) == 2) {
		int pidfd = process_open(pid, ticks);

		if (pidfd < 0)
			continue;
		/* A console has something to do before it ends. */
		process_signal(pidfd, SIGTERM);
		wait_ended(pidfd, LEFTOVER_OWN_TURNS);
		process_signal(pidfd, SIGKILL);
		/* Two consoles must not read one FIFO, nor two gates listen on one port. */
		wait_ended(pidfd, LEFTOVER_TURNS);
		close(pidfd);
	}
	if (file)
		fclose(file);
}
