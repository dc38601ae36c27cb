/*
 * clock: both clocks go forward, in steps below a millisecond, and side by side to a second in the
 * time that this takes. 0 when so.
 */
#include "guest.h"

#define ROUNDS 1000
#define STEP   (NSECS / 1000)
#define Y2024  (UINT64_C(1704067200) * NSECS)

struct steps {
	uint64_t last, smallest;
	unsigned back;
};

static void step(struct steps *s, uint64_t now)
{
	if (now < s->last)
		s->back++;
	else if (now > s->last && now - s->last < s->smallest)
		s->smallest = now - s->last;
	s->last = now;
}

static int judge(const char *name, const struct steps *s)
{
	int good = s->back == 0 && s->smallest < STEP;

	print("clock: %s %s back, its steps are %s\n", name, s->back ? "goes" : "never goes",
	      s->smallest < STEP ? "small" : "large");
	return good;
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a < b ? b - a : a - b;
}

int guest_main(int argc, char **argv)
{
	uint64_t wall_start = clock_wall(), start = clock_monotonic();
	struct steps monotonic = {start, UINT64_MAX, 0}, wall = {wall_start, UINT64_MAX, 0};
	int together;

	(void)argc;
	(void)argv;
	for (unsigned i = 0; i < ROUNDS; i++) {
		step(&monotonic, clock_monotonic());
		step(&wall, clock_wall());
	}
	together = distance(monotonic.last - start, wall.last - wall_start) < NSECS;
	print("clock: they go %s, and it is %s 2024\n", together ? "together" : "apart",
	      wall.last > Y2024 ? "after" : "before");
	return !(judge("monotonic", &monotonic) & judge("wall", &wall) & together &
		 (wall.last > Y2024));
}
