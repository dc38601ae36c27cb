/* Deadlines of a session. Pure. */
#include "deadlines.h"

void deadlines_init(struct deadlines *d, int64_t now_ms)
{
	*d = (struct deadlines){.active_ms = now_ms};
}

/* Whether the client has moved too little of what waits for it for too long. */
static bool is_stalled(struct deadlines *d, const struct activity *activity, int64_t now)
{
	if (!activity->blocked) {
		d->stalled = false;
		return false;
	}
	if (!d->stalled || activity->progress >= d->stalled_progress + STALL_BYTES) {
		d->stalled = true;
		d->stalled_ms = now;
		d->stalled_progress = activity->progress;
	}
	return now - d->stalled_ms >= STALL_MS;
}

static int64_t idle_allowed(const struct activity *activity)
{
	return activity->refused ? REFUSED_MS : IDLE_MS;
}

/* Answers go out before the goodbye: not every client reads on after a GOAWAY, though it should. */
static bool is_finished(const struct deadlines *d, const struct activity *activity, int64_t now)
{
	if (now - d->active_ms >= idle_allowed(activity))
		return true;
	return !activity->busy && (d->ended || activity->done);
}

enum deadline deadlines_check(struct deadlines *d, const struct activity *activity, int64_t now)
{
	if (activity->busy)
		d->active_ms = now;
	if (activity->ended && !d->ended) {
		d->ended = true;
		d->ended_ms = now;
	}
	if (is_stalled(d, activity, now) || (d->ended && now - d->ended_ms >= ENDED_MS))
		return DEADLINE_DROP;
	if (d->leaving)
		return !activity->busy && now - d->leaving_ms >= GOODBYE_MS ? DEADLINE_DROP
									    : DEADLINE_NONE;
	if (!is_finished(d, activity, now))
		return DEADLINE_NONE;
	d->leaving = true;
	d->leaving_ms = now;
	return DEADLINE_LEAVE;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int deadlines_wait(const struct deadlines *d, const struct activity *activity, int64_t now)
{
	int64_t until = INT64_MAX;

	if (d->stalled)
		until = d->stalled_ms + STALL_MS;
	if (d->leaving && !activity->busy)
		until = earlier(until, d->leaving_ms + GOODBYE_MS);
	if (d->ended)
		until = earlier(until, d->ended_ms + ENDED_MS);
	if (!d->leaving)
		until = earlier(until, d->active_ms + idle_allowed(activity));
	if (until == INT64_MAX)
		return -1;
	return until > now ? (int)(until - now) : 0;
}
