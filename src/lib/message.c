/*
 * The table of messages and the fields of each. What is not in it does not exist.
 */
#include "message.h"

static const struct field label_fields[] = {WIRE_BYTES(struct label, byte), WIRE_END};

static const struct field node_fields[] = {
    WIRE_STRUCT(struct node, label, label_fields),
    WIRE_STRING(struct node, name),
    WIRE_END,
};

const struct field path_fields[] = {
    WIRE_LIST(struct path, node, depth, node_fields),
    WIRE_END,
};

static const struct field cpuset_fields[] = {WIRE_BYTES(struct cpuset, bits), WIRE_END};

static const struct field bridge_fields[] = {
    WIRE_STRING(struct bridge, name),
    WIRE_U32(struct bridge, external),
    WIRE_BYTES(struct bridge, first),
    WIRE_BYTES(struct bridge, last),
    WIRE_BYTES(struct bridge, router),
    WIRE_U32(struct bridge, prefix),
    WIRE_END,
};

const struct field policy_fields[] = {
    WIRE_U32(struct policy, vms),
    WIRE_U32(struct policy, memory_mb),
    WIRE_U32(struct policy, block_mb),
    WIRE_STRUCT(struct policy, cpus, cpuset_fields),
    WIRE_LIST(struct policy, bridge, nbridges, bridge_fields),
    WIRE_END,
};

static const struct field image_fields[] = {
    WIRE_U32(struct image, form),	 WIRE_U32(struct image, arch),
    WIRE_U32(struct image, compression), WIRE_U64(struct image, offset),
    WIRE_U64(struct image, size),	 WIRE_U64(struct image, inflated),
    WIRE_BYTES(struct image, sha256),	 WIRE_END,
};

static const struct field net_spec_fields[] = {
    WIRE_STRING(struct net_spec, device),
    WIRE_STRING(struct net_spec, bridge),
    WIRE_END,
};

static const struct field block_spec_fields[] = {
    WIRE_STRING(struct block_spec, device),
    WIRE_STRING(struct block_spec, volume),
    WIRE_END,
};

static const struct field vm_config_fields[] = {
    WIRE_U32(struct vm_config, memory_mb),
    WIRE_U32(struct vm_config, cpuid),
    WIRE_STRINGS(struct vm_config, argv),
    WIRE_LIST(struct vm_config, net, nnets, net_spec_fields),
    WIRE_LIST(struct vm_config, block, nblocks, block_spec_fields),
    WIRE_STRUCT(struct vm_config, image, image_fields),
    WIRE_END,
};

static const struct field level_fields[] = {
    WIRE_STRUCT(struct level, node, node_fields),
    WIRE_U64(struct level, not_before),
    WIRE_STRUCT(struct level, policy, policy_fields),
    WIRE_END,
};

const struct field request_fields[] = {
    WIRE_LIST(struct request, level, depth, level_fields),
    WIRE_STRUCT(struct request, leaf, node_fields),
    WIRE_U32(struct request, kind),
    WIRE_U32(struct request, permissions),
    WIRE_U64(struct request, not_before),
    WIRE_U64(struct request, expires),
    WIRE_BYTES(struct request, path_id),
    WIRE_STRUCT(struct request, vm, vm_config_fields),
    WIRE_END,
};

static const struct field empty_fields[] = {WIRE_END};
static const struct field detail_fields[] = {WIRE_STRING(struct msg_detail, detail), WIRE_END};
static const struct field expires_fields[] = {WIRE_U64(struct msg_expires, expires), WIRE_END};
static const struct field peer_fields[] = {WIRE_STRING(struct msg_peer, peer), WIRE_END};
static const struct field signal_fields[] = {WIRE_U32(struct msg_signal, signal), WIRE_END};

static const struct field gate_counts_fields[] = {
    WIRE_U64(struct msg_gate_counts, connections),
    WIRE_U64(struct msg_gate_counts, handshakes_lost),
    WIRE_END,
};

