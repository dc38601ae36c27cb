/* JSON of what a session is told. Pure. */
#include "render.h"

#include <string.h>

#include "times.h"
#include "utf8.h"

json_t *render_text(const char *text)
{
	static const char replacement[] = "\xef\xbf\xbd";
	size_t len = strlen(text), at = 0, used = 0;
	json_t *value = json_string(text);
	char *fixed;

	if (value || utf8_valid(text, len))
		return value;
	fixed = malloc(3 * len + 1);
	if (!fixed)
		return NULL;
	while (at < len) {
		size_t start = at;

		if (utf8_next(text, len, &at) >= 0) {
			memcpy(fixed + used, text + start, at - start);
			used += at - start;
			continue;
		}
		memcpy(fixed + used, replacement, 3);
		used += 3;
		at++;
	}
	value = json_stringn(fixed, used);
	free(fixed);
	return value;
}

static json_t *hex_json(const uint8_t *bytes, size_t size, const char *separator)
{
	static const char digits[] = "0123456789abcdef";
	char text[3 * 64 + 1];
	size_t n = 0;

	for (size_t i = 0; i < size; i++) {
		if (i > 0 && *separator)
			text[n++] = *separator;
		text[n++] = digits[bytes[i] >> 4];
		text[n++] = digits[bytes[i] & 15];
	}
	return json_stringn(text, n);
}

json_t *render_time(int64_t time_us)
{
	char text[TIME_TEXT_SIZE];

	if (time_us == 0)
		return json_null();
	time_format(time_us, text);
	return json_string(text);
}

static json_t *strings_json(const struct strings *list)
{
	json_t *array = json_array();

	for (const char *s = strings_next(list, NULL); s; s = strings_next(list, s))
		json_array_append_new(array, render_text(s));
	return array;
}

static const char *word(const char *const *words, size_t n, uint32_t value)
{
	return value < n ? words[value] : "unknown";
}
#define WORD(words, value) word(words, sizeof(words) / sizeof(words[0]), value)

/* GET / */

static json_t *permissions_json(uint32_t permissions)
{
	json_t *array = json_array();

	for (uint32_t bit = 1; bit != 0; bit <<= 1) {
		if ((permissions & bit) && permission_name(bit))
			json_array_append_new(array, json_string(permission_name(bit)));
	}
	return array;
}

json_t *render_whoami(const struct msg_reply_whoami *whoami)
{
	static const char *const kinds[] = {
	    [LEAF_COMMAND] = "command", [LEAF_VM] = "vm", [LEAF_REVOCATION] = "revocation"};

	return json_pack("{s:o, s:o, s:s, s:o, s:o, s:[]}", "name", render_text(whoami->leaf.name),
			 "label", render_text(whoami->label), "kind", WORD(kinds, whoami->kind),
			 "permissions", permissions_json(whoami->permissions), "expires",
			 render_time(whoami->expires * 1000000), "delegations");
}

static json_t *cpus_json(const struct cpuset *cpus)
{
	json_t *array = json_array();

	for (unsigned cpu = 0; cpu < CPUS_MAX; cpu++) {
		if (cpuset_has(cpus, cpu))
			json_array_append_new(array, json_integer(cpu));
	}
	return array;
}

static json_t *granted_json(const struct policy *policy)
{
	json_t *bridges = json_array();
	char text[96];

	for (uint32_t i = 0; i < policy->nbridges; i++) {
		bridge_format(&policy->bridge[i], text, sizeof(text));
		json_array_append_new(bridges, render_text(text));
	}
	return json_pack("{s:I, s:I, s:I, s:o, s:o}", "vms", (json_int_t)policy->vms, "memory_mb",
			 (json_int_t)policy->memory_mb, "block_mb", (json_int_t)policy->block_mb,
			 "cpuids", cpus_json(&policy->cpus), "bridges", bridges);
}

static json_t *usage_json(uint64_t vms, uint64_t memory_mb, uint64_t block_mb)
{
	return json_pack("{s:I, s:I, s:I}", "vms", (json_int_t)vms, "memory_mb",
			 (json_int_t)memory_mb, "block_mb", (json_int_t)block_mb);
}

static uint64_t left(uint64_t granted, uint64_t used)
{
	return granted > used ? granted - used : 0;
}

static json_t *free_json(const struct policy *granted, const struct msg_reply_level *used)
{
	return usage_json(left(granted->vms, used->used_vms),
			  left(granted->memory_mb, used->used_memory_mb),
			  left(granted->block_mb, used->used_block_mb));
}

/* A host does not count VMs. */
static void host_unlimited(json_t *level)
{
	json_object_set_new(json_object_get(level, "granted"), "vms", json_null());
	json_object_set_new(json_object_get(level, "free"), "vms", json_null());
}

static const char *level_name(const struct msg_reply_level *level)
{
	const char *last = strrchr(level->path, '/');

	if (*level->path == '\0')
		return "this host";
	return last ? last + 1 : level->path;
}

bool render_level(json_t *whoami, const struct msg_reply_level *level)
{
	static const char *const relations[] = {
	    [LEVEL_ABOVE] = "above", [LEVEL_OWN] = "own", [LEVEL_BELOW] = "below"};
	const struct policy *granted = &level->granted;
	json_t *object = json_pack(
	    "{s:o, s:o, s:s, s:s, s:o}", "name", render_text(level_name(level)), "path",
	    render_text(level->path), "label", level->label, "relation",
	    WORD(relations, level->relation), "granted", granted_json(granted));

	if (object && level->relation != LEVEL_ABOVE) {
		json_object_set_new(
		    object, "used",
		    usage_json(level->used_vms, level->used_memory_mb, level->used_block_mb));
		json_object_set_new(object, "free", free_json(granted, level));
	}
	if (object && *level->path == '\0' && granted->vms == POLICY_NUMBER_MAX)
		host_unlimited(object);
	return json_array_append_new(json_object_get(whoami, "delegations"), object) == 0;
}

