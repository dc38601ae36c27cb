/*
 * What vmm_gate sees above itself, without a family: vmmd and vmm_auth played by one small process,
 * for tests with foreign TLS and HTTP clients (tests/e2e/test_gate_alone.py).
 *
 *   gate_upper VMM_GATE CERTIFICATE KEY [ADDRESS]
 *
 * Starts the gate on a free port of ADDRESS, says "ready PORT PID EXPIRES" on stdout, EXPIRES as
 * the gate said it of its certificate, and then, a line each, what happens. The verdict is in the
 * chain itself: a certificate that contains the text "play-refuse", "play-alert-48", "play-silence"
 * or "play-vanish" gets that, any other is accepted. What a VM's path asks for is in its name
 * likewise. Commands on stdin: "auth" (vmm_auth is started again), "end TEXT" (SESSION_END to all),
 * "drop" (all sessions vanish), "hush" (all readers lose their sender), "drain", "counts"
 * (says "counts CONNECTIONS LOST MESSAGES", of all GATE_COUNTS), and those of
 * gate_volumes.h and gate_statistics.h.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "channel.h"
#include "gate_replies.h"
#include "gate_statistics.h"
#include "gate_volumes.h"
#include "role.h"

#define PEERS_MAX 4096

/* Every channel there is: the gate's, the announcer's, one a worker, one a session, one a reader.
 */
struct peer {
	struct channel channel;
	char name[PEER_SIZE];
	bool flood; /* a reader that is written to as long as it takes it */
	uint64_t lines;
};

static struct peer peers[PEERS_MAX];
static unsigned npeers;
static struct channel gate;
static struct incoming in;
/* What the gate has said in all, in how many messages. */
static struct msg_gate_counts counts;
static unsigned ncounts;

void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	fflush(stdout);
}

static _Noreturn void die(const char *what)
{
	say("failed %s: %s\n", what, strerror(errno));
	exit(1);
}

static struct peer *peer_add(struct channel channel, const char *name)
{
	struct peer *peer = &peers[npeers];

	if (npeers == PEERS_MAX)
		die("too many peers");
	npeers++;
	*peer = (struct peer){.channel = channel};
	snprintf(peer->name, sizeof(peer->name), "%s", name);
	channel_set_nonblocking(&peer->channel);
	return peer;
}

static void peer_remove(unsigned i)
{
	channel_close(&peers[i].channel);
	peers[i] = peers[--npeers];
}

/* vmm_auth. */

static void introduce(void)
{
	struct channel upper, lower;

	if (channel_pair(LINK_CHAINS, &upper, &lower) < 0 ||
	    channel_send(&gate, MSG_GATE_AUTH, &(struct msg_empty){0}, &lower.fd) < 0)
		die("GATE_AUTH");
	channel_close(&lower);
	peer_add(upper, "auth");
}

static bool is_sealed(int fd)
{
	const int all = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

	return fcntl(fd, F_GET_SEALS) == all;
}

/* Plays what the chain says; true: there is a session. */
static bool judge(struct channel *session, int memfd, const char *name)
{
	struct msg_verdict verdict = {.verdict = VERDICT_ACCEPT};
	struct stat stat;
	void *bytes;
	const char *play;

	if (fstat(memfd, &stat) < 0 || !is_sealed(memfd))
		die("chain");
	bytes = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_PRIVATE, memfd, 0);
	if (bytes == MAP_FAILED)
		die("mmap");
	play = memmem(bytes, (size_t)stat.st_size, "play-", 5);
	say("chain %s %zu\n", name, (size_t)stat.st_size);
	if (play && !memcmp(play, "play-refuse", 11)) {
		verdict.verdict = VERDICT_REFUSE;
		snprintf(verdict.word, sizeof(verdict.word), "expired");
		snprintf(verdict.detail, sizeof(verdict.detail), "hello: expired on 2017-07-10");
	} else if (play && !memcmp(play, "play-alert-", 11)) {
		verdict.verdict = VERDICT_ALERT;
		verdict.alert = (uint32_t)((play[11] - '0') * 10 + (play[12] - '0'));
	}
	if (play && !memcmp(play, "play-vanish", 11))
		verdict.verdict = VERDICT_REFUSE;
	else if (!play || memcmp(play, "play-silence", 12) != 0)
		channel_send(session, MSG_VERDICT, &verdict, NULL);
	munmap(bytes, (size_t)stat.st_size);
	return verdict.verdict == VERDICT_ACCEPT;
}

