/*
 * What a revocation list ends: revoke.c, revocations.c, authority.c and session.c for real, VMs'
 * lives, the roles and the event log replaced.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "eventlog.h"
#include "lifecycle.h"
#include "revoke.h"
#include "roles.h"

#define ALL_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
#define PUSH_ID	  7

static struct daemon d;
static int64_t clock_us;
static int auth_error;		      /* of roles_push_list */
static char stopped[256];	      /* names of VMs, each with a space */
static char events[8192];	      /* "NAME EVENT DETAIL;" */
static uint64_t numbers;	      /* of sessions */
static uint64_t generation, list_for; /* of the next list; the session that pushed it */
static struct incoming in;

int64_t now_us(void)
{
	return clock_us;
}

void vm_stop(struct vm *vm, enum stop_cause cause, const struct path *by, struct session *session,
	     uint32_t id)
{
	size_t n = strlen(stopped);

	(void)session;
	(void)id;
	assert_int_equal(cause, CAUSE_REVOKED);
	assert_true(path_within(&vm->path, by));
	snprintf(stopped + n, sizeof(stopped) - n, "%.100s ", vm->name);
}

int roles_push_list(struct daemon *daemon, const struct msg_revocation_push *push, int chain)
{
	(void)daemon;
	assert_true(fcntl(chain, F_GETFD) >= 0);
	assert_int_equal(push->id, PUSH_ID);
	return auth_error;
}

int roles_tell_console(struct daemon *daemon, uint32_t type, const void *body, const int *fds)
{
	(void)daemon;
	(void)type;
	(void)body;
	(void)fds;
	return 0;
}

void eventlog_add(struct daemon *daemon, struct log_entry *entry)
{
	char name[PATH_TEXT_SIZE];
	size_t n = strlen(events);

	(void)daemon;
	path_format(&entry->path, 0, name);
	if (entry->type == ENTRY_REVOKED)
		snprintf(entry->detail, sizeof(entry->detail), "%u", (unsigned)entry->number);
	snprintf(events + n, sizeof(events) - n, "%s %s %s;", name, entry_event(entry->type),
		 entry->type == ENTRY_DELEGATE ? "" : entry->detail);
}

void eventlog_session(const struct session *session, enum entry_type type, const char *detail)
{
	struct log_entry entry = {.type = type};

	request_path(&session->request, &entry.path);
	snprintf(entry.detail, sizeof(entry.detail), "%s", detail ? detail : "");
	eventlog_add(session->daemon, &entry);
}

/* Requests that are not asked here. */
#define NOT_ASKED(name)                                                       \
	void name(struct session *session, const union message_body *body)    \
	{                                                                     \
		(void)body;                                                   \
		session_error(session, 0, 500, "internal", "not asked here"); \
	}
NOT_ASKED(session_vm_list)
NOT_ASKED(session_vm_start)
NOT_ASKED(session_vm_destroy)
NOT_ASKED(session_console_open)
NOT_ASKED(session_log_open)
NOT_ASKED(session_statistics)

/* A label is its name's first bytes. */
static struct node node(const char *name, size_t n)
{
	struct node out = {{{0}}, {0}};

	memcpy(out.name, name, n);
	memcpy(out.label.byte, name, n);
	return out;
}

/* The chain of the leaf "alice/dan/leaf". */
static struct request chain(const char *text, enum leaf_kind kind)
{
	struct request r = {.kind = kind, .permissions = PERMIT_INFO};
	const char *slash;

	for (; (slash = strchr(text, '/')); text = slash + 1)
		r.level[r.depth++].node = node(text, (size_t)(slash - text));
	r.leaf = node(text, strlen(text));
	r.expires = time(NULL) + 3600;
	return r;
}

static struct vm *add_vm(const char *text, enum vm_state vm_state)
{
	static uint8_t paths;
	struct request r = chain(text, LEAF_VM);
	struct vm *vm;

	r.path_id[0] = ++paths;
	vm = vm_new(&d, &r);

	assert_non_null(vm);
	vm->record.state = vm_state;
	assert_int_equal(tree_note(&d.tree, &r, false), 0);
	return vm;
}

static void turn(void)
{
	event_base_loop(d.base, EVLOOP_NONBLOCK);
}

