/*
 * vmm_auth as a process, sandbox and all; the test is vmmd, the gate and its workers. What a chain
 * must be is test_verify's: here it is who is told what, with which descriptors, in which order.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/sha.h>

#include "auth_world.h"

/* A chain of root, "dev" and a leaf of CONTENT, now valid or long expired. */
static uint8_t *chain_of(const struct cert_content *content, bool expired, size_t *len)
{
	const time_t from = expired ? MINT_NOW : time(NULL) - MINT_DAY;
	struct cert_content grants = mint_policy(2, 1024);
	struct minted dev = mint_new("dev", NULL, true, &grants);
	struct minted leaf = mint_new("hello", NULL, false, content);
	X509 *certs[] = {leaf.cert, dev.cert};
	for (int i = 0; i < 2; i++)
		mint_dates(certs[i], from, from + 2 * MINT_DAY);
	mint_sign(&dev, &root);
	mint_sign(&leaf, &dev);
	uint8_t *message = mint_message(certs, 2, len);
	mint_free(&dev);
	mint_free(&leaf);
	return message;
}

static void show(struct visitor *visitor, const struct cert_content *content, bool expired)
{
	size_t len;
	uint8_t *message = chain_of(content, expired, &len);
	show_memfd(visitor, memfd_of(message, len, SEALS));
	free(message);
}

static const struct cert_content *command(void)
{
	static struct cert_content content;
	content = mint_command(PERMIT_ALL);
	return &content;
}

/* Whoever did something odd before: others are served. */
static void expect_service(void)
{
	struct visitor visitor = announce();
	show(&visitor, command(), false);
	expect_verdict(&visitor, VERDICT_ACCEPT);
	expect(&auth.up, MSG_SESSION_OPEN);
	incoming_close(&in);
	leave(&visitor);
}

static void an_accepted_chain_becomes_a_session(void **state)
{
	struct stat ours, theirs;
	(void)state;
	struct visitor visitor = announce();
	show(&visitor, command(), false);
	expect_verdict(&visitor, VERDICT_ACCEPT);
	expect(&auth.up, MSG_SESSION_OPEN);
	const struct msg_session_open *open = &in.body.session_open;
	assert_string_equal(open->peer, PEER);
	assert_string_equal(open->request.leaf.name, "hello");
	assert_string_equal(open->request.level[0].node.name, "dev");
	assert_int_equal(open->request.kind, LEAF_COMMAND);
	assert_int_equal(fstat(in.fd[1], &theirs), 0);
	assert_int_equal(fstat(visitor.memfd, &ours), 0);
	assert_int_equal(theirs.st_ino, ours.st_ino);

	/* The socket is the session's, and only vmmd has it now. */
	struct channel session;
	channel_init(&session, channel_take(&in, 0), LINK_SESSION, SIDE_UPPER);
	incoming_close(&in);
	visitor.session.state = STATE_READY;
	assert_int_equal(channel_send(&session, MSG_REPLY_END, &(struct msg_id){7}, NULL), 0);
	expect(&visitor.session, MSG_REPLY_END);
	assert_int_equal(in.body.id.id, 7);
	channel_close(&session);
	expect_eof(&visitor.session);
	expect_eof(&visitor.chain);
	leave(&visitor);
}

static void sessions_have_numbers_nobody_guesses(void **state)
{
	uint64_t last = 0;
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct visitor visitor = announce();
		show(&visitor, command(), false);
		expect(&auth.up, MSG_SESSION_OPEN);
		assert_true(in.body.session_open.session != last);
		assert_true(in.body.session_open.session > UINT32_MAX); /* or 1 in 2^32 */
		last = in.body.session_open.session;
		incoming_close(&in);
		leave(&visitor);
	}
}

static void an_image_s_digest_follows(void **state)
{
	enum { SIZE = 3 << 20 };
	uint8_t *image = malloc(SIZE), digest[DIGEST_SIZE];
	(void)state;
	assert_non_null(image);
	for (size_t i = 0; i < SIZE; i++)
		image[i] = (uint8_t)(i * i >> 8);
	SHA256(image, SIZE, digest);
	struct cert_content content = mint_vm(image, SIZE);
	struct visitor visitor = announce();
	show(&visitor, &content, false);
	expect_verdict(&visitor, VERDICT_ACCEPT);
	expect(&auth.up, MSG_SESSION_OPEN);
	const struct msg_session_open *open = &in.body.session_open;
	uint64_t number = open->session;
	uint8_t *map = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, in.fd[1],
			    (off_t)(open->request.vm.image.offset & ~UINT64_C(4095)));
	assert_ptr_not_equal(map, MAP_FAILED);
	assert_memory_equal(map + (open->request.vm.image.offset & 4095), image, SIZE - 4096);
	munmap(map, SIZE);
	incoming_close(&in);
	expect(&auth.up, MSG_IMAGE_DIGEST);
	assert_true(in.body.image_digest.session == number);
	assert_memory_equal(in.body.image_digest.sha256, digest, DIGEST_SIZE);
	leave(&visitor);
	free(image);
}