static void chain_received(const char *name)
{
	struct channel session;
	char copy[PEER_SIZE];

	snprintf(copy, sizeof(copy), "%s", name);
	channel_init(&session, channel_take(&in, 0), LINK_SESSION, SIDE_UPPER);
	if (judge(&session, in.fd[1], copy))
		peer_add(session, copy);
	else
		channel_close(&session);
}

/* vmmd. */

/* A new reader's end of ours; the other goes out in answer to request ID. */
static struct channel reader_open(struct channel *session, uint32_t id)
{
	struct channel upper, lower;

	if (channel_pair(LINK_READER, &upper, &lower) < 0)
		die("reader");
	channel_send(session, MSG_REPLY_STREAM, &(struct msg_id){id}, &lower.fd);
	channel_close(&lower);
	return upper;
}

static void open_console(struct channel *session, const struct msg_console_open *ask)
{
	struct channel reader = reader_open(session, ask->id);
	bool over = play_console(&reader, ask->path);
	bool more = ask->follow || !strcmp(ask->path, "slow");

	if (over || !more)
		channel_close(&reader);
	else
		peer_add(reader, "reader")->flood = !strcmp(ask->path, "flood");
}

static void open_log(struct channel *session, const struct msg_log_open *ask)
{
	struct channel reader = reader_open(session, ask->id);

	play_log(&reader);
	if (ask->follow)
		peer_add(reader, "reader");
	else
		channel_close(&reader);
}

static void open_statistics(struct channel *session, const struct msg_statistics *ask)
{
	struct channel reader;

	say("statistics %s %u\n", ask->path, ask->family);
	if (!strcmp(ask->path, "absent")) {
		send_error(session, ask->id, 404, "not-found", "there is no absent");
		return;
	}
	reader = reader_open(session, ask->id);
	if (play_statistics(&reader, ask))
		channel_close(&reader);
	else
		peer_add(reader, "reader");
}

static void request_received(struct peer *peer)
{
	struct channel *session = &peer->channel;
	uint32_t id = in.body.id.id;

	switch (in.type) {
	case MSG_HELLO:
		session->state = STATE_READY;
		say("login %s\n", peer->name);
		break;
	case MSG_WHOAMI:
		send_whoami(session, id);
		break;
	case MSG_VM_LIST:
		say("list %s\n", in.body.vm_path.path);
		send_vms(session, &in.body.vm_path);
		break;
	case MSG_VM_START:
		say("start %u\n", in.body.vm_start.force);
		send_vm(session, id, "h\xc3\xa9llo w");
		send_end(session, id);
		break;
	case MSG_VM_DESTROY:
		say("destroy %s\n", in.body.vm_path.path);
		if (strcmp(in.body.vm_path.path, "stuck") != 0)
			send_end(session, id);
		break;
	case MSG_CONSOLE_OPEN:
		say("console %s %lld %u %u\n", in.body.console_open.path,
		    (long long)in.body.console_open.since_us, in.body.console_open.lines,
		    in.body.console_open.follow);
		open_console(session, &in.body.console_open);
		break;
	case MSG_LOG_OPEN:
		say("log %lld %u\n", (long long)in.body.log_open.since_us, in.body.log_open.follow);
		open_log(session, &in.body.log_open);
		break;
	case MSG_STATISTICS:
		open_statistics(session, &in.body.statistics);
		break;
	case MSG_REVOKE:
		say("revoke\n");
		send_revoked(session, id);
		break;
	default:
		volumes_request(session, &in);
	}
}

