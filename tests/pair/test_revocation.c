/*
 * Revocation in vmm_auth as a process: lists that are pushed, kept over its death, and held against
 * chains. What a list must be is test_crl's, how it is stored test_store's.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/sha.h>

#include "auth_world.h"
#include "mint_list.h"

#define SESSION UINT64_C(0x7777777777)
#define MANY	400000

/* root - dev - sub - admin, and dev - other. */
static struct minted dev, sub, admin, other;
static uint32_t next_id;

static void date_and_sign(struct minted *minted, const struct minted *issuer)
{
	mint_dates(minted->cert, time(NULL) - MINT_DAY, time(NULL) + MINT_DAY);
	mint_sign(minted, issuer);
}

static int set_up_tree(void **state)
{
	struct cert_content grants = mint_policy(2, 1024), all = mint_command(PERMIT_ALL);
	set_up(state);
	dev = mint_new("dev", NULL, true, &grants);
	sub = mint_new("sub", NULL, true, &grants);
	admin = mint_new("admin", NULL, false, &all);
	other = mint_new("other", NULL, false, &all);
	date_and_sign(&dev, &root);
	date_and_sign(&sub, &dev);
	date_and_sign(&admin, &sub);
	date_and_sign(&other, &dev);
	return 0;
}

static int tear_down_tree(void **state)
{
	mint_free(&dev);
	mint_free(&sub);
	mint_free(&admin);
	mint_free(&other);
	return tear_down(state);
}

static int chain_memfd(X509 *const *certs, unsigned count)
{
	size_t len;
	uint8_t *message = mint_message(certs, count, &len);
	int memfd = memfd_of(message, len, SEALS);
	free(message);
	return memfd;
}

/* What becomes of a chain; the rest is in IN. */
static enum verdict judge(X509 *const *certs, unsigned count)
{
	struct visitor visitor = announce();
	show_memfd(&visitor, chain_memfd(certs, count));
	expect(&visitor.session, MSG_VERDICT);
	enum verdict verdict = in.body.verdict.verdict;
	expect(&auth.up, verdict == VERDICT_ACCEPT ? MSG_SESSION_OPEN : MSG_SESSION_REFUSED);
	incoming_close(&in);
	leave(&visitor);
	return verdict;
}

static enum verdict judge_admin(void)
{
	X509 *certs[] = {admin.cert, sub.cert, dev.cert};
	return judge(certs, 3);
}

static enum verdict judge_other(void)
{
	X509 *certs[] = {other.cert, dev.cert};
	return judge(certs, 2);
}

static const struct minted *above(const struct minted *issuer)
{
	return issuer == &sub ? &dev : issuer == &dev ? &root : NULL;
}

/* Pushes CONTENT in a leaf of ISSUER's; its number. */
static uint32_t push_content(const struct minted *issuer, const struct cert_content *content)
{
	struct minted leaf = mint_new("revoke", NULL, false, content);
	struct msg_revocation_push msg = {.session = SESSION, .id = ++next_id};
	X509 *certs[3] = {leaf.cert};
	unsigned count = 1;
	date_and_sign(&leaf, issuer);
	for (const struct minted *at = issuer; at != &root; at = above(at))
		certs[count++] = at->cert;
	int memfd = chain_memfd(certs, count);
	assert_int_equal(channel_send(&auth.up, MSG_REVOCATION_PUSH, &msg, &memfd), 0);
	close(memfd);
	mint_free(&leaf);
	return next_id;
}

/* ISSUER's list NUMBER, which takes back WHAT (NULL: nobody). */
static uint32_t push(const struct minted *issuer, uint8_t number, const struct minted *what)
{
	X509 *certs[] = {what ? what->cert : NULL, NULL};
	size_t size;
	uint8_t *list = mint_revoking(issuer, number, certs, &size);
	struct cert_content content = mint_revocation(list, size);
	uint32_t id = push_content(issuer, &content);
	free(list);
	return id;
}

static uint32_t push_parts(const struct minted *issuer, const struct list_parts *parts)
{
	size_t size;
	uint8_t *list = mint_list(issuer, parts, &size);
	struct cert_content content = mint_revocation(list, size);
	uint32_t id = push_content(issuer, &content);
	free(list);
	return id;
}

