/* The queue of pushed lists, see pushes.h. */
#include "pushes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "announce.h"
#include "log.h"

/* A process may be killed by anybody who may kill this one; by the same list again it dies again.
 */
#define TRIES_MAX 2

/* A list is new here: pushed by the first in the queue, or by a predecessor's last process. */
static void list_taken(void *arg, const struct table *table)
{
	struct pushes *all = arg;
	bool ours = all->pid && memcmp(all->outcome->id, table->id, DIGEST_SIZE) == 0;
	bool sure = ours && all->outcome->result == PUSH_STORED;

	all->taken |= ours;
	announce(all->up, all->lists, table, sure ? &all->push[0] : NULL);
}

bool pushes_init(struct pushes *all, struct lists *lists)
{
	all->outcome = mmap(NULL, sizeof(*all->outcome), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	all->lists = lists;
	lists->taken = list_taken;
	lists->arg = all;
	return all->outcome != MAP_FAILED;
}

void pushes_leave(struct pushes *all)
{
	munmap(all->outcome, sizeof(*all->outcome));
	all->outcome = NULL;
}

static void refuse(struct pushes *all, uint64_t session, uint32_t id,
		   const struct push_outcome *why)
{
	struct msg_revocation_refused msg = {.session = session, .id = id, .status = why->status};

	(void)snprintf(msg.word, sizeof(msg.word), "%s", why->word);
	(void)snprintf(msg.detail, sizeof(msg.detail), "%s", why->detail);
	if (channel_send(all->up, MSG_REVOCATION_REFUSED, &msg, NULL) < 0)
		log_error("cannot tell vmmd why a revocation list was not taken");
}

static void unavailable(struct push_outcome *out, const char *detail)
{
	*out = (struct push_outcome){.status = 503, .word = "unavailable"};
	(void)snprintf(out->detail, sizeof(out->detail), "%s", detail);
}

/* The first one is done with. */
static void drop_first(struct pushes *all)
{
	close(all->push[0].memfd);
	all->count--;
	memmove(&all->push[0], &all->push[1], all->count * sizeof(all->push[0]));
	all->taken = false;
}

static void start_next(struct pushes *all)
{
	struct push_outcome why;

	while (all->pid == 0 && all->count > 0) {
		*all->outcome = (struct push_outcome){0};
		all->push[0].tries++;
		pid_t pid = fork();

		if (pid == 0)
			push_process(all->push[0].memfd, all->root, all->lists, all->outcome);
		if (pid > 0) {
			all->pid = pid;
			return;
		}
		log_error("cannot fork for a revocation list: %s", strerror(errno));
		unavailable(&why, "there is no process to take the list: try again");
		refuse(all, all->push[0].session, all->push[0].id, &why);
		drop_first(all);
	}
}

/* Whatever a process said: what is in the directory is in force. */
static void look(struct pushes *all)
{
	struct refusal why = {{0}};

	if (!lists_refresh(all->lists, false, &why))
		log_fatal("%s", why.text);
}

void pushes_look(struct pushes *all)
{
	if (all->pid == 0)
		look(all);
}

void pushes_add(struct pushes *all, const struct msg_revocation_push *msg, int memfd)
{
	struct push_outcome why;

	if (all->count == PUSHES_MAX) {
		unavailable(&why, "too many revocation lists wait for the disk: try again");
		refuse(all, msg->session, msg->id, &why);
		close(memfd);
		return;
	}
	all->push[all->count++] = (struct push){
	    .session = msg->session, .id = msg->id, .memfd = memfd};
	/* Chains that are judged beside it are held against what was stored before it. */
	pushes_look(all);
	start_next(all);
}

/* What became of the first one, in a copy that nobody writes to; true: it is answered. */
static bool answer(struct pushes *all, int status)
{
	struct push_outcome outcome = *all->outcome;
	const struct push *push = &all->push[0];
	const struct table *table = lists_find(all->lists, outcome.id);

	outcome.word[WORD_SIZE - 1] = outcome.detail[DETAIL_SIZE - 1] = 0;
	if (outcome.result == PUSH_STORED && table) {
		if (!all->taken)
			announce(all->up, all->lists, table, push);
		return true;
	}
	if (outcome.result == PUSH_NOTHING && all->taken)
		unavailable(&outcome, "the list is in force, but may be lost in a power failure: "
				      "revoke once more, the next one has a higher number");
	else if (outcome.result == PUSH_NOTHING) {
		log_error("the process for a revocation list ended with %s %d",
			  WIFSIGNALED(status) ? "signal" : "exit",
			  WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
		if (push->tries < TRIES_MAX)
			return false;
		unavailable(&outcome, "the process that was to take the list did not live to say "
				      "what became of it");
	}
	refuse(all, push->session, push->id, &outcome);
	return true;
}

bool pushes_ended(struct pushes *all, pid_t pid, int status)
{
	if (all->pid == 0 || all->pid != pid)
		return false;
	look(all);
	all->pid = 0;
	if (answer(all, status))
		drop_first(all);
	start_next(all);
	return true;
}