/* All of them. */

static void message_received(struct peer *peer)
{
	struct channel chain;

	switch (in.type) {
	case MSG_CHAIN_CHANNEL:
		channel_init(&chain, channel_take(&in, 0), LINK_CHAIN, SIDE_UPPER);
		peer_add(chain, in.body.peer.peer);
		break;
	case MSG_CHAIN:
		chain_received(peer->name);
		break;
	case MSG_GATE_COUNTS:
		counts.connections += in.body.gate_counts.connections;
		counts.handshakes_lost += in.body.gate_counts.handshakes_lost;
		ncounts++;
		break;
	case MSG_GATE_TAINTED:
		say("tainted %u\n", in.body.signal.signal);
		break;
	case MSG_ROLE_FAILED:
		say("failed %s\n", in.body.detail.detail);
		exit(1);
	default:
		request_received(peer);
	}
}

static void peer_ended(unsigned i)
{
	if (peers[i].channel.link == LINK_GATE)
		say("ended\n"); /* its workers' channels are still ours */
	if (peers[i].channel.link == LINK_SESSION)
		volumes_session_gone(&peers[i].channel);
	if (peers[i].channel.link == LINK_SESSION)
		say("logout %s\n", peers[i].name);
	if (peers[i].channel.link == LINK_READER)
		say("reader %llu\n", (unsigned long long)peers[i].lines);
	peer_remove(i);
}

/* Writes to a reader until it takes no more. */
static void flood(struct peer *peer)
{
	static struct msg_line line;

	memset(line.bytes, 'x', 1000);
	line.size = 1000;
	line.time_us = 1499679819000000;
	while (peer->flood && channel_send(&peer->channel, MSG_LINE, &line, NULL) == 0)
		peer->lines++;
}

static void command(char *line)
{
	struct msg_session_end end = {.status = 403, .word = "session-ended"};

	line[strcspn(line, "\n")] = '\0';
	if (!strcmp(line, "drain"))
		channel_send(&gate, MSG_GATE_DRAIN, &(struct msg_empty){0}, NULL);
	for (unsigned i = npeers; i-- > 0;) {
		struct channel *channel = &peers[i].channel;

		if (!strcmp(line, "auth") && channel->link == LINK_CHAINS)
			peer_remove(i);
		if (!strcmp(line, "drop") && channel->link == LINK_SESSION)
			peer_remove(i);
		if (!strcmp(line, "hush") && channel->link == LINK_READER)
			peer_remove(i);
		if (!strncmp(line, "end ", 4) && channel->link == LINK_SESSION) {
			snprintf(end.detail, sizeof(end.detail), "%s", line + 4);
			channel_send(channel, MSG_SESSION_END, &end, NULL);
			peer_remove(i);
		}
	}
	if (!strcmp(line, "counts"))
		say("counts %llu %llu %u\n", (unsigned long long)counts.connections,
		    (unsigned long long)counts.handshakes_lost, ncounts);
	if (!strcmp(line, "introduce"))
		introduce();
	volumes_command(line);
	statistics_command(line);
	say("done %s\n", line);
}

static void serve_peer(unsigned i)
{
	switch (channel_recv(&peers[i].channel, &in)) {
	case CHANNEL_MESSAGE:
		message_received(&peers[i]);
		incoming_close(&in);
		break;
	case CHANNEL_AGAIN:
		break;
	case CHANNEL_BAD:
		say("bad %s\n", in.problem);
		/* fall through */
	case CHANNEL_EOF:
		peer_ended(i);
		break;
	}
}