/* A session of TEXT's leaf, judged by lists of generation JUDGED, that has not said hello. */
static uint64_t open_session(struct channel *worker, const char *text, enum leaf_kind kind,
			     uint64_t judged)
{
	static struct incoming msg;
	struct channel upper;

	assert_int_equal(channel_pair(LINK_SESSION, &upper, worker), 0);
	assert_int_equal(channel_set_nonblocking(worker), 0);
	worker->state = STATE_READY;
	memset(&msg, 0, sizeof(msg));
	msg.type = MSG_SESSION_OPEN;
	msg.nfds = 2;
	msg.fd[0] = upper.fd;
	msg.fd[1] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	msg.body.session_open.session = ++numbers;
	msg.body.session_open.generation = judged;
	msg.body.session_open.request = chain(text, kind);
	snprintf(msg.body.session_open.peer, PEER_SIZE, "[::1]:%u", (unsigned)numbers);
	session_open(&d, &msg);
	incoming_close(&msg);
	return numbers;
}

static uint64_t log_in(struct channel *worker, const char *text, enum leaf_kind kind)
{
	uint64_t number = open_session(worker, text, kind, generation);

	assert_int_equal(channel_send(worker, MSG_HELLO, &(struct msg_empty){0}, NULL), 0);
	turn();
	return number;
}

/* The next message for WORKER, 0: none, UINT32_MAX: the session is over. */
static uint32_t hear(struct channel *worker)
{
	enum channel_result result;

	turn();
	result = channel_recv(worker, &in);
	incoming_close(&in);
	return result == CHANNEL_MESSAGE ? in.type : result == CHANNEL_AGAIN ? 0 : UINT32_MAX;
}

static void ask(struct channel *worker, uint32_t type)
{
	assert_int_equal(channel_send(worker, type, &(struct msg_id){.id = PUSH_ID}, NULL), 0);
	turn();
}

static void hears_error(struct channel *worker, uint32_t status, const char *detail)
{
	assert_int_equal(hear(worker), MSG_REPLY_ERROR);
	assert_int_equal(in.body.reply_error.status, status);
	assert_string_equal(in.body.reply_error.detail, detail);
}

