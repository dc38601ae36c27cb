/* What gate_upper's vmmd, vmm_console and vmm_log say. */
#include "gate_replies.h"

#include <stdio.h>
#include <string.h>

void send_vm(struct channel *session, uint32_t id, const char *path)
{
	static struct msg_reply_vm vm;

	memset(&vm, 0, sizeof(vm));
	vm.id = id;
	snprintf(vm.path, sizeof(vm.path), "%s", path);
	snprintf(vm.label, sizeof(vm.label), "82db56.43a0ff");
	vm.state = VM_RUNNING;
	vm.pid = 4711;
	vm.cpuid = 1;
	vm.memory_mb = 32;
	vm.started_us = 1499679819123456;
	vm.image_size = 3054000;
	snprintf(vm.target, sizeof(vm.target), "hvt");
	strings_add(&vm.argv, "Hello");
	strings_add(&vm.command, "vmm_monitor");
	strings_add(&vm.command, "--mem=32");
	vm.ntaps = 1;
	snprintf(vm.tap[0].name, sizeof(vm.tap[0].name), "tap27");
	snprintf(vm.tap[0].bridge, sizeof(vm.tap[0].bridge), "ext");
	snprintf(vm.tap[0].device, sizeof(vm.tap[0].device), "service");
	vm.tap[0].mac[0] = 2;
	channel_send(session, MSG_REPLY_VM, &vm, NULL);
}

void send_error(struct channel *session, uint32_t id, uint32_t status, const char *word,
		const char *detail)
{
	struct msg_reply_error error = {.id = id, .status = status};

	snprintf(error.word, sizeof(error.word), "%s", word);
	snprintf(error.detail, sizeof(error.detail), "%s", detail);
	channel_send(session, MSG_REPLY_ERROR, &error, NULL);
}

void send_end(struct channel *session, uint32_t id)
{
	channel_send(session, MSG_REPLY_END, &(struct msg_id){id}, NULL);
}

void send_whoami(struct channel *session, uint32_t id)
{
	static struct msg_reply_whoami whoami;
	static struct msg_reply_level level;

	memset(&whoami, 0, sizeof(whoami));
	memset(&level, 0, sizeof(level));
	whoami.id = level.id = id;
	snprintf(whoami.leaf.name, sizeof(whoami.leaf.name), "admin");
	snprintf(whoami.label, sizeof(whoami.label), "82db56.43a0ff");
	whoami.permissions = PERMIT_INFO | PERMIT_FORCE_CREATE;
	whoami.expires = 1893456000;
	channel_send(session, MSG_REPLY_WHOAMI, &whoami, NULL);
	snprintf(level.path, sizeof(level.path), "dev");
	level.granted.vms = 2;
	level.granted.memory_mb = 1024;
	cpuset_add(&level.granted.cpus, 3);
	channel_send(session, MSG_REPLY_LEVEL, &level, NULL);
	level.relation = LEVEL_OWN;
	level.used_vms = 1;
	level.used_memory_mb = 2000;
	channel_send(session, MSG_REPLY_LEVEL, &level, NULL);
	level.relation = LEVEL_BELOW;
	snprintf(level.path, sizeof(level.path), "a/b");
	channel_send(session, MSG_REPLY_LEVEL, &level, NULL);
	send_end(session, id);
}

void send_vms(struct channel *session, const struct msg_vm_path *ask)
{
	unsigned n = !strcmp(ask->path, "many") ? 300 : 2;
	char path[PATH_TEXT_SIZE];

	if (!strcmp(ask->path, "absent")) {
		send_error(session, ask->id, 404, "not-found", "there is no absent");
		return;
	}
	for (unsigned i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "dev/vm%u", i);
		send_vm(session, ask->id, path);
	}
	send_end(session, ask->id);
}

static void send_line(struct channel *reader, uint64_t number, const char *text, size_t size)
{
	static struct msg_line line;

	line.time_us = 1499679819000000 + (int64_t)number;
	line.size = (uint32_t)size;
	memcpy(line.bytes, text, size);
	channel_send(reader, MSG_LINE, &line, NULL);
}

