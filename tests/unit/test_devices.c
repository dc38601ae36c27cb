/* src/lib/devices.c: which device of a manifest each given one is, and what is wrong with those
 * given. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "devices.h"

#define GIVEN_MAX 4

/* Names may be the same in the other kind. */
static const struct elf_image image = {
    .ndevices = 6,
    .device =
	{
	    {"disk", MFT_BLOCK},
	    {"service", MFT_NET},
	    {"backup", MFT_NET},
	    {"service", MFT_BLOCK},
	    {"third", MFT_NET},
	    {"log", MFT_BLOCK},
	},
};

static void test_bound(void **state)
{
	static const struct {
		const char *name[3];
		enum mft_type type;
		unsigned bound[3];
	} cases[] = {
	    {{"", "", ""}, MFT_NET, {1, 2, 4}},
	    {{"third", "service", "backup"}, MFT_NET, {4, 1, 2}},
	    {{"", "service", ""}, MFT_NET, {2, 1, 4}},
	    {{"", "", "service"}, MFT_NET, {2, 4, 1}},
	    {{"third", "", ""}, MFT_NET, {4, 1, 2}},
	    {{"", "", ""}, MFT_BLOCK, {0, 3, 5}},
	    {{"service", "", ""}, MFT_BLOCK, {3, 0, 5}},
	    {{"", "log", ""}, MFT_BLOCK, {0, 5, 3}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned bound[3];
		char why[ELF_WHY_SIZE];

		assert_true(
		    devices_bind(&image, cases[i].type, "--x", cases[i].name, 3, bound, why));
		assert_memory_equal(bound, cases[i].bound, sizeof(bound));
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *name[GIVEN_MAX];
		enum mft_type type;
		unsigned count;
		const char *why;
	} cases[] = {
	    {{""}, MFT_NET, 0, "--x: 0 given, the image declares 3 (service, backup, third)"},
	    {{"", ""}, MFT_NET, 2, "--x: 2 given, the image declares 3 (service, backup, third)"},
	    {{"", "", "", ""},
	     MFT_NET,
	     4,
	     "--x: 4 given, the image declares 3 (service, backup, third)"},
	    {{"disk"}, MFT_NET, 1, "--x: disk is given, the image declares service, backup, third"},
	    {{"", "backup"},
	     MFT_BLOCK,
	     2,
	     "--x: backup is given, the image declares disk, service, log"},
	    {{"third", "", "third"}, MFT_NET, 3, "--x: third is given twice"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned bound[GIVEN_MAX];
		char why[ELF_WHY_SIZE] = "";

		assert_false(devices_bind(&image, cases[i].type, "--x", cases[i].name,
					  cases[i].count, bound, why));
		assert_string_equal(why, cases[i].why);
	}
}

static void test_none_declared(void **state)
{
	static const struct elf_image empty;
	static const char *const one[] = {"service"}, *const any[] = {""};
	unsigned bound[1];
	char why[ELF_WHY_SIZE];

	(void)state;
	assert_true(devices_bind(&empty, MFT_NET, "--x", NULL, 0, bound, why));
	assert_false(devices_bind(&empty, MFT_NET, "--x", one, 1, bound, why));
	assert_string_equal(why, "--x: service is given, the image declares none");
	assert_false(devices_bind(&empty, MFT_NET, "--x", any, 1, bound, why));
	assert_string_equal(why, "--x: 1 given, the image declares 0 (none)");
}

/* As many as a manifest has, with names as long as can be: the sentence is cut, and says so. */
static void test_most(void **state)
{
	static struct elf_image most = {.ndevices = MFT_ENTRIES_MAX - 1};
	const char *name[MFT_ENTRIES_MAX - 1];
	unsigned bound[MFT_ENTRIES_MAX - 1];
	char why[ELF_WHY_SIZE], other[MFT_NAME_SIZE];

	(void)state;
	for (unsigned i = 0; i < most.ndevices; i++) {
		most.device[i].type = MFT_BLOCK;
		snprintf(most.device[i].name, MFT_NAME_SIZE, "%067u", i);
		name[i] = "";
	}
	assert_true(devices_bind(&most, MFT_BLOCK, "--block", name, most.ndevices, bound, why));
	for (unsigned i = 0; i < most.ndevices; i++)
		assert_int_equal(bound[i], i);
	snprintf(other, sizeof(other), "%067u", 63);
	name[0] = other;
	assert_false(devices_bind(&most, MFT_BLOCK, "--block", name, most.ndevices, bound, why));
	assert_non_null(strstr(why, other));
	assert_string_equal(why + strlen(why) - 3, "...");
	assert_true(strlen(why) < ELF_WHY_SIZE - 1);
}

static void test_found(void **state)
{
	unsigned index;
	char why[ELF_WHY_SIZE];

	(void)state;
	assert_true(devices_find(&image, MFT_BLOCK, "--x", "service", &index, why));
	assert_int_equal(index, 3);
	assert_false(devices_find(&image, MFT_BLOCK, "--x", "third", &index, why));
	assert_string_equal(why, "--x: third is given, the image declares disk, service, log");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bound),	  cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_none_declared), cmocka_unit_test(test_most),
	    cmocka_unit_test(test_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