static const struct field session_open_fields[] = {
    WIRE_U64(struct msg_session_open, session),
    WIRE_U64(struct msg_session_open, generation),
    WIRE_STRING(struct msg_session_open, peer),
    WIRE_STRUCT(struct msg_session_open, request, request_fields),
    WIRE_END,
};

static const struct field session_refused_fields[] = {
    WIRE_STRING(struct msg_session_refused, peer),
    WIRE_STRING(struct msg_session_refused, name),
    WIRE_STRUCT(struct msg_session_refused, path, path_fields),
    WIRE_STRING(struct msg_session_refused, detail),
    WIRE_END,
};

static const struct field image_digest_fields[] = {
    WIRE_U64(struct msg_image_digest, session),
    WIRE_BYTES(struct msg_image_digest, sha256),
    WIRE_END,
};

static const struct field revocation_push_fields[] = {
    WIRE_U64(struct msg_revocation_push, session),
    WIRE_U32(struct msg_revocation_push, id),
    WIRE_END,
};

static const struct field revocation_refused_fields[] = {
    WIRE_U64(struct msg_revocation_refused, session),
    WIRE_U32(struct msg_revocation_refused, id),
    WIRE_U32(struct msg_revocation_refused, status),
    WIRE_STRING(struct msg_revocation_refused, word),
    WIRE_STRING(struct msg_revocation_refused, detail),
    WIRE_END,
};

static const struct field revocation_list_fields[] = {
    WIRE_U64(struct msg_revocation_list, session),
    WIRE_U32(struct msg_revocation_list, id),
    WIRE_U64(struct msg_revocation_list, generation),
    WIRE_U64(struct msg_revocation_list, number),
    WIRE_U32(struct msg_revocation_list, count),
    WIRE_STRUCT(struct msg_revocation_list, scope, path_fields),
    WIRE_END,
};

static const struct field verdict_fields[] = {
    WIRE_U32(struct msg_verdict, verdict),
    WIRE_U32(struct msg_verdict, alert),
    WIRE_STRING(struct msg_verdict, word),
    WIRE_STRING(struct msg_verdict, detail),
    WIRE_END,
};

static const struct field id_fields[] = {WIRE_U32(struct msg_id, id), WIRE_END};

static const struct field vm_path_fields[] = {
    WIRE_U32(struct msg_vm_path, id),
    WIRE_STRING(struct msg_vm_path, path),
    WIRE_END,
};

static const struct field vm_start_fields[] = {
    WIRE_U32(struct msg_vm_start, id),
    WIRE_U32(struct msg_vm_start, force),
    WIRE_END,
};

static const struct field console_open_fields[] = {
    WIRE_U32(struct msg_console_open, id),	 WIRE_STRING(struct msg_console_open, path),
    WIRE_U64(struct msg_console_open, since_us), WIRE_U32(struct msg_console_open, lines),
    WIRE_U32(struct msg_console_open, follow),	 WIRE_END,
};

static const struct field log_open_fields[] = {
    WIRE_U32(struct msg_log_open, id),
    WIRE_U64(struct msg_log_open, since_us),
    WIRE_U32(struct msg_log_open, follow),
    WIRE_END,
};

static const struct field statistics_fields[] = {
    WIRE_U32(struct msg_statistics, id),
    WIRE_STRING(struct msg_statistics, path),
    WIRE_U32(struct msg_statistics, family),
    WIRE_END,
};

static const struct field volume_create_fields[] = {
    WIRE_U32(struct msg_volume_create, id),
    WIRE_STRING(struct msg_volume_create, path),
    WIRE_U32(struct msg_volume_create, size_mb),
    WIRE_END,
};

static const struct field volume_write_fields[] = {
    WIRE_U32(struct msg_volume_write, id),
    WIRE_STRING(struct msg_volume_write, path),
    WIRE_U64(struct msg_volume_write, size),
    WIRE_END,
};

static const struct field reply_error_fields[] = {
    WIRE_U32(struct msg_reply_error, id),
    WIRE_U32(struct msg_reply_error, status),
    WIRE_STRING(struct msg_reply_error, word),
    WIRE_STRING(struct msg_reply_error, detail),
    WIRE_END,
};

