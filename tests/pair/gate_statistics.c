/* See gate_statistics.h. */
#include "gate_statistics.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define START_US INT64_C(1499679819123456)
#define HUGE	 40000

static char kind[16] = "few";

static void fill_node(struct node *node, const char *name, unsigned number)
{
	memset(&node->label, 0x82, sizeof(node->label));
	node->label.byte[0] = (uint8_t)(number >> 8);
	node->label.byte[1] = (uint8_t)number;
	snprintf(node->name, sizeof(node->name), "%s", name);
}

/* One that has every part, with numbers that tell one field from another. */
static void fill_reading(struct reading *r, int64_t time_us, uint64_t more)
{
	*r = (struct reading){
	    .time_us = time_us,
	    .parts = READ_PROCESS | READ_BLOCK | READ_KVM | READ_CONSOLE | READ_NETWORK,
	    .user_us = 1500000 + 10000 * more,
	    .system_us = 250000,
	    .minor_faults = 100 + more,
	    .major_faults = 2,
	    .voluntary_switches = 300 + more,
	    .involuntary_switches = 4,
	    .resident = 5 << 20,
	    .shared = 6 << 10,
	    .peak = 7 << 20,
	    .block_read = 8192 + 512 * more,
	    .block_written = 9 << 10,
	    .kvm_exits = 10000 + 3 * more,
	    .console_bytes = 1100 + more,
	    .console_lost = 12,
	    .ntaps = 1,
	    .tap[0] = {13000 + more, 14, 15000, 16, 17},
	};
}

static void fill_sample(struct msg_sample *sample, const char *name, unsigned number)
{
	*sample = (struct msg_sample){.path = {.depth = 2},
				      .pid = 4711,
				      .cpuid = 1,
				      .memory_mb = 32,
				      .target = "hvt",
				      .started_us = START_US,
				      .ntaps = 1,
				      .tap[0] = {"vmm4711-0", "ext", "service", {2}, {0}}};
	fill_node(&sample->path.node[0], "dev", 0);
	fill_node(&sample->path.node[1], name, number);
	fill_reading(&sample->before, START_US + 20000000, 0);
	fill_reading(&sample->now, START_US + 30000000, 100);
}

static void send_few(struct channel *reader)
{
	static struct msg_sample sample;

	fill_sample(&sample, "hello", 1);
	channel_send(reader, MSG_SAMPLE, &sample, NULL);
	/* An spt guest that has no devices, looked at once; its name takes escaping. */
	fill_sample(&sample, "h\xc3\xa9 \\\"w\"{}", 2);
	snprintf(sample.target, sizeof(sample.target), "spt");
	sample.ntaps = sample.now.ntaps = 0;
	sample.now.parts = READ_PROCESS | READ_CONSOLE;
	memset(&sample.before, 0, sizeof(sample.before));
	channel_send(reader, MSG_SAMPLE, &sample, NULL);
	fill_sample(&sample, "hello", 3);
	memset(&sample.before, 0, sizeof(sample.before));
	memset(&sample.now, 0, sizeof(sample.now));
	channel_send(reader, MSG_SAMPLE, &sample, NULL);
}

static void send_many(struct channel *reader, unsigned n)
{
	static struct msg_sample sample;
	char name[NAME_SIZE];

	for (unsigned i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "vm%u", i);
		fill_sample(&sample, name, i);
		if (channel_send(reader, MSG_SAMPLE, &sample, NULL) < 0)
			return;
	}
}

static void send_family(struct channel *reader)
{
	static const struct family_reading family = {
	    .time_us = START_US,
	    .started_us = START_US,
	    .nroles = 2,
	    .role = {{"vmm_gate", 1, 2}, {"vmm_stats", 0, 0}},
	    .sessions = 3,
	    .logins = 40,
	    .refusals = 5,
	    .connections = 60,
	    .handshakes_lost = 7,
	    .ca_expires = 1893456000,
	    .vms = 8,
	    .vms_started = 9,
	    .vms_failed = 10,
	    .memory_mb = 1024,
	    .memory_used_mb = 96,
	    .block_used_mb = 64,
	    .host_known = 1,
	    .host_cpus = 2,
	    .host_user_us = 11500000,
	    .host_system_us = 12000000,
	    .host_idle_us = 13000001,
	    .host_memory = UINT64_C(1) << 34,
	    .host_available = UINT64_C(1) << 33,
	};

	channel_send(reader, MSG_FAMILY, &family, NULL);
}

static bool is(const char *word)
{
	return !strcmp(kind, word);
}

bool play_statistics(struct channel *reader, const struct msg_statistics *ask)
{
	if (is("few") || is("tenant") || is("cut") || is("bad") || is("silent"))
		send_few(reader);
	if (is("many") || is("huge"))
		send_many(reader, is("many") ? 1000 : HUGE);
	if (is("bad"))
		send(reader->fd, "\xff\xff\xff\xff", 4, MSG_NOSIGNAL);
	if (is("silent"))
		return false;
	if (is("cut") || is("bad"))
		return true;
	if (ask->family && !is("tenant"))
		send_family(reader);
	channel_send(reader, MSG_SAMPLES_END, &(struct msg_empty){0}, NULL);
	return true;
}

void statistics_command(const char *line)
{
	if (!strncmp(line, "samples ", 8))
		snprintf(kind, sizeof(kind), "%s", line + 8);
}