/* The list with WHAT in it is announced, as the answer to ID (0: of its own accord). */
static void expect_list(uint32_t id, uint64_t number, const struct minted *what)
{
	struct label expected;
	struct refusal why;
	struct stat stat;
	expect(&auth.up, MSG_REVOCATION_LIST);
	const struct msg_revocation_list *list = &in.body.revocation_list;
	assert_true(list->session == (id ? SESSION : 0));
	assert_int_equal(list->id, id);
	assert_int_equal(list->number, number);
	assert_int_equal(fcntl(in.fd[0], F_GET_SEALS), SEALS);
	assert_int_equal(fstat(in.fd[0], &stat), 0);
	assert_int_equal(stat.st_size, (off_t)list->count * LABEL_SIZE);
	if (what) {
		uint8_t label[LABEL_SIZE];
		assert_int_equal(list->count, 1);
		assert_int_equal(pread(in.fd[0], label, LABEL_SIZE, 0), LABEL_SIZE);
		assert_true(cert_label(X509_get0_serialNumber(what->cert), &expected, &why));
		assert_memory_equal(label, expected.byte, LABEL_SIZE);
	}
	incoming_close(&in);
}

static void expect_refusal(uint32_t id, uint32_t status, const char *word, const char *detail)
{
	expect(&auth.up, MSG_REVOCATION_REFUSED);
	const struct msg_revocation_refused *refused = &in.body.revocation_refused;
	assert_string_equal(refused->detail, detail);
	assert_string_equal(refused->word, word);
	assert_int_equal(refused->status, status);
	assert_true(refused->session == SESSION);
	assert_int_equal(refused->id, id);
}

/* As by kill -9, and vmmd starts another one. */
static void restart(void)
{
	assert_int_equal(kill(auth.pid, SIGKILL), 0);
	finish();
	start();
	send_ca(&root.cert, 1, "");
}

static void a_pushed_list_is_in_force(void **state)
{
	(void)state;
	assert_int_equal(judge_admin(), VERDICT_ACCEPT);
	assert_int_equal(in.body.session_open.generation, 0);
	expect_list(push(&dev, 1, &sub), 1, &sub);
	assert_int_equal(in.body.revocation_list.generation, 1);
	assert_int_equal(in.body.revocation_list.scope.depth, 1);
	assert_string_equal(in.body.revocation_list.scope.node[0].name, "dev");

	assert_int_equal(judge_admin(), VERDICT_REFUSE);
	assert_string_equal(in.body.session_refused.detail, "sub was revoked by dev");
	assert_int_equal(in.body.session_refused.path.depth, 3);
	assert_string_equal(in.body.session_refused.path.node[2].name, "admin");
	/* Its sibling is untouched, and known to be held against this list. */
	assert_int_equal(judge_other(), VERDICT_ACCEPT);
	assert_int_equal(in.body.session_open.generation, 1);
}

/* Sub's own list is not dev's, though each has the serials of the other. */
static void a_list_is_of_one_issuer(void **state)
{
	(void)state;
	expect_list(push(&sub, 1, &other), 1, &other);
	assert_int_equal(judge_other(), VERDICT_ACCEPT);
	expect_list(push(&sub, 2, &admin), 2, &admin);
	assert_int_equal(judge_admin(), VERDICT_REFUSE);
	expect_list(push(&root, 0, &dev), 0, &dev);
	assert_int_equal(in.body.revocation_list.scope.depth, 0);
	assert_int_equal(judge_other(), VERDICT_REFUSE);
	assert_string_equal(in.body.session_refused.detail, "dev was revoked by the CA");
}

static void lists_outlive_it(void **state)
{
	(void)state;
	expect_list(push(&dev, 1, &other), 1, NULL);
	expect_list(push(&dev, 3, &sub), 3, NULL);
	restart();
	expect_list(0, 3, &sub);
	expect_ready();
	assert_int_equal(judge_admin(), VERDICT_REFUSE);
	assert_int_equal(judge_other(), VERDICT_ACCEPT);
	assert_int_equal(in.body.session_open.generation, 1);
	/* Numbers go on where they were. */
	expect_refusal(push(&dev, 3, &other), 409, "superseded",
		       "the list that is in force has number 3, this one 3: it must be higher");
	/* Nobody is taken back any more: legal, it is the issuer's list. */
	expect_list(push(&dev, 4, NULL), 4, NULL);
	assert_int_equal(in.body.revocation_list.count, 0);
	assert_int_equal(judge_admin(), VERDICT_ACCEPT);
}