static const struct field reply_whoami_fields[] = {
    WIRE_U32(struct msg_reply_whoami, id),
    WIRE_STRUCT(struct msg_reply_whoami, leaf, node_fields),
    WIRE_U32(struct msg_reply_whoami, kind),
    WIRE_U32(struct msg_reply_whoami, permissions),
    WIRE_U64(struct msg_reply_whoami, expires),
    WIRE_STRING(struct msg_reply_whoami, label),
    WIRE_END,
};

static const struct field reply_level_fields[] = {
    WIRE_U32(struct msg_reply_level, id),
    WIRE_U32(struct msg_reply_level, relation),
    WIRE_STRING(struct msg_reply_level, path),
    WIRE_STRING(struct msg_reply_level, label),
    WIRE_STRUCT(struct msg_reply_level, granted, policy_fields),
    WIRE_U32(struct msg_reply_level, used_vms),
    WIRE_U64(struct msg_reply_level, used_memory_mb),
    WIRE_U64(struct msg_reply_level, used_block_mb),
    WIRE_END,
};

static const struct field reply_ended_fields[] = {
    WIRE_U32(struct msg_reply_ended, id),      WIRE_U32(struct msg_reply_ended, kind),
    WIRE_STRING(struct msg_reply_ended, path), WIRE_STRING(struct msg_reply_ended, label),
    WIRE_STRING(struct msg_reply_ended, peer), WIRE_END,
};

static const struct field session_end_fields[] = {
    WIRE_U32(struct msg_session_end, status),
    WIRE_STRING(struct msg_session_end, word),
    WIRE_STRING(struct msg_session_end, detail),
    WIRE_END,
};

const struct field tap_info_fields[] = {
    WIRE_STRING(struct tap_info, name),	  WIRE_STRING(struct tap_info, bridge),
    WIRE_STRING(struct tap_info, device), WIRE_BYTES(struct tap_info, mac),
    WIRE_BYTES(struct tap_info, address), WIRE_END,
};

static const struct field reply_vm_fields[] = {
    WIRE_U32(struct msg_reply_vm, id),
    WIRE_STRING(struct msg_reply_vm, path),
    WIRE_STRING(struct msg_reply_vm, label),
    WIRE_U32(struct msg_reply_vm, state),
    WIRE_U32(struct msg_reply_vm, pid),
    WIRE_U32(struct msg_reply_vm, cpuid),
    WIRE_U32(struct msg_reply_vm, memory_mb),
    WIRE_U32(struct msg_reply_vm, replaced),
    WIRE_U64(struct msg_reply_vm, started_us),
    WIRE_U64(struct msg_reply_vm, ended_us),
    WIRE_U32(struct msg_reply_vm, end),
    WIRE_U32(struct msg_reply_vm, end_value),
    WIRE_U32(struct msg_reply_vm, cause),
    WIRE_U32(struct msg_reply_vm, digest_known),
    WIRE_BYTES(struct msg_reply_vm, sha256),
    WIRE_U64(struct msg_reply_vm, image_size),
    WIRE_STRING(struct msg_reply_vm, target),
    WIRE_STRINGS(struct msg_reply_vm, argv),
    WIRE_STRINGS(struct msg_reply_vm, command),
    WIRE_LIST(struct msg_reply_vm, tap, ntaps, tap_info_fields),
    WIRE_LIST(struct msg_reply_vm, volume, nvolumes, block_spec_fields),
    WIRE_END,
};

static const struct field reply_volume_fields[] = {
    WIRE_U32(struct msg_reply_volume, id),
    WIRE_STRING(struct msg_reply_volume, path),
    WIRE_STRING(struct msg_reply_volume, label),
    WIRE_U32(struct msg_reply_volume, size_mb),
    WIRE_U64(struct msg_reply_volume, allocated),
    WIRE_STRING(struct msg_reply_volume, holder),
    WIRE_END,
};

static const struct field reply_data_fields[] = {
    WIRE_U32(struct msg_reply_data, id),
    WIRE_U64(struct msg_reply_data, size),
    WIRE_END,
};

