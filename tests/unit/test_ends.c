/* Why a VM ended: every end that the kernel tells of. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ends.h"

static const struct {
	enum vm_end end;
	uint32_t value;
	bool memory_short;
	enum stop_cause cause;
} table[] = {
    {END_EXIT, 0, false, CAUSE_GUEST},		{END_EXIT, 255, true, CAUSE_GUEST},
    {END_SIGNAL, SIGSYS, false, CAUSE_SECCOMP}, {END_SIGNAL, SIGSEGV, false, CAUSE_FAULT},
    {END_SIGNAL, SIGBUS, false, CAUSE_FAULT},	{END_SIGNAL, SIGILL, false, CAUSE_FAULT},
    {END_SIGNAL, SIGFPE, true, CAUSE_FAULT},	{END_SIGNAL, SIGTRAP, false, CAUSE_FAULT},
    {END_SIGNAL, SIGKILL, false, CAUSE_SIGNAL}, {END_SIGNAL, SIGKILL, true, CAUSE_MEMORY},
    {END_SIGNAL, SIGTERM, true, CAUSE_SIGNAL},	{END_UNKNOWN, 0, true, CAUSE_UNKNOWN},
    {END_NONE, 0, false, CAUSE_UNKNOWN},
};

static void every_end_has_its_cause(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_int_equal(end_cause(table[i].end, table[i].value, table[i].memory_short),
				 table[i].cause);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_end_has_its_cause),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
