/* Which address a VM gets: addresses.c. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "addresses.h"

/* A list of addresses with spaces between them. */
static bool listed(const void *arg, const uint8_t address[4])
{
	char text[INET_ADDRSTRLEN];
	const char *list = arg, *at;

	inet_ntop(AF_INET, address, text, sizeof(text));
	for (at = strstr(list, text); at; at = strstr(at + 1, text))
		if ((at == list || at[-1] == ' ') && strchr(" ", at[strlen(text)]))
			return true;
	return false;
}

/* The lowest of BRIDGE that is not in TAKEN; "" for none. */
static const char *lowest(const char *text, const char *taken)
{
	static char out[INET_ADDRSTRLEN];
	struct bridge bridge;
	struct refusal why;
	uint8_t address[4];

	assert_true(bridge_parse(text, &bridge, &why));
	if (!address_lowest(&bridge, listed, taken, address))
		return "";
	inet_ntop(AF_INET, address, out, sizeof(out));
	return out;
}

static void the_lowest_free_one(void **state)
{
	static const struct {
		const char *bridge, *taken, *address;
	} cases[] = {
	    {"e/10.0.0.2/10.0.0.5/10.0.0.1/24", "", "10.0.0.2"},
	    {"e/10.0.0.2/10.0.0.5/10.0.0.1/24", "10.0.0.2", "10.0.0.3"},
	    /* a hole */
	    {"e/10.0.0.2/10.0.0.5/10.0.0.1/24", "10.0.0.2 10.0.0.4", "10.0.0.3"},
	    {"e/10.0.0.2/10.0.0.5/10.0.0.1/24", "10.0.0.2 10.0.0.3 10.0.0.4", "10.0.0.5"},
	    {"e/10.0.0.2/10.0.0.3/10.0.0.1/24", "10.0.0.2 10.0.0.3", ""},
	    /* what is taken elsewhere does not count */
	    {"e/10.0.0.2/10.0.0.3/10.0.0.1/24", "10.0.1.2 10.0.0.1", "10.0.0.2"},
	    /* the router, first, in the middle, alone */
	    {"e/10.0.0.1/10.0.0.3/10.0.0.1/24", "", "10.0.0.2"},
	    {"e/10.0.0.1/10.0.0.3/10.0.0.2/24", "10.0.0.1", "10.0.0.3"},
	    {"e/10.0.0.1/10.0.0.1/10.0.0.1/24", "", ""},
	    /* a range of one */
	    {"e/10.0.0.9/10.0.0.9/10.0.0.1/24", "", "10.0.0.9"},
	    {"e/10.0.0.9/10.0.0.9/10.0.0.1/24", "10.0.0.9", ""},
	    /* the network's own address and broadcast */
	    {"e/10.0.0.0/10.0.0.255/10.0.0.1/24", "", "10.0.0.2"},
	    {"e/10.0.0.254/10.0.0.255/10.0.0.1/24", "10.0.0.254", ""},
	    {"e/10.0.0.4/10.0.0.7/10.0.0.5/30", "", "10.0.0.6"},
	    {"e/10.0.0.4/10.0.0.7/10.0.0.5/30", "10.0.0.6", ""},
	    {"e/10.0.0.4/10.0.0.5/10.0.0.4/31", "", "10.0.0.5"},
	    {"e/10.0.0.4/10.0.0.4/10.0.0.4/32", "", ""},
	    /* the ends of all addresses */
	    {"e/255.255.255.254/255.255.255.255/128.0.0.1/1", "255.255.255.254", ""},
	    {"e/0.0.0.0/0.0.0.3/0.0.0.1/8", "0.0.0.2", "0.0.0.3"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(lowest(cases[i].bridge, cases[i].taken), cases[i].address);
}

static void what_is_usable(void **state)
{
	const uint8_t in[4] = {10, 0, 0, 3}, below[4] = {10, 0, 0, 1}, above[4] = {10, 0, 0, 6},
		      router[4] = {10, 0, 0, 4};
	struct bridge bridge;
	struct refusal why;

	(void)state;
	assert_true(bridge_parse("e/10.0.0.2/10.0.0.5/10.0.0.4/24", &bridge, &why));
	assert_true(address_usable(&bridge, in));
	assert_false(address_usable(&bridge, below));
	assert_false(address_usable(&bridge, above));
	assert_false(address_usable(&bridge, router));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_lowest_free_one),
	    cmocka_unit_test(what_is_usable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
