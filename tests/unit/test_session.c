/*
 * What a worker can do with its session socket, a worker that was taken over included: session.c
 * and vms.c for real, VMs' lives and the roles replaced. Driven from the table of messages.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "family.h"
#include "lifecycle.h"
#include "logfiles.h"
#include "roles.h"

static struct daemon d;
static struct channel worker;
static struct incoming in;
static unsigned started, stopped, consoles, logs, pushes, readings;
static struct msg_stats_read asked; /* of vmm_stats, last */
static bool stats_down;

const struct role_type role_types[ROLE_KINDS] = {
    [ROLE_AUTH] = {.name = "vmm_auth"},	      [ROLE_GATE] = {.name = "vmm_gate"},
    [ROLE_CONSOLE] = {.name = "vmm_console"}, [ROLE_LOG] = {.name = "vmm_log"},
    [ROLE_STATS] = {.name = "vmm_stats"},
};

bool vm_start(struct session *session, uint32_t id, bool force, struct start_error *error)
{
	(void)force;
	(void)error;
	started++;
	session_end_reply(session, id);
	return true;
}

void vm_stop(struct vm *vm, enum stop_cause cause, const struct path *by, struct session *session,
	     uint32_t id)
{
	(void)vm;
	(void)by;
	assert_int_equal(cause, CAUSE_DESTROYED);
	stopped++;
	session_end_reply(session, id);
}

int roles_tell_console(struct daemon *daemon, uint32_t type, const void *body, const int *fds)
{
	(void)daemon;
	(void)body;
	(void)fds;
	consoles += type == MSG_CONSOLE_READ;
	return 0;
}

int roles_push_list(struct daemon *daemon, const struct msg_revocation_push *push, int chain)
{
	(void)daemon;
	(void)push;
	assert_true(chain >= 0);
	pushes++;
	return 0;
}

int roles_tell_log(struct daemon *daemon, uint32_t type, const void *body, const int *fds)
{
	(void)daemon;
	(void)body;
	(void)fds;
	logs += type == MSG_LOG_READ;
	return 0;
}

int roles_tell_stats(struct daemon *daemon, uint32_t type, const void *body, const int *fds)
{
	(void)daemon;
	assert_int_equal(type, MSG_STATS_READ);
	assert_true(fds[0] >= 0);
	asked = *(const struct msg_stats_read *)body;
	readings++;
	return stats_down ? -ESRCH : 0;
}

void logfiles_need(struct daemon *daemon, const struct log_entry *entry)
{
	(void)daemon;
	(void)entry;
}

int64_t now_us(void)
{
	return 1;
}

static struct request request_of(enum leaf_kind kind, uint32_t permissions)
{
	struct request r = {.depth = 1, .kind = kind, .permissions = permissions};

	snprintf(r.level[0].node.name, NAME_SIZE, "dev");
	snprintf(r.leaf.name, NAME_SIZE, "someone");
	r.leaf.label.byte[0] = 9;
	r.expires = time(NULL) + 3600;
	return r;
}

static void turn(void)
{
	event_base_loop(d.base, EVLOOP_NONBLOCK);
}

static void open_request(const struct request *request)
{
	static struct incoming open_msg;
	struct channel upper;

	assert_int_equal(channel_pair(LINK_SESSION, &upper, &worker), 0);
	assert_int_equal(channel_set_nonblocking(&worker), 0);
	worker.state = STATE_READY;
	open_msg.type = MSG_SESSION_OPEN;
	open_msg.nfds = 2;
	open_msg.fd[0] = upper.fd;
	open_msg.fd[1] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	open_msg.body.session_open.session = 42;
	open_msg.body.session_open.request = *request;
	session_open(&d, &open_msg);
	incoming_close(&open_msg);
	assert_non_null(d.sessions);
}

static void open_session(enum leaf_kind kind, uint32_t permissions)
{
	struct request request = request_of(kind, permissions);

	open_request(&request);
}

static void say_hello(void)
{
	assert_int_equal(channel_send(&worker, MSG_HELLO, &(struct msg_empty){0}, NULL), 0);
	turn();
	assert_non_null(d.sessions);
}

static void close_session(void)
{
	channel_close(&worker);
	turn();
	assert_null(d.sessions);
}