static void loop(void)
{
	static struct pollfd fds[PEERS_MAX + 1 + VOLUME_TRANSFERS_MAX];
	char line[256];

	for (;;) {
		unsigned n = npeers;

		fds[n] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
		for (unsigned i = 0; i < n; i++)
			fds[i] = (struct pollfd){
			    .fd = peers[i].channel.fd,
			    .events = (short)(POLLIN | (peers[i].flood ? POLLOUT : 0))};
		poll(fds, n + 1 + volumes_poll(fds + n + 1), -1);
		if (fds[n].revents) {
			if (!fgets(line, sizeof(line), stdin))
				exit(0);
			command(line);
			continue; /* the table may have changed */
		}
		for (unsigned i = n; i-- > 0;) {
			if (fds[i].revents & POLLOUT)
				flood(&peers[i]);
			if (fds[i].revents & ~POLLOUT)
				serve_peer(i);
		}
		volumes_turn();
	}
}

/* The start. */

static pid_t execute(const char *program)
{
	struct channel lower;
	pid_t pid;

	if (channel_pair(LINK_GATE, &gate, &lower) < 0)
		die("channel");
	pid = fork();
	if (pid == 0) {
		char name[] = "vmm_gate", verbose[] = "-v";
		char *argv[] = {name, verbose, NULL};

		if (lower.fd == ROLE_CHANNEL_FD)
			fcntl(lower.fd, F_SETFD, 0);
		else
			dup2(lower.fd, ROLE_CHANNEL_FD);
		close_range(ROLE_CHANNEL_FD + 1, ~0u, 0);
		execv(program, argv);
		_exit(127);
	}
	channel_close(&lower);
	return pid;
}

static int listen_on(const char *address, int *port)
{
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	bool is_v6 = inet_pton(AF_INET6, address, &v6.sin6_addr) == 1;
	socklen_t size = is_v6 ? sizeof(v6) : sizeof(v4);
	struct sockaddr_storage name;
	int fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, address, &v4.sin_addr);
	memcpy(&name, is_v6 ? (void *)&v6 : (void *)&v4, size);
	if (bind(fd, (struct sockaddr *)&name, size) < 0 || listen(fd, 1024) < 0 ||
	    getsockname(fd, (struct sockaddr *)&name, &size) < 0)
		die("listen");
	/* The port is at the same place in both. */
	*port = ntohs(((struct sockaddr_in *)&name)->sin_port);
	return fd;
}

int main(int argc, char **argv)
{
	struct msg_peer where = {"test"};
	int files[2], listening, port;
	int64_t expires = 0;
	pid_t pid;

	if (argc < 4)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdin, NULL, _IONBF, 0);
	files[0] = open(argv[2], O_RDONLY | O_CLOEXEC);
	files[1] = open(argv[3], O_RDONLY | O_CLOEXEC);
	listening = listen_on(argc > 4 ? argv[4] : "127.0.0.1", &port);
	pid = execute(argv[1]);
	peer_add(gate, "gate");
	if (channel_send(&gate, MSG_GATE_CERTIFICATE, &(struct msg_empty){0}, files) < 0 ||
	    channel_send(&gate, MSG_GATE_LISTEN, &where, &listening) < 0)
		die("set-up");
	close(listening);
	introduce();
	channel_set_nonblocking(&gate);
	for (in.type = 0; in.type != MSG_ROLE_READY;) {
		struct pollfd fd = {.fd = gate.fd, .events = POLLIN};

		poll(&fd, 1, -1);
		if (channel_recv(&gate, &in) != CHANNEL_MESSAGE)
			die("the gate ended");
		if (in.type == MSG_ROLE_FAILED) {
			say("failed %s\n", in.body.detail.detail);
			return 1;
		}
		if (in.type == MSG_ROLE_EXPIRES)
			expires = in.body.expires.expires;
	}
	gate.state = peers[0].channel.state = STATE_READY;
	say("ready %d %d %lld\n", port, pid, (long long)expires);
	loop();
}
