/* A vmm_auth under test; see auth_world.h. */
#include "auth_world.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/pem.h>

static const char *program;
struct incoming in;
struct minted root;
struct auth_process auth;
char state_folder[64];

void auth_world_init(const char *path)
{
	program = path;
	(void)signal(SIGPIPE, SIG_IGN);
	alarm(240); /* an answer that never comes is a failure */
}

void start(void)
{
	struct channel lower;
	assert_int_equal(channel_pair(LINK_AUTH, &auth.up, &lower), 0);
	auth.gate.fd = -1;
	auth.pid = fork();
	assert_true(auth.pid >= 0);
	if (auth.pid == 0) {
		/* dup2 onto itself would leave it close-on-exec. */
		int fd = fcntl(lower.fd, F_DUPFD, 10);
		dup2(fd, 3);
		close_range(4, ~0u, 0);
		execl(program, program, (char *)NULL);
		_exit(127);
	}
	channel_close(&lower);
}

int finish(void)
{
	int status = -1;
	channel_close(&auth.up);
	channel_close(&auth.gate);
	assert_int_equal(waitpid(auth.pid, &status, 0), auth.pid);
	return status;
}

void expect(struct channel *from, uint32_t type)
{
	enum channel_result result = channel_recv(from, &in);
	if (result != CHANNEL_MESSAGE)
		fail_msg("no message %u: result %d, %s", type, result,
			 in.problem ? in.problem : "");
	assert_int_equal(in.type, type);
}

void expect_eof(struct channel *from)
{
	assert_int_equal(channel_recv(from, &in), CHANNEL_EOF);
}

void send_ca(X509 *const *certs, unsigned count, const char *tail)
{
	FILE *file = tmpfile();
	assert_non_null(file);
	for (unsigned i = 0; i < count; i++)
		assert_true(PEM_write_X509(file, certs[i]));
	fputs(tail, file);
	fflush(file);
	rewind(file);
	int fds[] = {fileno(file), open(state_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
	assert_int_equal(channel_send(&auth.up, MSG_AUTH_CA, &(struct msg_empty){0}, fds), 0);
	close(fds[1]);
	fclose(file);
}

void new_gate(void)
{
	struct channel upper;
	assert_int_equal(channel_pair(LINK_CHAINS, &upper, &auth.gate), 0);
	assert_int_equal(channel_send(&auth.up, MSG_AUTH_GATE, &(struct msg_empty){0}, &upper.fd),
			 0);
	channel_close(&upper);
}

/* Says when its CA ends, then that it is in service. */
void expect_ready(void)
{
	ASN1_TIME *expires;

	expect(&auth.up, MSG_ROLE_EXPIRES);
	expires = ASN1_TIME_set(NULL, in.body.expires.expires);
	assert_int_equal(ASN1_TIME_compare(expires, X509_get0_notAfter(root.cert)), 0);
	ASN1_TIME_free(expires);
	expect(&auth.up, MSG_ROLE_READY);
	auth.up.state = STATE_READY;
	new_gate();
}

int make_folder(void **state)
{
	(void)state;
	strcpy(state_folder, "/tmp/vmm-test-auth-XXXXXX");
	assert_non_null(mkdtemp(state_folder));
	return 0;
}

int remove_folder(void **state)
{
	char command[128];
	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf %s", state_folder);
	return system(command);
}

int set_up(void **state)
{
	make_folder(state);
	start();
	root = mint_root("ca", NULL);
	mint_dates(root.cert, time(NULL) - MINT_DAY, time(NULL) + MINT_DAY);
	X509_sign(root.cert, root.key, EVP_sha256());
	send_ca(&root.cert, 1, "");
	expect_ready();
	return 0;
}

int tear_down(void **state)
{
	mint_free(&root);
	return finish() == 0 ? remove_folder(state) : -1;
}

struct visitor announce(void)
{
	struct visitor visitor = {.memfd = -1};
	struct channel upper, passed;
	struct msg_peer peer = {PEER};
	assert_int_equal(channel_pair(LINK_CHAIN, &upper, &visitor.chain), 0);
	assert_int_equal(channel_pair(LINK_SESSION, &passed, &visitor.session), 0);
	visitor.passed = passed.fd;
	assert_int_equal(channel_send(&auth.gate, MSG_CHAIN_CHANNEL, &peer, &upper.fd), 0);
	channel_close(&upper);
	return visitor;
}

void show_memfd(struct visitor *visitor, int memfd)
{
	int fds[] = {visitor->passed, memfd};
	assert_int_equal(channel_send(&visitor->chain, MSG_CHAIN, &(struct msg_empty){0}, fds), 0);
	close(visitor->passed);
	visitor->memfd = memfd;
}

int memfd_of(const uint8_t *bytes, size_t size, int seals)
{
	int memfd = memfd_create("chain", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_true(memfd >= 0);
	for (size_t done = 0; done < size;) {
		ssize_t n = write(memfd, bytes + done, size - done);
		assert_true(n > 0);
		done += (size_t)n;
	}
	if (seals)
		assert_int_equal(fcntl(memfd, F_ADD_SEALS, seals), 0);
	return memfd;
}

void leave(struct visitor *visitor)
{
	channel_close(&visitor->chain);
	channel_close(&visitor->session);
	if (visitor->memfd >= 0)
		close(visitor->memfd);
}

void expect_verdict(struct visitor *visitor, enum verdict verdict)
{
	expect(&visitor->session, MSG_VERDICT);
	assert_int_equal(in.body.verdict.verdict, verdict);
}
