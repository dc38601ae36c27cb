/* What vmmd says, and what is done each interval. */
#include "stats.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

static void replace(int *fd, int with)
{
	if (*fd >= 0)
		close(*fd);
	*fd = with;
}

static void on_interval(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	sample_all(arg);
}

/* The set-up is over: from here on there may be VMs and readers. */
static void stats_begin(struct stats *stats, const struct msg_stats_interval *interval)
{
	const struct timeval period = {.tv_sec = interval->seconds};
	int error;

	if (interval->seconds == 0 || event_add(stats->interval, &period) < 0)
		log_fatal("no readings every %u s", interval->seconds);
	error = channel_send(&stats->up.channel, MSG_ROLE_READY, &(struct msg_empty){0}, NULL);
	if (error < 0 && error != -EPIPE) /* vmmd's end shows as that of the channel */
		log_fatal("vmmd cannot be told anything: %s", strerror(-error));
	stats->up.channel.state = STATE_READY;
}

static void stats_add(struct stats *stats, struct incoming *in)
{
	int fd[VM_FILES];
	struct vm *vm;

	for (unsigned i = 0; i < VM_FILES; i++)
		fd[i] = channel_take(in, i);
	vm = table_add(&stats->table, &in->body.stats_vm, fd);
	if (vm)
		sample_one(stats, vm);
	else
		log_error("no memory for a VM: there are no statistics of it");
}

static void stats_remove(struct stats *stats, const struct msg_stats_remove *msg)
{
	struct vm *vm = table_find(&stats->table, msg->path_id);

	if (vm == NULL)
		return;
	readers_pass(stats, vm);
	table_remove(&stats->table, vm);
}

/*
 * They are a part of the next reading, and of the first one: a vmm_stats that takes over is told of
 * a VM, and then what it had dropped before, which must not go back meanwhile.
 */
static void stats_drops(struct stats *stats, const struct msg_stats_drops *msg)
{
	struct vm *vm = table_find(&stats->table, msg->path_id);

	for (unsigned i = 0; vm && i < vm->is.ntaps && i < msg->ntaps; i++) {
		vm->dropped[i] = msg->tap[i].frames;
		if (vm->earlier.time_us == 0)
			vm->now.tap[i].dropped = msg->tap[i].frames;
	}
}

static void stats_handle(void *owner, struct incoming *in)
{
	struct stats *stats = owner;

	switch (in->type) {
	case MSG_STATS_INTERVAL:
		stats_begin(stats, &in->body.stats_interval);
		break;
	case MSG_STATS_LINKS:
		replace(&stats->links, channel_take(in, 0));
		break;
	case MSG_STATS_HOST:
		replace(&stats->host_stat, channel_take(in, 0));
		replace(&stats->host_memory, channel_take(in, 1));
		break;
	case MSG_STATS_ADD:
		stats_add(stats, in);
		break;
	case MSG_STATS_DROPS:
		stats_drops(stats, &in->body.stats_drops);
		break;
	case MSG_STATS_REMOVE:
		stats_remove(stats, &in->body.stats_remove);
		break;
	case MSG_STATS_READ:
		reader_start(stats, channel_take(in, 0), &in->body.stats_read);
		break;
	}
}

int stats_start(struct stats *stats, struct event_base *base, const struct channel *up)
{
	int error;

	*stats = (struct stats){.base = base,
				.up = {.message = stats_handle, .owner = stats},
				.links = -1,
				.host_stat = -1,
				.host_memory = -1};
	error = upward_open(&stats->up, base, up);
	if (error < 0)
		return error;
	stats->interval = event_new(base, -1, EV_PERSIST, on_interval, stats);
	return stats->interval ? 0 : -ENOMEM;
}

void stats_stop(struct stats *stats)
{
	readers_free(stats);
	while (stats->table.first)
		table_remove(&stats->table, stats->table.first);
	replace(&stats->links, -1);
	replace(&stats->host_stat, -1);
	replace(&stats->host_memory, -1);
	if (stats->interval)
		event_free(stats->interval);
	upward_close(&stats->up);
}
