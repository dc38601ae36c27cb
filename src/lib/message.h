/*
 * Every message of the family, in one table: who sends it, on which kind of channel, in which state
 * of the receiver, how long it may be and how many descriptors come with it. The table is the
 * security policy between the processes; channel.c enforces it before any handler sees a byte, and
 * tests/unit/test_message.c is generated from it. doc/messages.md tells the same as a story.
 */
#ifndef VMM_MESSAGE_H
#define VMM_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "entry.h"
#include "path.h"
#include "policy.h"
#include "reading.h"
#include "request.h"
#include "wire.h"

#define MESSAGE_MAX	 65536 /* bytes of the longest datagram */
#define MESSAGE_FDS_MAX	 4
#define WORD_SIZE	 32 /* the WORD of urn:vmm:WORD */
#define TARGET_SIZE	 16 /* "hvt", "spt" */
#define LABEL_PATH_SIZE	 (PATH_DEPTH_MAX * (LABEL_DIGITS_MAX + 1))
#define CONSOLE_LINE_MAX 4096

/*
 * A channel joins two sides. UPPER is the side that decides: vmmd towards its roles, vmm_auth
 * towards the gate, vmm_auth and then vmmd on a session, vmm_console, vmm_log and vmm_stats towards
 * a reader.
 */
enum link {
	LINK_GATE = 1 << 0,    /* vmmd - vmm_gate */
	LINK_AUTH = 1 << 1,    /* vmmd - vmm_auth */
	LINK_CONSOLE = 1 << 2, /* vmmd - vmm_console */
	LINK_CHAINS = 1 << 3,  /* vmm_auth - vmm_gate: announces workers */
	LINK_CHAIN = 1 << 4,   /* vmm_auth - one worker: its chain */
	LINK_SESSION = 1 << 5, /* vmm_auth, then vmmd - one worker */
	LINK_READER = 1 << 6,  /* vmm_console, vmm_log, vmm_stats - one worker: one stream */
	LINK_LOG = 1 << 7,     /* vmmd - vmm_log */
	LINK_STATS = 1 << 8,   /* vmmd - vmm_stats */
};
#define LINK_ROLES (LINK_GATE | LINK_AUTH | LINK_CONSOLE | LINK_LOG | LINK_STATS)

enum side { SIDE_UPPER, SIDE_LOWER };

/* State of the receiving end; a message arriving in another state is refused. */
enum state {
	STATE_NEW =
	    1 << 0, /* a role before READY; a session before HELLO, at the worker before VERDICT */
	STATE_READY = 1 << 1, /* in service */
};
#define STATE_ANY (STATE_NEW | STATE_READY)

enum message_type {
	/* any role -> vmmd */
	MSG_ROLE_READY = 1,
	MSG_ROLE_FAILED,
	MSG_ROLE_EXPIRES,
	/* vmmd <-> gate */
	MSG_GATE_CERTIFICATE,
	MSG_GATE_LISTEN,
	MSG_GATE_AUTH,
	MSG_GATE_DRAIN,
	MSG_GATE_TAINTED,
	MSG_GATE_COUNTS,
	/* vmmd <-> auth */
	MSG_AUTH_CA,
	MSG_AUTH_GATE,
	MSG_AUTH_DRAIN,
	MSG_SESSION_OPEN,
	MSG_SESSION_REFUSED,
	MSG_IMAGE_DIGEST,
	MSG_REVOCATION_PUSH,
	MSG_REVOCATION_REFUSED,
	MSG_REVOCATION_LIST,
	/* gate -> auth, worker -> auth */
	MSG_CHAIN_CHANNEL,
	MSG_CHAIN,
	/* auth -> worker, then worker <-> vmmd */
	MSG_VERDICT,
	MSG_HELLO,
	MSG_WHOAMI,
	MSG_VM_LIST,
	MSG_VM_START,
	MSG_VM_DESTROY,
	MSG_CONSOLE_OPEN,
	MSG_LOG_OPEN,
	MSG_STATISTICS,
	MSG_REVOKE,
	MSG_VOLUME_LIST,
	MSG_VOLUME_CREATE,
	MSG_VOLUME_DESTROY,
	MSG_VOLUME_READ,
	MSG_VOLUME_WRITE,
	MSG_VOLUME_WRITTEN,
	MSG_REPLY_ERROR,
	MSG_REPLY_WHOAMI,
	MSG_REPLY_LEVEL,
	MSG_REPLY_VM,
	MSG_REPLY_STREAM,
	MSG_REPLY_VOLUME,
	MSG_REPLY_DATA,
	MSG_REPLY_ENDED,
	MSG_REPLY_END,
	MSG_SESSION_END,
	/* vmmd <-> console */
	MSG_CONSOLE_ADD,
	MSG_CONSOLE_ENDED,
	MSG_CONSOLE_DROP,
	MSG_CONSOLE_READ,
	/* vmmd <-> log */
	MSG_LOG_RING,
	MSG_LOG_LOADED,
	MSG_LOG_ENTRY,
	MSG_LOG_READ,
	MSG_LOG_FILE,
	MSG_LOG_SYSLOG,
	/* vmmd <-> stats */
	MSG_STATS_INTERVAL,
	MSG_STATS_LINKS,
	MSG_STATS_HOST,
	MSG_STATS_ADD,
	MSG_STATS_DROPS,
	MSG_STATS_REMOVE,
	MSG_STATS_READ,
	/* console, log or stats -> worker */
	MSG_LINE,
	MSG_GAP,
	MSG_DETACHED,
	MSG_ENDED,
	MSG_ENTRY,
	MSG_SAMPLE,
	MSG_FAMILY,
	MSG_SAMPLES_END,
	MSG_TYPES
};

