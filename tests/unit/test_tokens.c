/* What the host fills in: MACs and the words in arguments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tokens.h"

static struct refusal why;
static struct policy granted;
static struct vm_config vm;
static struct token_net net[DEVICES_MAX];
static struct strings out;

static int set_up(void **state)
{
	static const char *const bridges[] = {"ext/10.0.0.2/10.0.0.5/10.0.0.1/24", "lan",
					      "wan/192.0.2.16/192.0.2.31/192.0.2.1/26"};
	struct bridge bridge;
	(void)state;

	memset(&granted, 0, sizeof(granted));
	memset(&vm, 0, sizeof(vm));
	memset(net, 0, sizeof(net));
	for (unsigned i = 0; i < 3; i++)
		if (!bridge_parse(bridges[i], &bridge, &why) ||
		    !policy_add_bridge(&granted, &bridge, &why))
			return -1;
	return 0;
}

/* A network device on BRIDGE, with an address of 10.0.0.(3 + its place). */
static void add_net(const char *bridge)
{
	struct token_net *n = &net[vm.nnets];

	snprintf(vm.net[vm.nnets].bridge, BRIDGE_NAME_SIZE, "%s", bridge);
	n->bridge = policy_bridge(&granted, bridge);
	memcpy(n->address, (const uint8_t[]){10, 0, 0, (uint8_t)(3 + vm.nnets)}, 4);
	memcpy(n->mac, (const uint8_t[]){2, 0, 0, 0, 0, (uint8_t)(0xa0 + vm.nnets)}, MAC_SIZE);
	vm.nnets++;
}

static void becomes(const char *arg, const char *expected)
{
	uint32_t wanted;

	vm.argv.count = vm.argv.size = 0;
	assert_int_equal(strings_add(&vm.argv, arg), 0);
	if (!tokens_check(&vm, &granted, &wanted, &why))
		fail_msg("%s", why.text);
	assert_true(tokens_expand(&vm, net, &out));
	assert_int_equal(out.count, 1);
	assert_string_equal(out.bytes, expected);
}

static void is_refused(const char *arg, const char *expected)
{
	uint32_t wanted;

	vm.argv.count = vm.argv.size = 0;
	assert_int_equal(strings_add(&vm.argv, arg), 0);
	assert_false(tokens_check(&vm, &granted, &wanted, &why));
	assert_string_equal(why.text, expected);
}

static void of_the_one_device(void **state)
{
	(void)state;
	add_net("ext");
	becomes("--ipv4={address}/{netmask}", "--ipv4=10.0.0.3/24");
	becomes("{router}", "10.0.0.1");
	becomes("{mac}{mac}", "02:00:00:00:00:a002:00:00:00:00:a0");
	becomes("{address:ext}", "10.0.0.3");
	is_refused("{address:lan}",
		   "argv: {address:lan}: the VM has no network device on that bridge");
	is_refused("x{address:}", "argv: {address:}: the VM has no network device on that bridge");
}

static void of_several(void **state)
{
	uint32_t wanted;
	(void)state;

	add_net("ext");
	add_net("lan");
	add_net("wan");
	becomes("{address:ext} {address:wan} {mac:lan} {netmask:wan}",
		"10.0.0.3 10.0.0.5 02:00:00:00:00:a1 26");
	assert_true(tokens_check(&vm, &granted, &wanted, &why));
	assert_int_equal(wanted, 1 | 4);
	is_refused("{mac}", "argv: {mac}: the VM has 3 network devices: say which, {WORD:BRIDGE}");
	is_refused("{router:lan}",
		   "argv: {router:lan}: bridge lan is internal, it has no addresses");
	add_net("ext");
	is_refused("{mac:ext}", "argv: {mac:ext}: the VM has 2 network devices on that bridge");
}

static void nothing_else(void **state)
{
	static const char *const same[] = {"",		"{",	    "}",	   "{}",
					   "{Address}", "{address", "{addresses}", "{address }",
					   "{ mac}",	"{{}}",	    "address",	   "{name}"};
	(void)state;

	add_net("ext");
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		becomes(same[i], same[i]);
	becomes("{{mac}}", "{02:00:00:00:00:a0}");
}

static void without_a_device(void **state)
{
	(void)state;
	is_refused("{mac}", "argv: {mac}: the VM has no network device");
	add_net("other");
	is_refused("{mac}", "argv: {mac}: bridge other is not granted");
}

static void too_long(void **state)
{
	static char arg[ARGV_SIZE];
	uint32_t wanted;
	(void)state;

	add_net("ext");
	/* As long as arguments may be; a MAC is longer than its token. */
	memset(arg, 'x', sizeof(arg) - 1);
	memcpy(arg + sizeof(arg) - 6, "{mac}", 5);
	assert_int_equal(strings_add(&vm.argv, arg), 0);
	assert_true(tokens_check(&vm, &granted, &wanted, &why));
	assert_false(tokens_expand(&vm, net, &out));
}

static void macs(void **state)
{
	struct path path = {.depth = 2};
	uint8_t mac[MAC_SIZE];
	char text[MAC_TEXT_SIZE];
	(void)state;

	memset(path.node[0].label.byte, 1, sizeof(path.node[0].label.byte));
	memset(path.node[1].label.byte, 2, sizeof(path.node[1].label.byte));
	mac_make(&path, "service", mac);
	mac_format(mac, text);
	/* As Python's hashlib has it, of 32 ones, 32 twos and the name. */
	assert_string_equal(text, "46:4e:3c:36:99:63");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(of_the_one_device, set_up),
	    cmocka_unit_test_setup(of_several, set_up),
	    cmocka_unit_test_setup(nothing_else, set_up),
	    cmocka_unit_test_setup(without_a_device, set_up),
	    cmocka_unit_test_setup(too_long, set_up),
	    cmocka_unit_test(macs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