/* The memfd of a list; LABELS are names, sorted, each followed by a space. */
static int list_of(const char *labels, unsigned *count)
{
	int fd = memfd_create("list", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	size_t n;

	for (*count = 0; *labels; labels += n + 1, ++*count) {
		struct node label;

		n = strcspn(labels, " ");
		label = node(labels, n);
		assert_int_equal(write(fd, label.label.byte, LABEL_SIZE), LABEL_SIZE);
	}
	return fd;
}

/* vmm_auth's word: the issuer SCOPE ("alice/") takes LABELS back. What revocation_list says. */
static const char *tell(const char *scope, const char *labels, int seals, unsigned more)
{
	static struct incoming msg;
	struct request r;
	const char *problem;
	char leaf[64];
	unsigned count;

	memset(&msg, 0, sizeof(msg));
	snprintf(leaf, sizeof(leaf), "%sx", scope);
	r = chain(leaf, LEAF_COMMAND);
	request_scope(&r, &msg.body.revocation_list.scope);
	msg.nfds = 1;
	msg.fd[0] = list_of(labels, &count);
	if (seals)
		assert_int_equal(fcntl(msg.fd[0], F_ADD_SEALS, seals), 0);
	msg.body.revocation_list.count = count + more;
	msg.body.revocation_list.session = list_for;
	msg.body.revocation_list.id = list_for ? PUSH_ID : 0;
	msg.body.revocation_list.number = 5;
	msg.body.revocation_list.generation = ++generation;
	problem = revocation_list(&d, &msg);
	incoming_close(&msg);
	turn();
	return problem;
}

static void take_back(const char *scope, const char *labels)
{
	assert_null(tell(scope, labels, ALL_SEALS, 0));
}

static int set_up(void **state)
{
	(void)state;
	d.base = event_base_new();
	tree_init(&d.tree, NULL, NULL);
	clock_us = 1000000000;
	auth_error = 0;
	generation = list_for = 0;
	stopped[0] = events[0] = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	sessions_close_all(&d, NULL);
	while (d.vms)
		vm_free(d.vms);
	tree_free(&d.tree);
	revocations_forget_old(&d.revocations, INT64_MAX);
	d.revocations.forgotten = 0;
	event_base_free(d.base);
	return 0;
}

static void forget_events(void)
{
	events[0] = 0;
}

/* The next row of the answer to a push. */
static void hears_ended(struct channel *worker, enum ended_kind kind, const char *path)
{
	assert_int_equal(hear(worker), MSG_REPLY_ENDED);
	assert_int_equal(in.body.reply_ended.kind, kind);
	assert_string_equal(in.body.reply_ended.path, path);
	assert_int_equal(in.body.reply_ended.peer[0] != 0, kind == ENDED_SESSION);
}

static void what_is_below_ends_and_siblings_stay(void **state)
{
	struct channel alice, dan, eve, carol;
	struct session *pusher;
	struct path path = {.depth = 2};

	(void)state;
	add_vm("alice/dan/web", VM_RUNNING);
	add_vm("alice/dan/eve/mail", VM_STARTING);
	add_vm("alice/dan/old", VM_ENDED);
	add_vm("alice/carol/web", VM_RUNNING);
	add_vm("alice/carol/dan", VM_RUNNING); /* the label at another level */
	list_for = log_in(&alice, "alice/revoke", LEAF_REVOCATION);
	log_in(&dan, "alice/dan/admin", LEAF_COMMAND);
	log_in(&eve, "alice/dan/eve/admin", LEAF_COMMAND);
	log_in(&carol, "alice/carol/admin", LEAF_COMMAND);
	ask(&alice, MSG_REVOKE);
	assert_int_equal(hear(&alice), 0);
	forget_events();
	take_back("alice/", "dan zoe ");
	assert_string_equal(stopped, "alice/dan/web alice/dan/eve/mail ");
	assert_string_equal(events, "alice/dan REVOKED 5;"
				    "alice/dan/eve/admin LOGOUT dan was revoked by alice;"
				    "alice/dan/admin LOGOUT dan was revoked by alice;");
	path.node[0] = node("alice", 5);
	path.node[1] = node("dan", 3);
	assert_null(tree_find(&d.tree, &path));
	path.node[1] = node("carol", 5);
	assert_non_null(tree_find(&d.tree, &path));
	hears_ended(&alice, ENDED_VM, "dan/web");
	hears_ended(&alice, ENDED_VM, "dan/eve/mail");
	hears_ended(&alice, ENDED_SESSION, "dan/eve/admin");
	hears_ended(&alice, ENDED_SESSION, "dan/admin");
	assert_int_equal(hear(&dan), MSG_SESSION_END);
	assert_string_equal(in.body.session_end.detail, "dan was revoked by alice");
	assert_int_equal(hear(&dan), UINT32_MAX);
	assert_int_equal(hear(&eve), MSG_SESSION_END);
	assert_int_equal(hear(&carol), 0);
	/* The answer is complete when the last VM is gone. */
	pusher = session_find(&d, list_for);
	session_end_reply(pusher, PUSH_ID);
	assert_int_equal(hear(&alice), 0);
	session_end_reply(pusher, PUSH_ID);
	assert_int_equal(hear(&alice), MSG_REPLY_END);
	assert_int_equal(hear(&alice), 0);
	channel_close(&alice);
	channel_close(&dan);
	channel_close(&eve);
	channel_close(&carol);
}

static void a_vm_that_does_not_go_is_said_once(void **state)
{
	struct channel alice;
	struct session *pusher;

	(void)state;
	add_vm("alice/dan/one", VM_RUNNING);
	add_vm("alice/dan/two", VM_RUNNING);
	list_for = log_in(&alice, "alice/revoke", LEAF_REVOCATION);
	ask(&alice, MSG_REVOKE);
	take_back("alice/", "dan ");
	hears_ended(&alice, ENDED_VM, "dan/one");
	hears_ended(&alice, ENDED_VM, "dan/two");
	pusher = session_find(&d, list_for);
	session_error(pusher, PUSH_ID, 503, "unavailable", "process 9 has not ended");
	assert_int_equal(hear(&alice), 0);
	session_end_reply(pusher, PUSH_ID);
	hears_error(&alice, 503, "process 9 has not ended");
	assert_int_equal(hear(&alice), 0);
	channel_close(&alice);
}

static void who_revokes_itself_is_answered_first(void **state)
{
	struct channel alice;

	(void)state;
	add_vm("alice/web", VM_RUNNING);
	list_for = log_in(&alice, "alice/revoke", LEAF_REVOCATION);
	ask(&alice, MSG_REVOKE);
	take_back("alice/", "revoke web ");
	hears_ended(&alice, ENDED_VM, "web");
	hears_ended(&alice, ENDED_SESSION, "revoke");
	/* It has no authority any more, and hears so while its answer is not complete. */
	assert_int_equal(channel_send(&alice, MSG_WHOAMI, &(struct msg_id){.id = 8}, NULL), 0);
	hears_error(&alice, 403, "revoke was revoked by alice");
	session_end_reply(session_find(&d, list_for), PUSH_ID);
	assert_int_equal(hear(&alice), MSG_REPLY_END);
	assert_int_equal(hear(&alice), MSG_SESSION_END);
	assert_string_equal(in.body.session_end.detail, "revoke was revoked by alice");
	assert_int_equal(hear(&alice), UINT32_MAX);
	channel_close(&alice);
}

static void the_root_takes_back_whole_delegations(void **state)
{
	struct channel root, alice;

	(void)state;
	add_vm("alice/dan/web", VM_RUNNING);
	add_vm("bob/web", VM_RUNNING);
	list_for = log_in(&root, "revoke", LEAF_REVOCATION);
	log_in(&alice, "alice/admin", LEAF_COMMAND);
	ask(&root, MSG_REVOKE);
	take_back("", "alice ");
	assert_string_equal(stopped, "alice/dan/web ");
	hears_ended(&root, ENDED_VM, "alice/dan/web");
	assert_int_equal(hear(&alice), MSG_SESSION_END);
	assert_string_equal(in.body.session_end.detail, "alice was revoked by the CA");
	channel_close(&root);
	channel_close(&alice);
}

static void what_vmm_auth_refuses_is_answered_so(void **state)
{
	struct msg_revocation_refused no = {
	    .id = PUSH_ID, .status = 409, .word = "old", .detail = "number 3 is not higher"};
	struct channel alice;

	(void)state;
	no.session = log_in(&alice, "alice/revoke", LEAF_REVOCATION);
	auth_error = -ESRCH;
	ask(&alice, MSG_REVOKE);
	hears_error(&alice, 503, "vmm_auth is being started again: try once more");
	auth_error = 0;
	ask(&alice, MSG_REVOKE);
	assert_int_equal(hear(&alice), 0);
	ask(&alice, MSG_REVOKE);
	hears_error(&alice, 409, "this certificate's list is being applied");
	revocation_refused(&d, &no);
	hears_error(&alice, 409, "number 3 is not higher");
	revocation_refused(&d, &no); /* nobody asked */
	assert_int_equal(hear(&alice), 0);
	ask(&alice, MSG_REVOKE);
	revocation_lost(&d);
	hears_error(&alice, 503,
		    "vmm_auth ended before it answered: the list counts if it was stored");
	revocation_lost(&d);
	assert_int_equal(hear(&alice), 0);
	channel_close(&alice);
}

/* At its start vmm_auth tells every list: what was not known as revoked is said, once. */
static void stored_lists_are_applied_silently(void **state)
{
	struct channel dan;

	(void)state;
	add_vm("alice/dan/web", VM_RUNNING);
	log_in(&dan, "alice/dan/admin", LEAF_COMMAND);
	forget_events();
	take_back("alice/", "dan ");
	assert_string_equal(stopped, "alice/dan/web ");
	assert_string_equal(events, "alice/dan REVOKED 5;"
				    "alice/dan/admin LOGOUT dan was revoked by alice;");
	forget_events();
	take_back("alice/", "dan ");
	take_back("nobody/", "dan ");
	take_back("alice/", "");
	assert_string_equal(events, "");
	channel_close(&dan);
}

static void a_list_of_what_nobody_knows_is_said_of_its_issuer(void **state)
{
	struct channel alice;

	(void)state;
	list_for = log_in(&alice, "alice/revoke", LEAF_REVOCATION);
	ask(&alice, MSG_REVOKE);
	forget_events();
	take_back("alice/", "nobody ");
	assert_string_equal(events, "alice REVOKED 5;");
	assert_int_equal(hear(&alice), MSG_REPLY_END);
	channel_close(&alice);
}

/* Its pusher has gone meanwhile. */
static void a_list_counts_without_its_session(void **state)
{
	(void)state;
	add_vm("alice/dan/web", VM_RUNNING);
	list_for = 4711;
	take_back("alice/", "dan ");
	assert_string_equal(stopped, "alice/dan/web ");
}

/* Judged, in a process of vmm_auth, before the list came; or between that and HELLO. */
static void a_chain_judged_by_older_lists_is_held_against_the_new_ones(void **state)
{
	struct channel early, late, carol;

	(void)state;
	list_for = 4711;
	open_session(&early, "alice/dan/admin", LEAF_COMMAND, 0);
	take_back("alice/", "dan ");
	open_session(&late, "alice/dan/eve/admin", LEAF_COMMAND, 0);
	forget_events();
	for (struct channel *c = &early; c; c = c == &early ? &late : NULL) {
		assert_int_equal(channel_send(c, MSG_HELLO, &(struct msg_empty){0}, NULL), 0);
		ask(c, MSG_WHOAMI);
		hears_error(c, 403, "dan was revoked by alice");
		assert_string_equal(in.body.reply_error.word, "revoked");
	}
	assert_string_equal(events, "alice/dan/admin REFUSED dan was revoked by alice;"
				    "alice/dan/eve/admin REFUSED dan was revoked by alice;");
	log_in(&carol, "alice/carol/admin", LEAF_COMMAND);
	ask(&carol, MSG_WHOAMI);
	assert_int_equal(hear(&carol), MSG_REPLY_WHOAMI);
	channel_close(&early);
	channel_close(&late);
	channel_close(&carol);
}

/* Lists that are kept no longer: whose chain was not held against them has to come again. */
static void forgotten_lists_let_nobody_through(void **state)
{
	struct channel worker;

	(void)state;
	list_for = 4711;
	take_back("alice/", "dan "); /* generation 1 */
	clock_us += REVOCATIONS_KEPT_US;
	take_back("bob/", "x "); /* generation 2 */
	open_session(&worker, "alice/dan/admin", LEAF_COMMAND, 0);
	assert_int_equal(d.sessions->refused.status, 403);
	channel_close(&worker);
	turn();
	clock_us++;
	open_session(&worker, "alice/dan/admin", LEAF_COMMAND, 0);
	assert_int_equal(d.sessions->refused.status, 503);
	assert_int_equal(d.revocations.forgotten, 1);
	channel_close(&worker);
	turn();
	open_session(&worker, "alice/carol/admin", LEAF_COMMAND, 1);
	assert_int_equal(d.sessions->refused.status, 0);
	channel_close(&worker);
	turn();
	for (unsigned i = 0; i <= REVOCATIONS_MAX; i++)
		take_back("alice/", "dan ");
	assert_int_equal(d.revocations.forgotten, 3);
}

/*
 * Of two vmm_auths that live, each counts for itself: the later one's chains were held against all
 * that the one before it stored, the earlier one's against nothing that came after its term.
 */
static void each_vmm_auth_counts_for_itself(void **state)
{
	const uint64_t first = revocations_generation(1, 9), second = revocations_generation(2, 0);
	struct channel worker;

	(void)state;
	assert_true(revocations_generation(1, UINT64_MAX) < second);
	generation = first - 1;
	take_back("alice/", "dan ");
	clock_us += REVOCATIONS_KEPT_US + 1;
	open_session(&worker, "alice/dan/admin", LEAF_COMMAND, first - 1);
	assert_int_equal(d.sessions->refused.status, 503);
	channel_close(&worker);
	turn();
	open_session(&worker, "alice/dan/admin", LEAF_COMMAND, second);
	assert_int_equal(d.sessions->refused.status, 0);
	channel_close(&worker);
	turn();
	generation = second;
	take_back("alice/", "carol ");
	open_session(&worker, "alice/carol/admin", LEAF_COMMAND, first);
	assert_int_equal(d.sessions->refused.status, 403);
	channel_close(&worker);
	turn();
	clock_us += REVOCATIONS_KEPT_US + 1;
	open_session(&worker, "alice/carol/admin", LEAF_COMMAND, first);
	assert_int_equal(d.sessions->refused.status, 503);
	channel_close(&worker);
	turn();
	open_session(&worker, "alice/eve/admin", LEAF_COMMAND, second + 1);
	assert_int_equal(d.sessions->refused.status, 0);
	channel_close(&worker);
}

static void a_list_that_could_change_is_none(void **state)
{
	(void)state;
	add_vm("alice/dan/web", VM_RUNNING);
	assert_string_equal(tell("alice/", "dan ", 0, 0), "a list that is not sealed");
	assert_string_equal(tell("alice/", "dan ", F_SEAL_SHRINK | F_SEAL_WRITE, 0),
			    "a list that is not sealed");
	assert_string_equal(tell("alice/", "dan ", ALL_SEALS, 1),
			    "a list of another length than it says");
	assert_string_equal(stopped, "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(what_is_below_ends_and_siblings_stay),
	    TEST(a_vm_that_does_not_go_is_said_once),
	    TEST(who_revokes_itself_is_answered_first),
	    TEST(the_root_takes_back_whole_delegations),
	    TEST(what_vmm_auth_refuses_is_answered_so),
	    TEST(stored_lists_are_applied_silently),
	    TEST(a_list_of_what_nobody_knows_is_said_of_its_issuer),
	    TEST(a_list_counts_without_its_session),
	    TEST(a_chain_judged_by_older_lists_is_held_against_the_new_ones),
	    TEST(forgotten_lists_let_nobody_through),
	    TEST(each_vmm_auth_counts_for_itself),
	    TEST(a_list_that_could_change_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