static void add_vm(void)
{
	static uint8_t paths;
	struct request r = request_of(LEAF_VM, PERMIT_IMAGE);
	struct vm *vm;

	snprintf(r.leaf.name, NAME_SIZE, "hello");
	r.leaf.label.byte[0] = 1;
	r.path_id[0] = ++paths;
	vm = vm_new(&d, &r);
	assert_non_null(vm);
	vm->record.state = VM_RUNNING;
}

static int set_up(void **state)
{
	(void)state;
	d.base = event_base_new();
	tree_init(&d.tree, NULL, NULL);
	add_vm();
	started = stopped = consoles = logs = pushes = readings = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	sessions_close_all(&d, NULL);
	while (d.vms)
		vm_free(d.vms);
	tree_free(&d.tree);
	event_base_free(d.base);
	return 0;
}

/* Sends TYPE about the VM "hello" and returns the first answer's type, 0: none. */
static uint32_t ask(uint32_t type)
{
	static union message_body body;

	memset(&body, 0, sizeof(body));
	body.id.id = 7;
	if (type == MSG_CONSOLE_OPEN)
		snprintf(body.console_open.path, PATH_TEXT_SIZE, "hello");
	if (type == MSG_STATISTICS)
		snprintf(body.statistics.path, PATH_TEXT_SIZE, "hello");
	if (type == MSG_VM_DESTROY || type == MSG_VM_LIST)
		snprintf(body.vm_path.path, PATH_TEXT_SIZE, "hello");
	assert_int_equal(channel_send(&worker, type, &body, NULL), 0);
	turn();
	if (channel_recv(&worker, &in) != CHANNEL_MESSAGE)
		return 0;
	incoming_close(&in);
	return in.type;
}

static bool is_request(const struct message *m)
{
	return m->links == LINK_SESSION && m->from == SIDE_LOWER && m->states == STATE_READY;
}

/* The permission that each request takes, as section 6's table has it. A new one wants a line here.
 */
static uint32_t permission_for(uint32_t type)
{
	switch (type) {
	case MSG_WHOAMI:
		return 0;
	case MSG_VM_LIST:
		return PERMIT_INFO;
	case MSG_VM_DESTROY:
		return PERMIT_IMAGE;
	case MSG_CONSOLE_OPEN:
		return PERMIT_CONSOLE;
	case MSG_LOG_OPEN:
		return PERMIT_LOG;
	case MSG_STATISTICS:
		return PERMIT_STATISTICS;
	case MSG_VOLUME_LIST:
	case MSG_VOLUME_CREATE:
	case MSG_VOLUME_DESTROY:
	case MSG_VOLUME_READ:
	case MSG_VOLUME_WRITE:
	case MSG_VOLUME_WRITTEN:
		return PERMIT_BLOCK;
	case MSG_VM_START:
	case MSG_REVOKE:
		return UINT32_MAX; /* not a command's */
	}
	fail_msg("message %u has no line here", type);
	return 0;
}

/* Whether ANSWER, which IN holds, is 403: other errors come after the permission was found. */
static bool is_forbidden(uint32_t answer)
{
	return answer == MSG_REPLY_ERROR && in.body.reply_error.status == 403;
}

static void each_request_takes_its_own_permission(void **state)
{
	(void)state;
	for (uint32_t type = 1; type < MSG_TYPES; type++) {
		uint32_t needed;

		if (!is_request(message_find(type)))
			continue;
		needed = permission_for(type);
		for (unsigned bit = 0; bit < 10; bit++) {
			bool allowed = needed != UINT32_MAX &&
				       (needed == 0 || bit == 0 || needed == 1u << bit);
			uint32_t answer;

			open_session(LEAF_COMMAND, 1u << bit);
			say_hello();
			answer = ask(type);
			assert_int_not_equal(answer, 0);
			assert_int_equal(!is_forbidden(answer), allowed);
			if (!allowed)
				assert_int_equal(in.body.reply_error.id, 7);
			close_session();
		}
	}
	assert_int_equal(started, 0);
	assert_int_equal(stopped, 2);
	assert_int_equal(consoles, 2);
	assert_int_equal(logs, 2);
	assert_int_equal(readings, 2);
}

/* All ask who they are; a VM certificate starts, a revocation certificate pushes, and that is all.
 */
