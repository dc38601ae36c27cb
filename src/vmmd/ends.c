/* Signals and what they stand for (ends.h). */
#include "ends.h"

#include <signal.h>

static enum stop_cause signal_cause(uint32_t signal, bool memory_short)
{
	switch (signal) {
	case SIGSYS:
		return CAUSE_SECCOMP;
	case SIGSEGV:
	case SIGBUS:
	case SIGILL:
	case SIGFPE:
	case SIGTRAP:
		return CAUSE_FAULT;
	case SIGKILL:
		return memory_short ? CAUSE_MEMORY : CAUSE_SIGNAL;
	default:
		return CAUSE_SIGNAL;
	}
}

enum stop_cause end_cause(enum vm_end end, uint32_t value, bool memory_short)
{
	if (end == END_EXIT)
		return CAUSE_GUEST;
	return end == END_SIGNAL ? signal_cause(value, memory_short) : CAUSE_UNKNOWN;
}