static void a_refused_chain_is_reported(void **state)
{
	(void)state;
	struct visitor visitor = announce();
	show(&visitor, command(), true);
	expect_verdict(&visitor, VERDICT_REFUSE);
	assert_string_equal(in.body.verdict.word, "expired");
	assert_string_equal(in.body.verdict.detail, "dev expired at 2017-07-16T02:40:00Z");
	expect(&auth.up, MSG_SESSION_REFUSED);
	assert_string_equal(in.body.session_refused.peer, PEER);
	assert_string_equal(in.body.session_refused.name, "hello");
	assert_int_equal(in.body.session_refused.path.depth, 2);
	assert_string_equal(in.body.session_refused.path.node[0].name, "dev");
	assert_string_equal(in.body.session_refused.path.node[1].name, "hello");
	assert_string_equal(in.body.session_refused.detail, "dev expired at 2017-07-16T02:40:00Z");
	expect_eof(&visitor.session);
	leave(&visitor);
}

/* vmmd hears of the next one first: of a stranger it hears nothing. */
static void a_stranger_is_not_reported(void **state)
{
	struct minted ours = root;
	(void)state;
	root = mint_root("other", NULL);
	struct visitor visitor = announce();
	show(&visitor, command(), false);
	mint_free(&root);
	root = ours;
	expect_verdict(&visitor, VERDICT_ALERT);
	assert_int_equal(in.body.verdict.alert, 48);
	expect_eof(&visitor.session);
	leave(&visitor);
	expect_service();
}

static void a_chain_must_be_sealed(void **state)
{
	static const int seals[] = {0,
				    F_SEAL_WRITE,
				    SEALS & ~F_SEAL_WRITE,
				    SEALS & ~F_SEAL_SHRINK,
				    SEALS & ~F_SEAL_GROW,
				    SEALS & ~F_SEAL_SEAL};
	size_t len;
	(void)state;
	uint8_t *message = chain_of(command(), false, &len);
	for (size_t i = 0; i < sizeof(seals) / sizeof(seals[0]); i++) {
		struct visitor visitor = announce();
		show_memfd(&visitor, memfd_of(message, len, seals[i]));
		expect_eof(&visitor.session);
		leave(&visitor);
	}
	free(message);
	/* Nor is it anything else than a memfd, empty, or larger than TLS has it. */
	struct visitor visitor = announce();
	show_memfd(&visitor, open("/dev/zero", O_RDONLY | O_CLOEXEC));
	expect_eof(&visitor.session);
	leave(&visitor);
	visitor = announce();
	show_memfd(&visitor, memfd_of(NULL, 0, SEALS));
	expect_eof(&visitor.session);
	leave(&visitor);
	visitor = announce();
	int large = memfd_of(NULL, 0, 0);
	assert_int_equal(ftruncate(large, 1 << 24), 0);
	assert_int_equal(fcntl(large, F_ADD_SEALS, SEALS), 0);
	show_memfd(&visitor, large);
	expect_eof(&visitor.session);
	leave(&visitor);
	expect_service();
}

static void garbage_costs_its_sender_alone(void **state)
{
	(void)state;
	struct visitor stalls = announce(), talks = announce(), leaves = announce();
	assert_int_equal(send(talks.chain.fd, "nonsense", 8, 0), 8);
	expect_eof(&talks.chain);
	close(talks.passed);
	leave(&talks);
	close(leaves.passed);
	leave(&leaves);
	expect_service();
	/* And one that took its time is served too. */
	show(&stalls, command(), false);
	expect_verdict(&stalls, VERDICT_ACCEPT);
	expect(&auth.up, MSG_SESSION_OPEN);
	incoming_close(&in);
	leave(&stalls);
}

/* More than there may be processes, small ones and large ones; each is served. */
static void many_at_once(void **state)
{
	enum { N = 60, LARGE = 10, SIZE = 2 << 20 };
	static struct visitor visitor[N];
	uint8_t *image = calloc(1, SIZE);
	(void)state;
	assert_non_null(image);
	for (int i = 0; i < N; i++)
		visitor[i] = announce();
	for (int i = 0; i < N; i++) {
		struct cert_content vm = mint_vm(image, SIZE);
		show(&visitor[i], i % (N / LARGE) == 0 ? &vm : command(), false);
	}
	int opened = 0, digests = 0;
	while (opened < N || digests < LARGE) {
		assert_int_equal(channel_recv(&auth.up, &in), CHANNEL_MESSAGE);
		opened += in.type == MSG_SESSION_OPEN;
		digests += in.type == MSG_IMAGE_DIGEST;
		incoming_close(&in);
	}
	for (int i = 0; i < N; i++) {
		expect_verdict(&visitor[i], VERDICT_ACCEPT);
		leave(&visitor[i]);
	}
	free(image);
}