static void other_shapes_do_what_is_theirs(void **state)
{
	(void)state;
	for (uint32_t type = 1; type < MSG_TYPES; type++) {
		if (!is_request(message_find(type)))
			continue;
		open_session(LEAF_VM, PERMIT_IMAGE | PERMIT_ALL);
		say_hello();
		assert_int_equal(!is_forbidden(ask(type)),
				 type == MSG_WHOAMI || type == MSG_VM_START);
		close_session();
		open_session(LEAF_REVOCATION, PERMIT_CRL);
		say_hello();
		assert_int_equal(!is_forbidden(ask(type)),
				 type == MSG_WHOAMI || type == MSG_REVOKE);
		close_session();
	}
	assert_int_equal(started, 1);
	assert_int_equal(pushes, 1);
	assert_int_equal(stopped + consoles + logs + readings, 0);
}

static void send_raw(uint32_t type, const uint8_t *body, size_t size)
{
	static uint8_t bytes[MESSAGE_MAX];

	memcpy(bytes, &type, sizeof(type));
	if (size > 0)
		memcpy(bytes + sizeof(type), body, size);
	assert_int_equal(send(worker.fd, bytes, sizeof(type) + size, 0),
			 (ssize_t)(sizeof(type) + size));
	turn();
}

/* Every message there is, and some there are not, before HELLO: all but HELLO end the session. */
static void nothing_is_taken_before_hello(void **state)
{
	(void)state;
	for (uint32_t type = 0; type < MSG_TYPES + 10; type++) {
		if (type == MSG_HELLO)
			continue;
		open_session(LEAF_COMMAND, PERMIT_ALL);
		send_raw(type, NULL, 0);
		assert_null(d.sessions);
		channel_close(&worker);
	}
	assert_int_equal(started + stopped + consoles + logs + readings, 0);
}

/* After HELLO: what is no request, a request that is cut or too long, ends the session. */
static void malformed_messages_end_the_session(void **state)
{
	static const uint8_t zeros[8192];

	(void)state;
	for (uint32_t type = 0; type < MSG_TYPES + 10; type++) {
		const size_t sizes[] = {0, 3, sizeof(zeros)};

		for (size_t i = 0; i < 3; i++) {
			open_session(LEAF_COMMAND, PERMIT_ALL);
			say_hello();
			send_raw(type, zeros, sizes[i]);
			assert_null(d.sessions);
			channel_close(&worker);
		}
	}
	assert_int_equal(started + stopped + consoles + logs + readings, 0);
}

static void random_datagrams_do_no_harm(void **state)
{
	uint8_t noise[64];

	(void)state;
	srand(1);
	for (int i = 0; i < 20000; i++) {
		if (d.sessions == NULL) {
			channel_close(&worker);
			open_session(LEAF_COMMAND, PERMIT_INFO);
			say_hello();
		}
		for (size_t j = 0; j < sizeof(noise); j++)
			noise[j] = (uint8_t)rand();
		send_raw((uint32_t)rand() % MSG_TYPES, noise, (size_t)rand() % sizeof(noise));
		while (d.sessions && channel_recv(&worker, &in) == CHANNEL_MESSAGE)
			incoming_close(&in);
	}
	assert_int_equal(started + stopped + consoles + logs + readings, 0);
	channel_close(&worker);
}

/* A worker that asks and never reads: its questions wait, memory does not grow. */
static void a_worker_that_does_not_read_is_not_asked_for_more(void **state)
{
	struct msg_vm_path list = {.id = 1};
	size_t peak = 0;

	(void)state;
	for (int i = 0; i < 200; i++)
		add_vm();
	open_session(LEAF_COMMAND, PERMIT_INFO);
	say_hello();
	for (int i = 0; i < 100; i++) {
		channel_send(&worker, MSG_VM_LIST, &list, NULL);
		turn();
		if (d.sessions->box.bytes > peak)
			peak = d.sessions->box.bytes;
	}
	/* One list at the most waits: 201 rows of a few hundred bytes. */
	assert_true(peak > 0);
	assert_true(peak < 201 * 1000);
	close_session();
}

/* Opens a session of "someone" with certificates of these dates, and says hello. */
static void open_dated(int64_t delegation, int64_t leaf)
{
	struct request r = request_of(LEAF_COMMAND, PERMIT_INFO);

	r.level[0].not_before = delegation;
	r.not_before = leaf;
	open_request(&r);
	say_hello();
}