static const struct field console_vm_fields[] = {
    WIRE_BYTES(struct msg_console_vm, path_id),
    WIRE_U32(struct msg_console_vm, redeployed),
    WIRE_END,
};

static const struct field console_ended_fields[] = {
    WIRE_BYTES(struct msg_console_ended, path_id),
    WIRE_U32(struct msg_console_ended, end),
    WIRE_U32(struct msg_console_ended, end_value),
    WIRE_END,
};

static const struct field console_drop_fields[] = {
    WIRE_BYTES(struct msg_console_drop, path_id),
    WIRE_END,
};

static const struct field console_read_fields[] = {
    WIRE_BYTES(struct msg_console_read, path_id),
    WIRE_U64(struct msg_console_read, since_us),
    WIRE_U32(struct msg_console_read, lines),
    WIRE_U32(struct msg_console_read, follow),
    WIRE_END,
};

const struct field entry_fields[] = {
    WIRE_U64(struct log_entry, seq),	   WIRE_U64(struct log_entry, time_us),
    WIRE_U32(struct log_entry, type),	   WIRE_STRUCT(struct log_entry, path, path_fields),
    WIRE_STRING(struct log_entry, peer),   WIRE_U32(struct log_entry, pid),
    WIRE_U32(struct log_entry, end),	   WIRE_U32(struct log_entry, end_value),
    WIRE_U32(struct log_entry, cause),	   WIRE_STRUCT(struct log_entry, by, path_fields),
    WIRE_STRING(struct log_entry, taps),   WIRE_STRING(struct log_entry, blocks),
    WIRE_STRING(struct log_entry, volume), WIRE_U64(struct log_entry, number),
    WIRE_STRING(struct log_entry, detail), WIRE_END,
};

static const struct field log_ring_fields[] = {
    WIRE_STRUCT(struct msg_log_ring, top, label_fields),
    WIRE_END,
};

static const struct field log_loaded_fields[] = {
    WIRE_U64(struct msg_log_loaded, seq),
    WIRE_END,
};

static const struct field log_read_fields[] = {
    WIRE_STRUCT(struct msg_log_read, scope, path_fields),
    WIRE_U64(struct msg_log_read, since_us),
    WIRE_U32(struct msg_log_read, follow),
    WIRE_END,
};

static const struct field stats_interval_fields[] = {
    WIRE_U32(struct msg_stats_interval, seconds),
    WIRE_END,
};

static const struct field stats_vm_fields[] = {
    WIRE_BYTES(struct msg_stats_vm, path_id),
    WIRE_STRUCT(struct msg_stats_vm, path, path_fields),
    WIRE_U32(struct msg_stats_vm, pid),
    WIRE_U32(struct msg_stats_vm, cpuid),
    WIRE_U32(struct msg_stats_vm, memory_mb),
    WIRE_STRING(struct msg_stats_vm, target),
    WIRE_U64(struct msg_stats_vm, started_us),
    WIRE_U32(struct msg_stats_vm, nblocks),
    WIRE_LIST(struct msg_stats_vm, tap, ntaps, tap_info_fields),
    WIRE_END,
};

static const struct field tap_drops_fields[] = {WIRE_U64(struct tap_drops, frames), WIRE_END};

static const struct field stats_drops_fields[] = {
    WIRE_BYTES(struct msg_stats_drops, path_id),
    WIRE_LIST(struct msg_stats_drops, tap, ntaps, tap_drops_fields),
    WIRE_END,
};

static const struct field stats_remove_fields[] = {
    WIRE_BYTES(struct msg_stats_remove, path_id),
    WIRE_END,
};

static const struct field role_state_fields[] = {
    WIRE_STRING(struct role_state, name),
    WIRE_U32(struct role_state, up),
    WIRE_U64(struct role_state, restarts),
    WIRE_END,
};