bool play_console(struct channel *reader, const char *path)
{
	static const struct {
		const char *path;
		struct msg_ended ended;
	} ends[] = {
	    {"ended", {END_EXIT, 3}}, {"killed", {END_SIGNAL, 9}}, {"unknown", {END_UNKNOWN, 0}}};

	send_line(reader, 1, "one", 3);
	if (!strcmp(path, "raw")) {
		send_line(reader, 2, "\x1b[2J\xc2\x9b", 6);
		send_line(reader, 3, "\xff\xfe", 2);
		send_line(reader, 4, "gr\xc3\xbc\xc3\x9f dich", 11);
		channel_send(reader, MSG_GAP, &(struct msg_gap){7}, NULL);
	}
	if (!strcmp(path, "detached"))
		channel_send(reader, MSG_DETACHED, &(struct msg_empty){0}, NULL);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (strcmp(path, ends[i].path) != 0)
			continue;
		channel_send(reader, MSG_ENDED, &ends[i].ended, NULL);
		return true;
	}
	return !strcmp(path, "restart") || !strcmp(path, "detached");
}

static struct path path_of(const char *name)
{
	struct path path = {.depth = 1};

	path.node[0].label.byte[0] = 0x82;
	snprintf(path.node[0].name, sizeof(path.node[0].name), "%s", name);
	return path;
}

/* What can be in an entry of each type. */
static void fill_entry(struct log_entry *entry, uint32_t type)
{
	*entry = (struct log_entry){.seq = 1499679819000000 + type,
				    .time_us = 1499679819000000 + (int64_t)type,
				    .type = type};
	if (type == ENTRY_STARTUP)
		return;
	entry->path = path_of("hello");
	entry->by = path_of("admin");
	entry->pid = 4711;
	entry->end = END_SIGNAL;
	entry->end_value = 9;
	entry->cause = CAUSE_DESTROYED;
	entry->number = 12;
	snprintf(entry->peer, sizeof(entry->peer), "127.0.0.1:4711");
	snprintf(entry->taps, sizeof(entry->taps), "tap27, tap28");
	snprintf(entry->volume, sizeof(entry->volume), "data");
	snprintf(entry->detail, sizeof(entry->detail), "\x1b[2Jwhy");
}

void play_log(struct channel *reader)
{
	static struct log_entry entry;

	for (uint32_t type = ENTRY_STARTUP; type < ENTRY_TYPES; type++) {
		fill_entry(&entry, type);
		channel_send(reader, MSG_ENTRY, &entry, NULL);
	}
	channel_send(reader, MSG_GAP, &(struct msg_gap){7}, NULL);
}

static void send_volume(struct channel *session, uint32_t id, const char *path, uint32_t size_mb,
			const char *holder)
{
	struct msg_reply_volume volume = {
	    .id = id, .label = "82db56", .size_mb = size_mb, .allocated = 4096};

	snprintf(volume.path, sizeof(volume.path), "%s", path);
	snprintf(volume.holder, sizeof(volume.holder), "%s", holder);
	channel_send(session, MSG_REPLY_VOLUME, &volume, NULL);
}

void send_volumes(struct channel *session, const struct msg_vm_path *ask)
{
	if (!strcmp(ask->path, "absent")) {
		send_error(session, ask->id, 404, "not-found", "there is no absent");
		return;
	}
	send_volume(session, ask->id, "dev/vol", 64, "");
	send_volume(session, ask->id, "dev/d\xc3\xa9p\xc3\xb4t", 2147483647, "dev/hello");
	send_end(session, ask->id);
}

void send_created(struct channel *session, const struct msg_volume_create *ask)
{
	if (!strcmp(ask->path, "taken")) {
		send_error(session, ask->id, 409, "exists", "taken is there already");
		return;
	}
	send_volume(session, ask->id, ask->path, ask->size_mb, "");
	send_end(session, ask->id);
}

void send_revoked(struct channel *session, uint32_t id)
{
	static struct msg_reply_ended ended;

	ended = (struct msg_reply_ended){
	    .id = id, .kind = ENDED_VM, .path = "dan/hello", .label = "82db56.43a0ff"};
	channel_send(session, MSG_REPLY_ENDED, &ended, NULL);
	ended.kind = ENDED_SESSION;
	snprintf(ended.path, sizeof(ended.path), "dan/admin");
	snprintf(ended.peer, sizeof(ended.peer), "127.0.0.1:4711");
	channel_send(session, MSG_REPLY_ENDED, &ended, NULL);
	send_end(session, id);
}