static void an_older_certificate_has_no_authority(void **state)
{
	(void)state;
	open_dated(2000, 3000);
	assert_int_equal(ask(MSG_VM_LIST), MSG_REPLY_VM);
	close_session();
	for (int older = 0; older < 2; older++) {
		open_dated(older ? 1999 : 2000, older ? 3000 : 2999);
		assert_int_equal(ask(MSG_WHOAMI), MSG_REPLY_ERROR);
		assert_int_equal(in.body.reply_error.status, 403);
		assert_string_equal(in.body.reply_error.word, "superseded");
		assert_string_equal(
		    in.body.reply_error.detail,
		    older ? "dev: an older certificate, one of 1970-01-01 00:33:20 +00:00 counts"
			  : "someone: an older certificate, one of 1970-01-01 00:50:00 +00:00 "
			    "counts");
		assert_false(d.sessions->logged_in);
		close_session();
	}
	open_dated(2000, 3000);
	assert_int_equal(ask(MSG_VM_LIST), MSG_REPLY_VM);
	close_session();
}

/* As when the clock is set while a session is open. */
static void an_expired_certificate_has_no_authority(void **state)
{
	(void)state;
	open_session(LEAF_COMMAND, PERMIT_INFO);
	say_hello();
	d.sessions->request.expires = time(NULL) - 1;
	assert_int_equal(ask(MSG_VM_LIST), MSG_REPLY_ERROR);
	assert_int_equal(in.body.reply_error.status, 403);
	assert_string_equal(in.body.reply_error.word, "expired");
	close_session();
}

static void a_newer_certificate_ends_the_authority_of_an_open_session(void **state)
{
	struct request newer = request_of(LEAF_COMMAND, PERMIT_INFO);

	(void)state;
	open_dated(2000, 3000);
	assert_int_equal(ask(MSG_VM_LIST), MSG_REPLY_VM);
	while (channel_recv(&worker, &in) == CHANNEL_MESSAGE)
		incoming_close(&in);
	newer.level[0].not_before = 2001;
	newer.leaf.label.byte[0] = 77;
	assert_int_equal(tree_note(&d.tree, &newer, true), 0);
	assert_int_equal(ask(MSG_VM_LIST), MSG_REPLY_ERROR);
	assert_string_equal(in.body.reply_error.word, "superseded");
	assert_true(d.sessions->logged_in);
	close_session();
}

/* The rows of WHOAMI, of a scope with a delegation and a VM below. */
static void who_i_am_says_what_is_granted_and_used(void **state)
{
	struct request below = request_of(LEAF_COMMAND, PERMIT_INFO);
	unsigned rows = 0;

	(void)state;
	below.depth = 2;
	snprintf(below.level[1].node.name, NAME_SIZE, "sub");
	below.level[1].node.label.byte[0] = 5;
	below.level[1].policy.vms = 3;
	assert_int_equal(tree_note(&d.tree, &below, true), 0);
	d.vms->record.request.vm.memory_mb = 32;
	open_session(LEAF_COMMAND, PERMIT_INFO);
	say_hello();
	assert_int_equal(ask(MSG_WHOAMI), MSG_REPLY_WHOAMI);
	while (channel_recv(&worker, &in) == CHANNEL_MESSAGE && in.type == MSG_REPLY_LEVEL) {
		const struct msg_reply_level *row = &in.body.reply_level;

		assert_int_equal(row->relation, rows == 0 ? LEVEL_OWN : LEVEL_BELOW);
		assert_string_equal(row->path, rows == 0 ? "dev" : "sub");
		assert_int_equal(row->used_vms, rows == 0);
		assert_int_equal(row->used_memory_mb, rows == 0 ? 32 : 0);
		assert_int_equal(row->granted.vms, rows == 0 ? 0 : 3);
		rows++;
	}
	assert_int_equal(in.type, MSG_REPLY_END);
	assert_int_equal(rows, 2);
	close_session();
}

static uint32_t ask_statistics(const char *path, uint32_t family)
{
	struct msg_statistics body = {.id = 8, .family = family};

	memset(&asked, 0xff, sizeof(asked));
	snprintf(body.path, sizeof(body.path), "%s", path);
	assert_int_equal(channel_send(&worker, MSG_STATISTICS, &body, NULL), 0);
	turn();
	assert_int_equal(channel_recv(&worker, &in), CHANNEL_MESSAGE);
	incoming_close(&in);
	return in.type;
}

/* Of a VM, and of all; shown as the scope sees them, and never with the family. */
static void statistics_are_those_of_the_scope(void **state)
{
	(void)state;
	open_session(LEAF_COMMAND, PERMIT_STATISTICS);
	say_hello();
	for (int whole = 0; whole < 2; whole++) {
		assert_int_equal(ask_statistics(whole ? "" : "hello", 1), MSG_REPLY_STREAM);
		assert_int_equal(in.body.id.id, 8);
		assert_int_equal(asked.path.depth, whole ? 1 : 2);
		assert_string_equal(asked.path.node[0].name, "dev");
		assert_int_equal(asked.skip, 1);
		assert_int_equal(asked.nfamily, 0);
	}
	close_session();
}