/*
 * A message without fields. AUTH_DRAIN: a successor has taken over; what the gates have announced
 * is judged until each has let go of its channel.
 */
struct msg_empty {
	uint32_t unused;
};

/* ROLE_FAILED: why a role cannot work. */
struct msg_detail {
	char detail[DETAIL_SIZE];
};

/*
 * ROLE_EXPIRES, before READY: when the certificate that the role works with ends, in seconds since
 * 1970; the gate's is the server's, vmm_auth's the CA's.
 */
struct msg_expires {
	int64_t expires;
};

/* GATE_LISTEN (with the socket), CHAIN_CHANNEL (with the worker's channel): "[::1]:1025". */
struct msg_peer {
	char peer[PEER_SIZE];
};

/* GATE_TAINTED: a worker died of this signal; its siblings share an address layout. */
struct msg_signal {
	uint32_t signal;
};

/* GATE_COUNTS: since the last one, once a second at most and only when there is something. */
struct msg_gate_counts {
	uint64_t connections;	  /* that were accepted */
	uint64_t handshakes_lost; /* that came to nothing */
};

/*
 * CHAIN and SESSION_OPEN, descriptors: the session socket, the memfd with the chain. SESSION is a
 * random number that vmm_auth draws; IMAGE_DIGEST refers to it. GENERATION is of the revocation
 * lists that the chain was held against: a list of a later one may speak of it.
 */
struct msg_session_open {
	uint64_t session;
	uint64_t generation;
	char peer[PEER_SIZE];
	struct request request;
};

/*
 * SESSION_REFUSED: a chain of ours without authority, for the log. PATH is the leaf's, where every
 * certificate above it has a name and a label that may be printed; else of depth 0.
 */
struct msg_session_refused {
	char peer[PEER_SIZE];
	char name[NAME_SIZE]; /* the leaf's; empty when it has none that may be printed */
	struct path path;
	char detail[DETAIL_SIZE];
};

/* IMAGE_DIGEST: of an embedded image, computed after the session was handed over. */
struct msg_image_digest {
	uint64_t session;
	uint8_t sha256[DIGEST_SIZE];
};

/*
 * REVOCATION_PUSH, descriptor: the chain of a session with a revocation certificate, verified and
 * read again. Answered by REVOCATION_REFUSED or REVOCATION_LIST with the same SESSION and ID.
 */
struct msg_revocation_push {
	uint64_t session;
	uint32_t id;
};

struct msg_revocation_refused {
	uint64_t session;
	uint32_t id;
	uint32_t status; /* HTTP */
	char word[WORD_SIZE];
	char detail[DETAIL_SIZE];
};

/*
 * REVOCATION_LIST: what the issuer at SCOPE has taken back so far, stored safely. SESSION and ID:
 * of the push; both 0 for a list that a starting vmm_auth found stored. Descriptor: a sealed memfd
 * of COUNT labels, LABEL_SIZE bytes each, sorted.
 */
struct msg_revocation_list {
	uint64_t session;
	uint32_t id;
	uint64_t generation; /* grows with each list, from 1 */
	uint64_t number;     /* the list's crlNumber, its lowest 64 bits */
	uint32_t count;
	struct path scope;
};

enum verdict {
	VERDICT_ACCEPT, /* the socket now leads to vmmd */
	VERDICT_REFUSE, /* finish the handshake, answer every request 403 with DETAIL */
	VERDICT_ALERT,	/* end the handshake with the TLS alert ALERT */
};

