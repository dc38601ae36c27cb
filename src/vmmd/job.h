/*
 * Work on disks, which may take long, in processes of their own: one at a time for each top
 * delegation, in the order in which it was asked for. A job sees vmmd's memory as it was when the
 * job's turn came and changes nothing in it; when vmmd is killed it is killed too.
 */
#ifndef VMM_JOB_H
#define VMM_JOB_H

#include "daemon.h"
#include "storage.h"

/* Part of what it is done for, which lives until DONE was called. */
struct job {
	struct job *next;
	struct daemon *daemon;
	struct label top;
	/* In the job's process: 0 or -errno with WHY, a line for the log. */
	int (*work)(const struct job *job, struct refusal *why);
	/* In vmmd: what WORK returned; the job is in no list any more. */
	void (*done)(struct job *job, int result, const char *why);
	int pidfd, result_fd; /* -1: it waits for its turn */
	struct event *exited;
};

/* Starts JOB, whose daemon, top, work and done are set, now or when its turn comes. */
void job_add(struct job *job);
/* Waits for those that run; those that wait are never done, nor is any of them heard of again. */
void jobs_end(struct daemon *d);

#endif