/* A gate and its successor serve side by side while one takes over. */
static void gates_serve_side_by_side(void **state)
{
	(void)state;
	struct visitor before = announce();
	struct channel old = auth.gate, new;
	new_gate();
	new = auth.gate;
	expect_service();
	auth.gate = old;
	expect_service();
	/* The old one goes; what it announced is served all the same. */
	channel_close(&old);
	auth.gate = new;
	show(&before, command(), false);
	expect_verdict(&before, VERDICT_ACCEPT);
	expect(&auth.up, MSG_SESSION_OPEN);
	incoming_close(&in);
	leave(&before);
	/* One that breaks the rules is not listened to; there will be another. */
	assert_int_equal(send(auth.gate.fd, "nonsense", 8, 0), 8);
	expect_eof(&auth.gate);
	channel_close(&auth.gate);
	new_gate();
	expect_service();
}

/* What was announced before its gates let go of it is served to the end; then it goes by itself. */
static void a_predecessor_finishes_what_it_has(void **state)
{
	enum { SIZE = 12 << 20 };
	uint8_t *image = calloc(1, SIZE);
	(void)state;
	assert_non_null(image);
	const struct cert_content vm = mint_vm(image, SIZE);
	struct visitor large = announce(), late = announce();
	show(&large, &vm, false);
	assert_int_equal(channel_send(&auth.up, MSG_AUTH_DRAIN, &(struct msg_empty){0}, NULL), 0);
	struct visitor last = announce();
	channel_close(&auth.gate);
	expect(&auth.up, MSG_SESSION_OPEN);
	assert_int_equal(in.body.session_open.request.kind, LEAF_VM);
	incoming_close(&in);
	expect(&auth.up, MSG_IMAGE_DIGEST);
	expect_verdict(&large, VERDICT_ACCEPT);
	show(&late, command(), false);
	expect_verdict(&late, VERDICT_ACCEPT);
	expect(&auth.up, MSG_SESSION_OPEN);
	incoming_close(&in);
	/* One that ends without a chain is the last one here. */
	close(last.passed);
	leave(&last);
	expect_eof(&auth.up);
	leave(&large);
	leave(&late);
	free(image);
}

static void expect_failure(X509 *const *certs, unsigned count, const char *tail, const char *reason)
{
	start();
	send_ca(certs, count, tail);
	expect(&auth.up, MSG_ROLE_FAILED);
	assert_string_equal(in.body.detail.detail, reason);
	int status = finish();
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

static void a_ca_must_be_one(void **state)
{
	struct minted ca = mint_root("ca", NULL), leaf = mint_new("x", NULL, false, command());
	X509 *two[] = {ca.cert, ca.cert};
	(void)state;
	mint_sign(&leaf, &ca);
	expect_failure(NULL, 0, "", "the CA's file (--ca) holds no certificate in PEM");
	expect_failure(NULL, 0, "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
		       "the CA's file (--ca) holds no certificate in PEM");
	expect_failure(two, 2, "", "the CA's file (--ca) holds more than one certificate");
	expect_failure(&leaf.cert, 1, "",
		       "the CA's file (--ca) holds a certificate that cannot be the CA: it is not "
		       "self-signed");
	mint_free(&ca);
	mint_free(&leaf);
}

/* Out of order, or nonsense: it ends, and vmmd starts another. */
static void vmmd_keeps_the_order(void **state)
{
	int status, fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	(void)state;
	start();
	assert_int_equal(channel_send(&auth.up, MSG_AUTH_GATE, &(struct msg_empty){0}, &fd), 0);
	expect_eof(&auth.up);
	status = finish();
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	close(fd);
	start();
	status = finish();
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(an_accepted_chain_becomes_a_session, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(sessions_have_numbers_nobody_guesses, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(an_image_s_digest_follows, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_refused_chain_is_reported, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_stranger_is_not_reported, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_chain_must_be_sealed, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(garbage_costs_its_sender_alone, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(many_at_once, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(gates_serve_side_by_side, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_predecessor_finishes_what_it_has, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_ca_must_be_one, make_folder, remove_folder),
	    cmocka_unit_test(vmmd_keeps_the_order),
	};
	if (argc != 2)
		return 2;
	auth_world_init(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