struct msg_verdict {
	uint32_t verdict;
	uint32_t alert;
	char word[WORD_SIZE]; /* of the problem document: "expired", "policy" */
	char detail[DETAIL_SIZE];
};

/* Requests of a session. ID is the worker's, and comes back with every reply. */
struct msg_id { /* WHOAMI, REVOKE, VOLUME_WRITTEN, REPLY_STREAM (with the stream), REPLY_END */
	uint32_t id;
};

/*
 * VM_LIST, VM_DESTROY, VOLUME_DESTROY, VOLUME_READ: PATH as the person wrote it, "" for the whole
 * scope. VOLUME_LIST likewise: the volumes of the delegation there and below, or that one volume.
 */
struct msg_vm_path {
	uint32_t id;
	char path[PATH_TEXT_SIZE];
};

struct msg_vm_start {
	uint32_t id;
	uint32_t force;
};

struct msg_console_open {
	uint32_t id;
	char path[PATH_TEXT_SIZE];
	int64_t since_us; /* microseconds since 1970; 0: from the start of the ring */
	uint32_t lines;	  /* at most so many from the end; 0: all */
	uint32_t follow;
};

struct msg_log_open {
	uint32_t id;
	int64_t since_us; /* 0: all that is kept */
	uint32_t follow;
};

/*
 * STATISTICS: of the VMs at PATH and below, "" for the whole scope; with FAMILY, of a session that
 * the root CA signed, those of the family and the host too (others are not told).
 */
struct msg_statistics {
	uint32_t id;
	char path[PATH_TEXT_SIZE];
	uint32_t family;
};

/* VOLUME_CREATE: a volume's path is its delegation's, and a name of its own. */
struct msg_volume_create {
	uint32_t id;
	char path[PATH_TEXT_SIZE];
	uint32_t size_mb;
};

/* VOLUME_WRITE: new contents of SIZE bytes; the rest of the volume becomes zeros. */
struct msg_volume_write {
	uint32_t id;
	char path[PATH_TEXT_SIZE];
	uint64_t size; /* VOLUME_SIZE_UNKNOWN: it is not known before they end */
};
#define VOLUME_SIZE_UNKNOWN UINT64_MAX

struct msg_reply_error {
	uint32_t id;
	uint32_t status; /* HTTP */
	char word[WORD_SIZE];
	char detail[DETAIL_SIZE];
};

/*
 * WHOAMI is answered by REPLY_WHOAMI, REPLY_LEVELs and REPLY_END: the delegations of the chain from
 * the top, the last of them the session's own (for one that the root CA signed that is the host),
 * then every one below that is known.
 */
struct msg_reply_whoami {
	uint32_t id;
	struct node leaf;
	uint32_t kind;
	uint32_t permissions;
	int64_t expires;	     /* seconds */
	char label[LABEL_PATH_SIZE]; /* the leaf's path as labels */
};

enum level_relation {
	LEVEL_ABOVE, /* what is used there is not told */
	LEVEL_OWN,
	LEVEL_BELOW,
};

struct msg_reply_level {
	uint32_t id;
	uint32_t relation;
	char path[PATH_TEXT_SIZE];   /* names; of a level BELOW relative to the scope, else whole */
	char label[LABEL_PATH_SIZE]; /* labels, likewise; both are empty for the host */
	struct policy granted;	     /* the newest; the host: VMS is POLICY_NUMBER_MAX */
	uint32_t used_vms;
	uint64_t used_memory_mb;
	uint64_t used_block_mb;
};

enum vm_state { VM_STARTING, VM_RUNNING, VM_STOPPING, VM_ENDED };

/*
 * REVOKE is answered by REPLY_ENDED for each VM, session and volume that the list ended, and
 * REPLY_END when the VMs and volumes are gone.
 */
enum ended_kind { ENDED_VM, ENDED_SESSION, ENDED_VOLUME };

struct msg_reply_ended {
	uint32_t id;
	uint32_t kind;
	char path[PATH_TEXT_SIZE];   /* names, relative to the session's scope */
	char label[LABEL_PATH_SIZE]; /* labels, likewise */
	char peer[PEER_SIZE];	     /* of a session */
};

/* SESSION_END: what is answered to what is still asked, and why the session is over. */
struct msg_session_end {
	uint32_t status; /* HTTP */
	char word[WORD_SIZE];
	char detail[DETAIL_SIZE];
};

struct tap_info {
	char name[BRIDGE_NAME_SIZE];
	char bridge[BRIDGE_NAME_SIZE];
	char device[DEVICE_SIZE];
	uint8_t mac[6];
	uint8_t address[4]; /* zero: none */
};

