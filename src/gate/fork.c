/* The fork: what vmm_auth hears of it, what the worker keeps of what the gate has open. */
#include "fork.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "worker.h"

static int announce(const struct nursery *nursery, const char *peer, struct channel *lower)
{
	struct channel upper, auth = nursery->auth;
	struct msg_peer msg = {{0}};
	int error = channel_pair(LINK_CHAIN, &upper, lower);

	if (error < 0)
		return error;
	snprintf(msg.peer, sizeof(msg.peer), "%s", peer);
	error = channel_send(&auth, MSG_CHAIN_CHANNEL, &msg, &upper.fd);
	channel_close(&upper);
	if (error < 0)
		channel_close(lower);
	return error;
}

int worker_fork(const struct nursery *nursery, struct connection *c)
{
	struct worker_start start = {.tls = nursery->tls, .tcp = c->fd, .slots = nursery->slots};
	int report[2], error;

	if (nursery->auth.fd < 0)
		return -EPIPE;
	if (pipe2(report, O_CLOEXEC) < 0)
		return -errno;
	start.report = report[1];
	start.parent = getpid();
	error = announce(nursery, c->peer, &start.chain);
	if (error < 0) {
		close(report[0]);
		close(report[1]);
		return error;
	}
	c->pid = fork();
	if (c->pid == 0)
		worker_main(&start);
	error = c->pid < 0 ? -errno : 0;
	close(report[1]);
	channel_close(&start.chain);
	if (error == 0) {
		c->report = report[0];
	} else {
		c->pid = 0;
		close(report[0]);
	}
	return error;
}