static const struct field family_fields[] = {
    WIRE_U64(struct family_reading, time_us),
    WIRE_U64(struct family_reading, started_us),
    WIRE_LIST(struct family_reading, role, nroles, role_state_fields),
    WIRE_U32(struct family_reading, sessions),
    WIRE_U64(struct family_reading, logins),
    WIRE_U64(struct family_reading, refusals),
    WIRE_U64(struct family_reading, connections),
    WIRE_U64(struct family_reading, handshakes_lost),
    WIRE_U64(struct family_reading, ca_expires),
    WIRE_U64(struct family_reading, server_expires),
    WIRE_U32(struct family_reading, vms),
    WIRE_U64(struct family_reading, vms_started),
    WIRE_U64(struct family_reading, vms_failed),
    WIRE_U64(struct family_reading, memory_mb),
    WIRE_U64(struct family_reading, memory_used_mb),
    WIRE_U64(struct family_reading, block_used_mb),
    WIRE_U32(struct family_reading, host_known),
    WIRE_U32(struct family_reading, host_cpus),
    WIRE_U64(struct family_reading, host_user_us),
    WIRE_U64(struct family_reading, host_system_us),
    WIRE_U64(struct family_reading, host_idle_us),
    WIRE_U64(struct family_reading, host_memory),
    WIRE_U64(struct family_reading, host_available),
    WIRE_END,
};

static const struct field stats_read_fields[] = {
    WIRE_STRUCT(struct msg_stats_read, path, path_fields),
    WIRE_U32(struct msg_stats_read, skip),
    WIRE_LIST(struct msg_stats_read, family, nfamily, family_fields),
    WIRE_END,
};

static const struct field tap_reading_fields[] = {
    WIRE_U64(struct tap_reading, received_bytes), WIRE_U64(struct tap_reading, received_packets),
    WIRE_U64(struct tap_reading, sent_bytes),	  WIRE_U64(struct tap_reading, sent_packets),
    WIRE_U64(struct tap_reading, dropped),	  WIRE_END,
};

static const struct field reading_fields[] = {
    WIRE_U64(struct reading, time_us),
    WIRE_U32(struct reading, parts),
    WIRE_U64(struct reading, user_us),
    WIRE_U64(struct reading, system_us),
    WIRE_U64(struct reading, minor_faults),
    WIRE_U64(struct reading, major_faults),
    WIRE_U64(struct reading, voluntary_switches),
    WIRE_U64(struct reading, involuntary_switches),
    WIRE_U64(struct reading, resident),
    WIRE_U64(struct reading, shared),
    WIRE_U64(struct reading, peak),
    WIRE_U64(struct reading, block_read),
    WIRE_U64(struct reading, block_written),
    WIRE_U64(struct reading, kvm_exits),
    WIRE_U64(struct reading, console_bytes),
    WIRE_U64(struct reading, console_lost),
    WIRE_LIST(struct reading, tap, ntaps, tap_reading_fields),
    WIRE_END,
};

static const struct field sample_fields[] = {
    WIRE_STRUCT(struct msg_sample, path, path_fields),
    WIRE_U32(struct msg_sample, pid),
    WIRE_U32(struct msg_sample, cpuid),
    WIRE_U32(struct msg_sample, memory_mb),
    WIRE_STRING(struct msg_sample, target),
    WIRE_U64(struct msg_sample, started_us),
    WIRE_LIST(struct msg_sample, tap, ntaps, tap_info_fields),
    WIRE_STRUCT(struct msg_sample, now, reading_fields),
    WIRE_STRUCT(struct msg_sample, before, reading_fields),
    WIRE_END,
};

static const struct field line_fields[] = {
    WIRE_U64(struct msg_line, time_us),
    WIRE_BUFFER(struct msg_line, bytes, size),
    WIRE_END,
};

static const struct field gap_fields[] = {WIRE_U64(struct msg_gap, lines), WIRE_END};

static const struct field ended_fields[] = {
    WIRE_U32(struct msg_ended, end),
    WIRE_U32(struct msg_ended, end_value),
    WIRE_END,
};