/* VM_LIST is answered by a REPLY_VM each and REPLY_END, VM_START by one REPLY_VM and REPLY_END. */
struct msg_reply_vm {
	uint32_t id;
	char path[PATH_TEXT_SIZE];   /* names, relative to the session's scope */
	char label[LABEL_PATH_SIZE]; /* labels, likewise, as long as it takes to be unique */
	uint32_t state, pid, cpuid, memory_mb;
	uint32_t replaced; /* when it was just started: whose place it took; 0: nobody's */
	int64_t started_us, ended_us; /* 0: not yet */
	uint32_t end, end_value;      /* exit status or signal */
	uint32_t cause;		      /* enum stop_cause */
	uint32_t digest_known;
	uint8_t sha256[DIGEST_SIZE];
	uint64_t image_size;
	char target[TARGET_SIZE];
	struct strings argv;	/* the guest's */
	struct strings command; /* the monitor's */
	uint32_t ntaps;
	struct tap_info tap[DEVICES_MAX];
	uint32_t nvolumes;
	struct block_spec volume[DEVICES_MAX];
};

/* VOLUME_LIST is answered by a REPLY_VOLUME each and REPLY_END. */
struct msg_reply_volume {
	uint32_t id;
	char path[PATH_TEXT_SIZE];   /* names, relative to the session's scope */
	char label[LABEL_PATH_SIZE]; /* of its delegation, likewise */
	uint32_t size_mb;
	uint64_t allocated;	     /* bytes on the disk */
	char holder[PATH_TEXT_SIZE]; /* the VM that has it, likewise; empty: none */
};

/*
 * REPLY_DATA, descriptor: a stream socket to vmm_volume, on which nothing but the contents goes.
 * VOLUME_READ: SIZE bytes come, then its end; an end that comes earlier is a failure, which nothing
 * else tells. REPLY_END follows when the volume is free again, however vmm_volume ended: the worker
 * keeps the last byte until then, so that nobody who has all of it finds it in use. VOLUME_WRITE:
 * at most SIZE bytes go; when all are written the worker sends VOLUME_WRITTEN and then shuts it
 * down for writing. It is answered by REPLY_END when they are the volume's contents and on the
 * disk. A socket whose end comes with no VOLUME_WRITTEN sent before it leaves the volume as it was.
 * A writer that finds nobody reading waits for REPLY_ERROR.
 */
struct msg_reply_data {
	uint32_t id;
	uint64_t size;
};

/*
 * CONSOLE_ADD, descriptors: the FIFO for reading, non-blocking; the ring file, mapped read-write;
 * the statistics page for reading and writing, or /dev/null.
 */
struct msg_console_vm {
	uint8_t path_id[DIGEST_SIZE];
	uint32_t redeployed; /* the ring has an earlier VM's lines: a marker goes between */
};

struct msg_console_ended {
	uint8_t path_id[DIGEST_SIZE];
	uint32_t end, end_value;
};

struct msg_console_drop {
	uint8_t path_id[DIGEST_SIZE];
};

/* CONSOLE_READ, descriptor: the reader's socket. With FOLLOW it takes the console over. */
struct msg_console_read {
	uint8_t path_id[DIGEST_SIZE];
	int64_t since_us;
	uint32_t lines;
	uint32_t follow;
};

/*
 * LOG_RING, descriptor: the file with the events of one top delegation, or of the host (TOP is
 * zero), mapped read-write; vmmd sends it before the first event of that top.
 */
struct msg_log_ring {
	struct label top;
};

/*
 * LOG_LOADED: every event up to SEQ is in its ring; others will be sent again to the next vmm_log.
 * The first one is said before READY.
 */
struct msg_log_loaded {
	uint64_t seq;
};

/* LOG_ENTRY and, to a reader, ENTRY are a struct log_entry; a reader's has paths relative to its
 * scope. */

/* LOG_READ, descriptor: the reader's socket. Entries of SCOPE and below, from SINCE_US on. */
struct msg_log_read {
	struct path scope;
	int64_t since_us;
	uint32_t follow;
};

/* STATS_INTERVAL: from one reading to the next. */
struct msg_stats_interval {
	uint32_t seconds;
};

/*
 * STATS_LINKS, descriptor: a socket of the kernel's routing messages, of the host's network
 * namespace. STATS_HOST, descriptors: /proc/stat, /proc/meminfo.
 *
 * STATS_ADD, a VM that runs, descriptors: /proc/PID/stat, /proc/PID/status, /proc/PID/io and the
 * statistics page, for reading; /dev/null in place of what cannot be had.
 */
