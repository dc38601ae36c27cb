/*
 * What vmmd says, and entries on their way into the rings. An entry is in its ring, and in the
 * file, before vmmd is told so; what vmmd was not told of it sends again to the next vmm_log.
 */
#include "keeper.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

static struct top *top_find(struct keeper *keeper, const struct label *label)
{
	struct top *top = keeper->tops;

	while (top && !label_equal(&top->label, label))
		top = top->next;
	return top;
}

/* Maps the ring in FILE, or an empty one in memory, and attaches to it. 0 or -errno. */
static int top_map(struct top *top, int file)
{
	int error = region_map(&top->region, file, HISTORY_SIZE);

	if (error == 0)
		error = region_reserve(&top->region, 1);
	if (error < 0) {
		log_warning("a ring is kept in memory only, its file: %s", strerror(-error));
		region_unmap(&top->region);
		error = region_anonymous(&top->region, HISTORY_SIZE);
	}
	if (error < 0)
		return error;
	if (history_attach(&top->history, top->region.base) == HISTORY_DAMAGED)
		log_warning("a ring was damaged, old entries are gone");
	return 0;
}

/* Everything has been loaded: from here on there may be entries and readers. */
static void say_ready(struct keeper *keeper)
{
	struct msg_log_loaded loaded = {.seq = keeper->last};
	int error = channel_send(&keeper->up.channel, MSG_LOG_LOADED, &loaded, NULL);

	if (error == 0)
		error = channel_send(&keeper->up.channel, MSG_ROLE_READY, &(struct msg_empty){0},
				     NULL);
	if (error < 0 && error != -EPIPE) /* vmmd's end shows as that of the channel */
		log_fatal("vmmd cannot be told anything: %s", strerror(-error));
	keeper->up.channel.state = STATE_READY;
}

static void keeper_add_ring(struct keeper *keeper, const struct label *label, int file)
{
	static const struct label host;
	struct top *top = top_find(keeper, label) ? NULL : calloc(1, sizeof(*top));

	if (top && top_map(top, file) < 0) {
		free(top);
		top = NULL;
	}
	close(file);
	if (top == NULL) {
		log_error("no memory for a ring, or it has been sent before");
		return;
	}
	top->label = *label;
	top->number = keeper->ntops++;
	top->next = keeper->tops;
	keeper->tops = top;
	if (top->history.last > keeper->last)
		keeper->last = top->history.last;
	if (label_equal(label, &host)) {
		keeper->host = top;
		say_ready(keeper);
	}
}

/* Sees to it that TOP's ring can take an entry of N bytes. */
static void top_make_room(struct keeper *keeper, struct top *top, size_t n)
{
	int error = region_reserve(&top->region, history_reach(&top->history, n));

	if (error < 0) {
		log_warning("a ring is kept in memory only, it cannot grow: %s", strerror(-error));
		if (region_leave_file(&top->region) < 0)
			log_fatal("no memory for a ring");
		(void)history_attach(&top->history, top->region.base);
	}
	while (!history_fits(&top->history, n)) {
		readers_miss(keeper, top);
		history_drop(&top->history);
	}
}

static void keeper_add_entry(struct keeper *keeper, const struct log_entry *entry)
{
	static uint8_t bytes[HISTORY_ENTRY_MAX];
	ssize_t n = wire_encode(entry_fields, entry, bytes, sizeof(bytes));
	struct label label;
	struct top *top;

	event_add(keeper->acknowledge, NULL);
	/* Sent again, by a vmmd that had not heard that it is here. */
	if (entry->seq <= keeper->last || n < 0)
		return;
	entry_ring(entry, &label);
	top = top_find(keeper, &label);
	if (top == NULL)
		top = keeper->host;
	/* Copied first: a kill between the two doubles a line there, but loses none. */
	sinks_write(keeper, entry);
	top_make_room(keeper, top, (size_t)n);
	history_add(&top->history, entry->seq, bytes, (size_t)n);
	keeper->last = entry->seq;
	readers_wake(keeper, top);
}

static void on_acknowledge(evutil_socket_t fd, short what, void *arg)
{
	struct keeper *keeper = arg;
	struct msg_log_loaded loaded = {.seq = keeper->last};

	(void)fd;
	(void)what;
	if (channel_send(&keeper->up.channel, MSG_LOG_LOADED, &loaded, NULL) == -EAGAIN)
		event_add(keeper->acknowledge, NULL);
}

static void keeper_handle(void *owner, struct incoming *in)
{
	struct keeper *keeper = owner;

	switch (in->type) {
	case MSG_LOG_RING:
		keeper_add_ring(keeper, &in->body.log_ring.top, channel_take(in, 0));
		break;
	case MSG_LOG_ENTRY:
		keeper_add_entry(keeper, &in->body.entry);
		break;
	case MSG_LOG_READ:
		reader_start(keeper, channel_take(in, 0), &in->body.log_read);
		break;
	case MSG_LOG_FILE:
		sink_set(&keeper->file, channel_take(in, 0));
		break;
	case MSG_LOG_SYSLOG:
		sink_set(&keeper->syslog, channel_take(in, 0));
		break;
	}
}

int keeper_start(struct keeper *keeper, struct event_base *base, const struct channel *up)
{
	int error;

	*keeper = (struct keeper){.base = base,
				  .up = {.message = keeper_handle, .owner = keeper},
				  .file = {.fd = -1},
				  .syslog = {.fd = -1}};
	error = upward_open(&keeper->up, base, up);
	if (error < 0)
		return error;
	keeper->acknowledge = event_new(base, up->fd, EV_WRITE, on_acknowledge, keeper);
	return keeper->acknowledge ? 0 : -ENOMEM;
}

void keeper_stop(struct keeper *keeper)
{
	readers_free(keeper);
	while (keeper->tops) {
		struct top *top = keeper->tops;

		keeper->tops = top->next;
		region_unmap(&top->region);
		free(top);
	}
	sink_set(&keeper->file, -1);
	sink_set(&keeper->syslog, -1);
	if (keeper->acknowledge)
		event_free(keeper->acknowledge);
	upward_close(&keeper->up);
}