static void no_statistics(const char *path, const char *detail)
{
	assert_int_equal(ask_statistics(path, 0), MSG_REPLY_ERROR);
	assert_int_equal(in.body.reply_error.status, 404);
	assert_string_equal(in.body.reply_error.word, "not-found");
	assert_string_equal(in.body.reply_error.detail, detail);
}

/* What is not there, and what is elsewhere, are the same. */
static void there_are_statistics_of_what_runs(void **state)
{
	struct request elsewhere = request_of(LEAF_VM, PERMIT_IMAGE);

	(void)state;
	elsewhere.level[0].node.label.byte[0] = 3;
	snprintf(elsewhere.leaf.name, NAME_SIZE, "other");
	elsewhere.path_id[0] = 200;
	vm_new(&d, &elsewhere)->record.state = VM_RUNNING;
	d.vms->record.state = VM_ENDED;
	open_session(LEAF_COMMAND, PERMIT_STATISTICS);
	say_hello();
	no_statistics("hello", "hello has ended: there are statistics of VMs that run");
	no_statistics("other", "there is no other");
	no_statistics("nobody", "there is no nobody");
	assert_int_equal(readings, 0);
	close_session();
}

static void without_vmm_stats_one_may_ask_again(void **state)
{
	(void)state;
	open_session(LEAF_COMMAND, PERMIT_STATISTICS);
	say_hello();
	stats_down = true;
	assert_int_equal(ask_statistics("hello", 0), MSG_REPLY_ERROR);
	stats_down = false;
	assert_int_equal(in.body.reply_error.status, 503);
	assert_string_equal(in.body.reply_error.detail,
			    "vmm_stats is being started again: try once more");
	close_session();
}

/* Who sees everything sees the family, when it asks; what is counted is what was logged. */
static void the_root_may_ask_for_the_family(void **state)
{
	struct request root = request_of(LEAF_COMMAND, PERMIT_STATISTICS);
	const struct family_reading *family = &asked.family[0];
	uint64_t logins = d.eventlog.counted[ENTRY_LOGIN];

	(void)state;
	root.depth = 0;
	d.host.memory_mb = 512;
	d.vms->record.request.vm.memory_mb = 32;
	d.slot[ROLE_STATS].restarts = 3;
	d.slot[ROLE_GATE].expires = 1000;
	d.slot[ROLE_AUTH].expires = 2000;
	open_request(&root);
	say_hello();
	assert_int_equal(ask_statistics("", 0), MSG_REPLY_STREAM);
	assert_int_equal(asked.nfamily, 0);
	assert_int_equal(ask_statistics("", 1), MSG_REPLY_STREAM);
	assert_int_equal(asked.skip, 0);
	assert_int_equal(asked.nfamily, 1);
	assert_int_equal(family->nroles, ROLE_KINDS);
	assert_string_equal(family->role[ROLE_STATS].name, "vmm_stats");
	assert_int_equal(family->role[ROLE_STATS].up, 0);
	assert_int_equal(family->role[ROLE_STATS].restarts, 3);
	assert_int_equal(family->sessions, 1);
	assert_int_equal(family->logins, logins + 1);
	assert_int_equal(family->server_expires, 1000);
	assert_int_equal(family->ca_expires, 2000);
	assert_int_equal(family->vms, 1);
	assert_int_equal(family->memory_mb, 512);
	assert_int_equal(family->memory_used_mb, 32);
	assert_int_equal(family->host_known, 0);
	close_session();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(each_request_takes_its_own_permission, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(other_shapes_do_what_is_theirs, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(nothing_is_taken_before_hello, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(malformed_messages_end_the_session, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(random_datagrams_do_no_harm, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(an_expired_certificate_has_no_authority, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(an_older_certificate_has_no_authority, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(
		a_newer_certificate_ends_the_authority_of_an_open_session, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(who_i_am_says_what_is_granted_and_used, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(statistics_are_those_of_the_scope, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(there_are_statistics_of_what_runs, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(without_vmm_stats_one_may_ask_again, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(the_root_may_ask_for_the_family, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_worker_that_does_not_read_is_not_asked_for_more,
					    set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
