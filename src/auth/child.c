/* The beginning of a forked process, see child.h. */
#include "child.h"

#include <sys/resource.h>
#include <unistd.h>

/* A 16 MB chain takes under 128 MB, a list of its size not more. */
#define CPU_SECONDS 10
#define MEMORY	    (UINT64_C(256) << 20)

/* Other connections' sockets were inherited too: an intruder here shall not find them. */
static void close_all_but(const int *keep, unsigned n)
{
	unsigned from = STDERR_FILENO + 1;

	for (;;) {
		unsigned next = ~0u;

		for (unsigned i = 0; i < n; i++)
			if ((unsigned)keep[i] >= from && (unsigned)keep[i] < next)
				next = (unsigned)keep[i];
		if (next > from)
			close_range(from, next == ~0u ? next : next - 1, 0);
		if (next == ~0u)
			return;
		from = next + 1;
	}
}

/* No chain may take long or much, whatever it makes OpenSSL do. */
void child_begin(const int *keep, unsigned n, unsigned seconds, uint64_t inherited)
{
	const struct rlimit cpu = {CPU_SECONDS, CPU_SECONDS};

	close_all_but(keep, n);
	setrlimit(RLIMIT_CPU, &cpu);
#ifndef __SANITIZE_ADDRESS__ /* which maps terabytes */
	const struct rlimit memory = {MEMORY + inherited, MEMORY + inherited};
	setrlimit(RLIMIT_AS, &memory);
#else
	(void)inherited;
#endif
	alarm(seconds);
}