#define UPPER SIDE_UPPER
#define LOWER SIDE_LOWER
#define NEW   STATE_NEW
#define READY STATE_READY
#define ANY   STATE_ANY
#define ROW_OF(type, links, from, states, fds, structure, fields) \
	[MSG_##type] = {#type, links, from, states, fds, sizeof(structure), fields}
#define ROW(type, links, from, states, fds, body) \
	ROW_OF(type, links, from, states, fds, struct msg_##body, body##_fields)

/*   message          channel       sender in state  fds  structure */
static const struct message table[MSG_TYPES] = {
    ROW(ROLE_READY, LINK_ROLES, LOWER, NEW, 0, empty),
    ROW(ROLE_FAILED, LINK_ROLES, LOWER, ANY, 0, detail),
    ROW(ROLE_EXPIRES, LINK_GATE | LINK_AUTH, LOWER, NEW, 0, expires),

    ROW(GATE_CERTIFICATE, LINK_GATE, UPPER, NEW, 2, empty),
    ROW(GATE_LISTEN, LINK_GATE, UPPER, NEW, 1, peer),
    ROW(GATE_AUTH, LINK_GATE, UPPER, ANY, 1, empty),
    ROW(GATE_DRAIN, LINK_GATE, UPPER, READY, 0, empty),
    ROW(GATE_TAINTED, LINK_GATE, LOWER, READY, 0, signal),
    ROW(GATE_COUNTS, LINK_GATE, LOWER, READY, 0, gate_counts),

    ROW(AUTH_CA, LINK_AUTH, UPPER, NEW, 2, empty),
    ROW(AUTH_GATE, LINK_AUTH, UPPER, ANY, 1, empty),
    ROW(AUTH_DRAIN, LINK_AUTH, UPPER, READY, 0, empty),
    ROW(SESSION_OPEN, LINK_AUTH, LOWER, READY, 2, session_open),
    ROW(SESSION_REFUSED, LINK_AUTH, LOWER, READY, 0, session_refused),
    ROW(IMAGE_DIGEST, LINK_AUTH, LOWER, READY, 0, image_digest),
    ROW(REVOCATION_PUSH, LINK_AUTH, UPPER, READY, 1, revocation_push),
    ROW(REVOCATION_REFUSED, LINK_AUTH, LOWER, READY, 0, revocation_refused),
    ROW(REVOCATION_LIST, LINK_AUTH, LOWER, ANY, 1, revocation_list),

    ROW(CHAIN_CHANNEL, LINK_CHAINS, LOWER, ANY, 1, peer),
    ROW(CHAIN, LINK_CHAIN, LOWER, NEW, 2, empty),

    ROW(VERDICT, LINK_SESSION, UPPER, NEW, 0, verdict),
    ROW(HELLO, LINK_SESSION, LOWER, NEW, 0, empty),
    ROW(WHOAMI, LINK_SESSION, LOWER, READY, 0, id),
    ROW(VM_LIST, LINK_SESSION, LOWER, READY, 0, vm_path),
    ROW(VM_START, LINK_SESSION, LOWER, READY, 0, vm_start),
    ROW(VM_DESTROY, LINK_SESSION, LOWER, READY, 0, vm_path),
    ROW(CONSOLE_OPEN, LINK_SESSION, LOWER, READY, 0, console_open),
    ROW(LOG_OPEN, LINK_SESSION, LOWER, READY, 0, log_open),
    ROW(STATISTICS, LINK_SESSION, LOWER, READY, 0, statistics),
    ROW(REVOKE, LINK_SESSION, LOWER, READY, 0, id),
    ROW(VOLUME_LIST, LINK_SESSION, LOWER, READY, 0, vm_path),
    ROW(VOLUME_CREATE, LINK_SESSION, LOWER, READY, 0, volume_create),
    ROW(VOLUME_DESTROY, LINK_SESSION, LOWER, READY, 0, vm_path),
    ROW(VOLUME_READ, LINK_SESSION, LOWER, READY, 0, vm_path),
    ROW(VOLUME_WRITE, LINK_SESSION, LOWER, READY, 0, volume_write),
    ROW(VOLUME_WRITTEN, LINK_SESSION, LOWER, READY, 0, id),
    ROW(REPLY_ERROR, LINK_SESSION, UPPER, READY, 0, reply_error),
    ROW(REPLY_WHOAMI, LINK_SESSION, UPPER, READY, 0, reply_whoami),
    ROW(REPLY_LEVEL, LINK_SESSION, UPPER, READY, 0, reply_level),
    ROW(REPLY_VM, LINK_SESSION, UPPER, READY, 0, reply_vm),
    ROW(REPLY_STREAM, LINK_SESSION, UPPER, READY, 1, id),
    ROW(REPLY_VOLUME, LINK_SESSION, UPPER, READY, 0, reply_volume),
    ROW(REPLY_DATA, LINK_SESSION, UPPER, READY, 1, reply_data),
    ROW(REPLY_ENDED, LINK_SESSION, UPPER, READY, 0, reply_ended),
    ROW(REPLY_END, LINK_SESSION, UPPER, READY, 0, id),
    ROW(SESSION_END, LINK_SESSION, UPPER, READY, 0, session_end),

    ROW(CONSOLE_ADD, LINK_CONSOLE, UPPER, ANY, 3, console_vm),
    ROW(CONSOLE_ENDED, LINK_CONSOLE, UPPER, ANY, 0, console_ended),
    ROW(CONSOLE_DROP, LINK_CONSOLE, UPPER, ANY, 0, console_drop),
    ROW(CONSOLE_READ, LINK_CONSOLE, UPPER, READY, 1, console_read),

    ROW(LOG_RING, LINK_LOG, UPPER, ANY, 1, log_ring),
    ROW(LOG_LOADED, LINK_LOG, LOWER, ANY, 0, log_loaded),
    ROW_OF(LOG_ENTRY, LINK_LOG, UPPER, READY, 0, struct log_entry, entry_fields),
    ROW(LOG_READ, LINK_LOG, UPPER, READY, 1, log_read),
    ROW(LOG_FILE, LINK_LOG, UPPER, ANY, 1, empty),
    ROW(LOG_SYSLOG, LINK_LOG, UPPER, ANY, 1, empty),

    ROW(STATS_INTERVAL, LINK_STATS, UPPER, NEW, 0, stats_interval),
    ROW(STATS_LINKS, LINK_STATS, UPPER, NEW, 1, empty),
    ROW(STATS_HOST, LINK_STATS, UPPER, NEW, 2, empty),
    ROW(STATS_ADD, LINK_STATS, UPPER, READY, 4, stats_vm),
    ROW(STATS_DROPS, LINK_STATS, UPPER, READY, 0, stats_drops),
    ROW(STATS_REMOVE, LINK_STATS, UPPER, READY, 0, stats_remove),
    ROW(STATS_READ, LINK_STATS, UPPER, READY, 1, stats_read),

    ROW(LINE, LINK_READER, UPPER, ANY, 0, line),
    ROW(GAP, LINK_READER, UPPER, ANY, 0, gap),
    ROW(DETACHED, LINK_READER, UPPER, ANY, 0, empty),
    ROW(ENDED, LINK_READER, UPPER, ANY, 0, ended),
    ROW_OF(ENTRY, LINK_READER, UPPER, ANY, 0, struct log_entry, entry_fields),
    ROW(SAMPLE, LINK_READER, UPPER, ANY, 0, sample),
    ROW_OF(FAMILY, LINK_READER, UPPER, ANY, 0, struct family_reading, family_fields),
    ROW(SAMPLES_END, LINK_READER, UPPER, ANY, 0, empty),
};

const struct message *message_find(uint32_t type)
{
	return type > 0 && type < MSG_TYPES ? &table[type] : NULL;
}

const char *message_refusal(uint32_t type, enum link link, enum side to, enum state state,
			    unsigned nfds)
{
	const struct message *m = message_find(type);

	if (m == NULL)
		return "unknown message";
	if (!(m->links & link))
		return "a message of another channel";
	if (m->from == to)
		return "a message of the other side";
	if (!(m->states & state))
		return "a message out of order";
	if (m->fds != nfds)
		return "the wrong number of descriptors";
	return NULL;
}