struct msg_stats_vm {
	uint8_t path_id[DIGEST_SIZE];
	struct path path;
	uint32_t pid, cpuid, memory_mb;
	char target[TARGET_SIZE];
	int64_t started_us;
	uint32_t nblocks;
	uint32_t ntaps;
	struct tap_info tap[DEVICES_MAX];
};

/* STATS_DROPS: how many frames the rules of each tap have dropped, when that has changed. */
struct msg_stats_drops {
	uint8_t path_id[DIGEST_SIZE];
	uint32_t ntaps;
	struct tap_drops {
		uint64_t frames;
	} tap[DEVICES_MAX];
};

struct msg_stats_remove {
	uint8_t path_id[DIGEST_SIZE];
};

/*
 * STATS_READ, descriptor: the reader's socket. The VMs at PATH and below, which are shown relative
 * to the scope's SKIP nodes; with FAMILY the family too, as vmmd knows it, without the host's part.
 */
struct msg_stats_read {
	struct path path;
	uint32_t skip;
	uint32_t nfamily; /* 0 or 1 */
	struct family_reading family[1];
};

/*
 * To a reader: a SAMPLE for each VM, FAMILY where it was asked for, then SAMPLES_END, without which
 * the answer is not whole. NOW is the newest reading, BEFORE the one before that.
 */
struct msg_sample {
	struct path path; /* relative */
	uint32_t pid, cpuid, memory_mb;
	char target[TARGET_SIZE];
	int64_t started_us;
	uint32_t ntaps;
	struct tap_info tap[DEVICES_MAX];
	struct reading now, before;
};

struct msg_line {
	int64_t time_us;
	uint32_t size;
	uint8_t bytes[CONSOLE_LINE_MAX]; /* without the newline */
};

struct msg_gap {
	uint64_t lines;
};

struct msg_ended {
	uint32_t end, end_value;
};

union message_body {
	struct msg_empty empty;
	struct msg_detail detail;
	struct msg_expires expires;
	struct msg_peer peer;
	struct msg_signal signal;
	struct msg_gate_counts gate_counts;
	struct msg_session_open session_open;
	struct msg_session_refused session_refused;
	struct msg_image_digest image_digest;
	struct msg_revocation_push revocation_push;
	struct msg_revocation_refused revocation_refused;
	struct msg_revocation_list revocation_list;
	struct msg_verdict verdict;
	struct msg_id id;
	struct msg_vm_path vm_path;
	struct msg_vm_start vm_start;
	struct msg_console_open console_open;
	struct msg_log_open log_open;
	struct msg_statistics statistics;
	struct msg_volume_create volume_create;
	struct msg_volume_write volume_write;
	struct msg_reply_error reply_error;
	struct msg_reply_whoami reply_whoami;
	struct msg_reply_level reply_level;
	struct msg_reply_ended reply_ended;
	struct msg_session_end session_end;
	struct msg_reply_vm reply_vm;
	struct msg_reply_volume reply_volume;
	struct msg_reply_data reply_data;
	struct msg_console_vm console_vm;
	struct msg_console_ended console_ended;
	struct msg_console_drop console_drop;
	struct msg_console_read console_read;
	struct msg_log_ring log_ring;
	struct msg_log_loaded log_loaded;
	struct log_entry entry;
	struct msg_log_read log_read;
	struct msg_stats_interval stats_interval;
	struct msg_stats_vm stats_vm;
	struct msg_stats_drops stats_drops;
	struct msg_stats_remove stats_remove;
	struct msg_stats_read stats_read;
	struct msg_sample sample;
	struct family_reading family;
	struct msg_line line;
	struct msg_gap gap;
	struct msg_ended ended;
};

struct message {
	const char *name;
	uint32_t links; /* enum link, or-ed */
	enum side from;
	uint32_t states; /* of the receiver */
	uint32_t fds;	 /* exactly so many come with it */
	size_t size;	 /* of the structure */
	const struct field *fields;
};

/* The row of TYPE; NULL: there is none. */
const struct message *message_find(uint32_t type);
/*
 * Why a message of TYPE with NFDS descriptors, received on LINK by side TO in STATE, is not
 * acceptable; NULL: it is. (Its length is checked by decoding: bounds are the fields'.)
 */
const char *message_refusal(uint32_t type, enum link link, enum side to, enum state state,
			    unsigned nfds);

/* Fields of a whole request, for records; of a path, a policy and an entry, for what is stored. */
extern const struct field request_fields[];
extern const struct field path_fields[];
extern const struct field policy_fields[];
extern const struct field entry_fields[];
/* Of a network device, for records. */
extern const struct field tap_info_fields[];

#endif
