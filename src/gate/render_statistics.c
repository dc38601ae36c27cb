/* Statistics of a VM as JSON. Pure. */
#include <stddef.h>
#include <string.h>

#include "render.h"

static json_t *count_json(uint64_t count)
{
	return json_integer(count < INT64_MAX ? (json_int_t)count : INT64_MAX);
}

static json_t *seconds_json(uint64_t us)
{
	return json_real((double)us / 1e6);
}

/* VALUE, which is taken, if READING has PART. */
static json_t *part_json(const struct reading *reading, uint32_t part, json_t *value)
{
	if (reading->parts & part)
		return value;
	json_decref(value);
	return json_null();
}

/* What there is of one reading. */

static json_t *pair_json(const char *a, uint64_t first, const char *b, uint64_t second)
{
	return json_pack("{s:o, s:o}", a, count_json(first), b, count_json(second));
}

static json_t *cpu_json(const struct reading *r)
{
	return json_pack("{s:o, s:o}", "user_seconds", seconds_json(r->user_us), "system_seconds",
			 seconds_json(r->system_us));
}

static json_t *memory_json(const struct reading *r)
{
	return json_pack("{s:o, s:o, s:o}", "resident_bytes", count_json(r->resident),
			 "shared_bytes", count_json(r->shared), "peak_bytes", count_json(r->peak));
}

static json_t *tap_json(const struct tap_info *tap, const struct tap_reading *r)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name", render_text(tap->name),
			 "device", render_text(tap->device), "bridge", render_text(tap->bridge),
			 "received_bytes", count_json(r->received_bytes), "received_packets",
			 count_json(r->received_packets), "sent_bytes", count_json(r->sent_bytes),
			 "sent_packets", count_json(r->sent_packets), "dropped",
			 count_json(r->dropped));
}

static json_t *network_json(const struct msg_sample *sample)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < sample->ntaps && i < sample->now.ntaps; i++)
		json_array_append_new(array, tap_json(&sample->tap[i], &sample->now.tap[i]));
	return array;
}

static void add_reading(json_t *object, const struct msg_sample *sample)
{
	const struct reading *r = &sample->now;
	const struct {
		const char *name;
		uint32_t part;
		json_t *value;
	} parts[] = {
	    {"cpu", READ_PROCESS, cpu_json(r)},
	    {"memory", READ_PROCESS, memory_json(r)},
	    {"faults", READ_PROCESS, pair_json("minor", r->minor_faults, "major", r->major_faults)},
	    {"switches", READ_PROCESS,
	     pair_json("voluntary", r->voluntary_switches, "involuntary", r->involuntary_switches)},
	    {"block", READ_BLOCK,
	     pair_json("read_bytes", r->block_read, "written_bytes", r->block_written)},
	    {"network", READ_NETWORK, network_json(sample)},
	    {"console", READ_CONSOLE,
	     pair_json("bytes", r->console_bytes, "lost_lines", r->console_lost)},
	    {"kvm", READ_KVM, json_pack("{s:o}", "exits", count_json(r->kvm_exits))},
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		json_object_set_new(object, parts[i].name,
				    part_json(r, parts[i].part, parts[i].value));
}

/* Two readings. */

static bool comparable(const struct msg_sample *sample)
{
	return sample->before.time_us != 0 && sample->now.time_us > sample->before.time_us;
}

/* Of a counter that began anew: what it has counted since. */
static uint64_t increase(const void *now, const void *before, size_t at)
{
	uint64_t new, old;

	memcpy(&new, (const uint8_t *)now + at, sizeof(new));
	memcpy(&old, (const uint8_t *)before + at, sizeof(old));
	return new >= old ? new - old : new;
}

static double taps_increase(const struct reading *now, const struct reading *before, size_t at)
{
	double sum = 0;

	for (uint32_t i = 0; i < now->ntaps && i < before->ntaps; i++)
		sum += (double)increase(&now->tap[i], &before->tap[i], at);
	return sum;
}

#define OF(member)	offsetof(struct reading, member)
#define OF_TAPS(member) offsetof(struct tap_reading, member)

static json_t *rates_json(const struct reading *now, const struct reading *before)
{
	static const struct {
		const char *name;
		uint32_t part;
		size_t at;
	} rates[] = {
	    {"minor_faults", READ_PROCESS, OF(minor_faults)},
	    {"major_faults", READ_PROCESS, OF(major_faults)},
	    {"voluntary_switches", READ_PROCESS, OF(voluntary_switches)},
	    {"involuntary_switches", READ_PROCESS, OF(involuntary_switches)},
	    {"block_read_bytes", READ_BLOCK, OF(block_read)},
	    {"block_written_bytes", READ_BLOCK, OF(block_written)},
	    {"received_bytes", READ_NETWORK, OF_TAPS(received_bytes)},
	    {"received_packets", READ_NETWORK, OF_TAPS(received_packets)},
	    {"sent_bytes", READ_NETWORK, OF_TAPS(sent_bytes)},
	    {"sent_packets", READ_NETWORK, OF_TAPS(sent_packets)},
	    {"dropped", READ_NETWORK, OF_TAPS(dropped)},
	    {"console_bytes", READ_CONSOLE, OF(console_bytes)},
	    {"kvm_exits", READ_KVM, OF(kvm_exits)},
	};
	double seconds = (double)(now->time_us - before->time_us) / 1e6;
	uint64_t cpu = increase(now, before, OF(user_us)) + increase(now, before, OF(system_us));
	uint32_t parts = now->parts & before->parts;
	json_t *object = json_pack("{s:o}", "cpu",
				   parts & READ_PROCESS ? json_real((double)cpu / 1e6 / seconds)
							: json_null());

	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		double sum = rates[i].part == READ_NETWORK
				 ? taps_increase(now, before, rates[i].at)
				 : (double)increase(now, before, rates[i].at);

		json_object_set_new(object, rates[i].name,
				    parts & rates[i].part ? json_real(sum / seconds) : json_null());
	}
	return object;
}

/* A VM. */

static json_t *uptime_json(const struct msg_sample *sample)
{
	int64_t us = sample->now.time_us - sample->started_us;

	return sample->now.time_us != 0 ? seconds_json(us > 0 ? (uint64_t)us : 0) : json_null();
}

json_t *render_statistics(const struct msg_sample *sample)
{
	const struct path *path = &sample->path;
	bool pair = comparable(sample);
	char text[PATH_TEXT_SIZE], label[LABEL_PATH_SIZE];
	json_t *object;

	path_format(path, 0, text);
	path_labels(path, LABEL_DIGITS_MAX, label);
	object = json_pack(
	    "{s:o, s:o, s:s, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "path", render_text(text),
	    "name", render_text(path->depth > 0 ? path->node[path->depth - 1].name : ""), "label",
	    label, "pid", (json_int_t)sample->pid, "cpuid", (json_int_t)sample->cpuid, "memory_mb",
	    (json_int_t)sample->memory_mb, "target", render_text(sample->target), "started",
	    render_time(sample->started_us), "uptime_seconds", uptime_json(sample), "sampled",
	    render_time(sample->now.time_us), "interval_seconds",
	    pair ? seconds_json((uint64_t)(sample->now.time_us - sample->before.time_us))
		 : json_null());
	if (!object)
		return NULL;
	add_reading(object, sample);
	json_object_set_new(object, "rates",
			    pair ? rates_json(&sample->now, &sample->before) : json_null());
	return object;
}