/* A VM. */

json_t *render_end(uint32_t end, uint32_t value)
{
	switch (end) {
	case END_NONE:
		return json_null();
	case END_EXIT:
		return json_pack("{s:I}", "exit", (json_int_t)value);
	case END_SIGNAL:
		return json_pack("{s:I}", "signal", (json_int_t)value);
	default:
		return json_pack("{s:b}", "unknown", 1);
	}
}

json_t *render_cause(uint32_t end, uint32_t cause)
{
	const char *name = cause_name(cause);

	return end == END_NONE ? json_null() : json_string(name ? name : "unknown");
}

static json_t *tap_json(const struct tap_info *tap)
{
	static const uint8_t none[4];
	char address[32];

	snprintf(address, sizeof(address), "%u.%u.%u.%u", tap->address[0], tap->address[1],
		 tap->address[2], tap->address[3]);
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "name", render_text(tap->name), "bridge",
			 render_text(tap->bridge), "device", render_text(tap->device), "mac",
			 hex_json(tap->mac, sizeof(tap->mac), ":"), "address",
			 memcmp(tap->address, none, 4) ? json_string(address) : json_null());
}

static json_t *taps_json(const struct msg_reply_vm *vm)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < vm->ntaps; i++)
		json_array_append_new(array, tap_json(&vm->tap[i]));
	return array;
}

static json_t *volumes_json(const struct msg_reply_vm *vm)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < vm->nvolumes; i++)
		json_array_append_new(array, json_pack("{s:o, s:o}", "name",
						       render_text(vm->volume[i].volume), "device",
						       render_text(vm->volume[i].device)));
	return array;
}

static json_t *image_json(const struct msg_reply_vm *vm)
{
	return json_pack("{s:o, s:I, s:o}", "sha256",
			 vm->digest_known ? hex_json(vm->sha256, DIGEST_SIZE, "") : json_null(),
			 "size", (json_int_t)vm->image_size, "target", render_text(vm->target));
}

json_t *render_vm(const struct msg_reply_vm *vm)
{
	static const char *const states[] = {[VM_STARTING] = "starting",
					     [VM_RUNNING] = "running",
					     [VM_STOPPING] = "stopping",
					     [VM_ENDED] = "ended"};
	const char *slash = strrchr(vm->path, '/');

	json_t *object = json_pack(
	    "{s:o, s:o, s:o, s:s, s:o, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
	    "path", render_text(vm->path), "name", render_text(slash ? slash + 1 : vm->path),
	    "label", render_text(vm->label), "state", WORD(states, vm->state), "pid",
	    vm->pid ? json_integer(vm->pid) : json_null(), "cpuid", (json_int_t)vm->cpuid,
	    "memory_mb", (json_int_t)vm->memory_mb, "started", render_time(vm->started_us), "ended",
	    render_time(vm->ended_us), "end", render_end(vm->end, vm->end_value), "cause",
	    render_cause(vm->end, vm->cause), "image", image_json(vm), "argv",
	    strings_json(&vm->argv), "command", strings_json(&vm->command), "taps", taps_json(vm),
	    "volumes", volumes_json(vm));

	if (object && vm->replaced)
		json_object_set_new(object, "replaced", json_integer(vm->replaced));
	return object;
}

json_t *render_volume(const struct msg_reply_volume *volume)
{
	const char *slash = strrchr(volume->path, '/');
	json_t *object = json_pack("{s:o, s:o, s:s, s:I, s:I}", "path", render_text(volume->path),
				   "name", render_text(slash ? slash + 1 : volume->path), "label",
				   volume->label, "size_mb", (json_int_t)volume->size_mb,
				   "allocated", (json_int_t)volume->allocated);

	if (object && *volume->holder)
		json_object_set_new(object, "vm", render_text(volume->holder));
	return object;
}

json_t *render_revoked(const struct msg_reply_ended *ended)
{
	static const char *const kinds[] = {
	    [ENDED_VM] = "vm", [ENDED_SESSION] = "session", [ENDED_VOLUME] = "volume"};
	bool session = ended->kind == ENDED_SESSION;
	json_t *object = json_pack("{s:s, s:o, s:s}", "kind", WORD(kinds, ended->kind), "path",
				   render_text(ended->path), "label", ended->label);

	if (object && session)
		json_object_set_new(object, "peer", render_text(ended->peer));
	return object;
}

/* Problem documents. */

static const char *status_title(int status)
{
	switch (status) {
	case 400:
		return "Bad request";
	case 403:
		return "Forbidden";
	case 404:
		return "Not found";
	case 409:
		return "Conflict";
	case 413:
		return "Too large";
	case 422:
		return "The image cannot run";
	case 503:
		return "Unavailable";
	default:
		return "Failed";
	}
}

json_t *render_problem(int status, const char *problem, const char *detail)
{
	char type[sizeof("urn:vmm:") + WORD_SIZE];

	snprintf(type, sizeof(type), "urn:vmm:%s", problem);
	return json_pack("{s:o, s:s, s:i, s:o}", "type", render_text(type), "title",
			 status_title(status), "status", status, "detail", render_text(detail));
}