static void what_is_not_taken(void **state)
{
	struct cert_content all = mint_command(PERMIT_ALL);
	(void)state;
	expect_list(push(&dev, 7, &other), 7, NULL);
	expect_refusal(push(&dev, 6, &sub), 409, "superseded",
		       "the list that is in force has number 7, this one 6: it must be higher");
	expect_refusal(push_parts(&dev, &(struct list_parts){.spoiled = true}), 400, "malformed",
		       "the revocation list has a signature that is not its issuer's");
	expect_refusal(push_parts(&dev, &(struct list_parts){.extensions = ""}), 400, "malformed",
		       "the revocation list has no number (crlNumber)");
	expect_refusal(push_content(&dev, &all), 403, "permission",
		       "the session is not of a revocation certificate");
	/* Somebody else's list, under a certificate of one's own. */
	size_t size;
	uint8_t *list = mint_revoking(&sub, 9, (X509 *[]){other.cert, NULL}, &size);
	struct cert_content content = mint_revocation(list, size);
	expect_refusal(push_content(&dev, &content), 400, "malformed",
		       "the revocation list is another issuer's, must be of the one that signed "
		       "the certificate it comes in");
	free(list);
	/* Who is revoked revokes nobody. */
	expect_list(push(&dev, 8, &sub), 8, NULL);
	expect_refusal(push(&sub, 1, &admin), 403, "revoked", "sub was revoked by dev");
	assert_int_equal(judge_other(), VERDICT_ACCEPT);
}

/* As many as a certificate carries, while others are served; then as if it had been one. */
static void many_entries(void **state)
{
	(void)state;
	uint32_t id = push_parts(&dev, &(struct list_parts){.count = MANY});
	X509 *certs[] = {other.cert, dev.cert};
	struct visitor visitor = announce();
	show_memfd(&visitor, chain_memfd(certs, 2));
	expect_verdict(&visitor, VERDICT_ACCEPT);
	leave(&visitor);
	bool opened = false, listed = false;
	while (!opened || !listed) {
		assert_int_equal(channel_recv(&auth.up, &in), CHANNEL_MESSAGE);
		opened |= in.type == MSG_SESSION_OPEN;
		if (in.type == MSG_REVOCATION_LIST) {
			listed = true;
			assert_int_equal(in.body.revocation_list.id, id);
			assert_int_equal(in.body.revocation_list.count, MANY);
		}
		incoming_close(&in);
	}
	assert_int_equal(judge_admin(), VERDICT_ACCEPT);
	restart();
	expect_list(0, 7, NULL);
	assert_int_equal(in.body.revocation_list.count, MANY);
	expect_ready();
	expect_list(push(&dev, 8, &sub), 8, &sub);
	assert_int_equal(judge_admin(), VERDICT_REFUSE);
}

/* The process that vmm_auth has at work; 0: none. */
static pid_t child(void)
{
	char path[64];
	int pid = 0;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)auth.pid, (int)auth.pid);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	if (fscanf(file, "%d", &pid) != 1)
		pid = 0;
	fclose(file);
	return (pid_t)pid;
}

static pid_t wait_for_child(void)
{
	pid_t pid;
	while ((pid = child()) == 0)
		usleep(100);
	return pid;
}

/* Its process is killed over it: another one takes it. */
static void a_list_is_not_lost(void **state)
{
	(void)state;
	uint32_t id = push_parts(&dev, &(struct list_parts){.count = MANY});
	assert_int_equal(kill(wait_for_child(), SIGKILL), 0);
	expect_list(id, 7, NULL);
	/* So does a list that nobody survives: it is answered. */
	id = push_parts(&dev, &(struct list_parts){.count = MANY, .extensions = LIST_NUMBER("08")});
	pid_t first = wait_for_child();
	kill(first, SIGKILL);
	pid_t second;
	while ((second = child()) == 0 || second == first)
		usleep(100);
	kill(second, SIGKILL);
	expect_refusal(id, 503, "unavailable",
		       "the process that was to take the list did not live to say what became of "
		       "it");
	assert_int_equal(judge_other(), VERDICT_ACCEPT);
}

/* A disk that hangs: handshakes go on, so many lists wait, one more is told to come again. */
static void a_stuck_process_stops_nobody(void **state)
{
	enum { WAITING = 15 };
	(void)state;
	uint32_t first = push_parts(&dev, &(struct list_parts){.count = MANY});
	pid_t pid = wait_for_child();
	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_int_equal(judge_other(), VERDICT_ACCEPT);
	for (unsigned i = 1; i <= WAITING; i++)
		push(&dev, (uint8_t)(7 + i), i < WAITING ? &other : &sub);
	expect_refusal(push(&dev, 100, &other), 503, "unavailable",
		       "too many revocation lists wait for the disk: try again");
	assert_int_equal(judge_admin(), VERDICT_ACCEPT);
	assert_int_equal(kill(pid, SIGCONT), 0);
	expect_list(first, 7, NULL);
	for (unsigned i = 1; i <= WAITING; i++)
		expect_list(first + i, (uint64_t)7 + i, i < WAITING ? &other : &sub);
	assert_int_equal(judge_admin(), VERDICT_REFUSE);
}

/* A successor is at work already when its predecessor stores one last list, the first of dev's. */
static void succeed_late(void)
{
	struct auth_process old = auth, new;
	start();
	send_ca(&root.cert, 1, "");
	expect_ready();
	new = auth;
	auth = old;
	expect_list(push(&dev, 1, &sub), 1, &sub);
	finish();
	auth = new;
}

static void a_successor_takes_what_comes_late(void **state)
{
	(void)state;
	succeed_late();
	X509 *certs[] = {admin.cert, sub.cert, dev.cert};
	struct visitor visitor = announce();
	show_memfd(&visitor, chain_memfd(certs, 3));
	expect_verdict(&visitor, VERDICT_REFUSE);
	expect_list(0, 1, &sub);
	expect(&auth.up, MSG_SESSION_REFUSED);
	leave(&visitor);
}

/* Nor is it missed while a list of its own is at work, at whose end it looks again. */
static void nor_is_that_missed_beside_a_list_of_its_own(void **state)
{
	(void)state;
	succeed_late();
	uint32_t own = push_parts(&dev, &(struct list_parts){.count = MANY});
	expect_list(0, 1, &sub);
	pid_t pid = wait_for_child();
	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_int_equal(judge_admin(), VERDICT_REFUSE);
	assert_int_equal(kill(pid, SIGCONT), 0);
	expect_list(own, 7, NULL);
}

/* 64 MB for a top delegation and all below it, and as much for the root's own lists. */
static void a_tenant_has_so_much_room(void **state)
{
	enum { N = 600000 };
	const struct list_parts large = {.count = N};
	struct cert_content grants = mint_policy(2, 1024);
	(void)state;
	expect_list(push_parts(&dev, &large), 7, NULL);
	expect_list(push_parts(&sub, &large), 7, NULL);
	struct minted first = sub;
	sub = mint_new("sub2", NULL, true, &grants);
	date_and_sign(&sub, &dev);
	expect_list(push_parts(&sub, &large), 7, NULL);
	mint_free(&sub);
	sub = mint_new("sub3", NULL, true, &grants);
	date_and_sign(&sub, &dev);
	expect_refusal(push_parts(&sub, &large), 413, "too-large",
		       "the list takes 18752 KB, and the others of dev 56256 KB already; 65536 KB "
		       "are all they may have");
	/* One that replaces another counts for it. */
	expect_list(push(&dev, 8, &other), 8, &other);
	expect_list(push_parts(&sub, &large), 7, NULL);
	expect_list(push_parts(&root, &large), 7, NULL);
	/* The memory that they take is nobody's chain's. */
	mint_free(&sub);
	sub = first;
	assert_int_equal(judge_admin(), VERDICT_ACCEPT);
	assert_int_equal(judge_other(), VERDICT_REFUSE);
}

static void list_name(char out[NAME_MAX + 1])
{
	DIR *stream = opendir(state_folder);
	struct dirent *entry;
	out[0] = 0;
	while ((entry = readdir(stream)) != NULL)
		if (entry->d_name[0] != '.')
			snprintf(out, NAME_MAX + 1, "%s", entry->d_name);
	closedir(stream);
}

static void a_damaged_list_stops_it(void **state)
{
	char name[NAME_MAX + 1], path[512], expected[DETAIL_SIZE + 64];
	(void)state;
	expect_list(push(&dev, 1, &sub), 1, &sub);
	list_name(name);
	snprintf(path, sizeof(path), "%s/%s", state_folder, name);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "x", 1, 60), 1);
	restart();
	expect(&auth.up, MSG_ROLE_FAILED);
	snprintf(
	    expected, sizeof(expected),
	    "the state directory (--state-dir): revocations/%s is damaged: its checksum does "
	    "not fit; bring the file back from a backup, or remove it and have its issuer push "
	    "the list again",
	    name);
	assert_string_equal(in.body.detail.detail, expected);
	finish();
	/* What a writer did not finish is no list, and goes. */
	assert_int_equal(ftruncate(fd, 100), 0);
	close(fd);
	snprintf(expected, sizeof(expected), "%s.0123456789abcdef.new", path);
	assert_int_equal(rename(path, expected), 0);
	start();
	send_ca(&root.cert, 1, "");
	expect_ready();
	list_name(name);
	assert_string_equal(name, "");
}

int main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_tree, tear_down_tree)
	const struct CMUnitTest tests[] = {
	    TEST(a_pushed_list_is_in_force),
	    TEST(a_list_is_of_one_issuer),
	    TEST(lists_outlive_it),
	    TEST(what_is_not_taken),
	    TEST(many_entries),
	    TEST(a_list_is_not_lost),
	    TEST(a_stuck_process_stops_nobody),
	    TEST(a_successor_takes_what_comes_late),
	    TEST(nor_is_that_missed_beside_a_list_of_its_own),
	    TEST(a_tenant_has_so_much_room),
	    TEST(a_damaged_list_stops_it),
	};
	if (argc != 2)
		return 2;
	auth_world_init(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
