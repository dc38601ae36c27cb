/* pkcs11: URIs, and the PIN by them, without a token. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "token_uri.h"

static void shows(const char *name, const char *expected)
{
	char out[TOKEN_WORDS_SIZE];

	token_uri_words(name, out);
	assert_string_equal(out, expected);
}

static void test_words_hold_no_pin(void **state)
{
	(void)state;
	shows("ca.key", "ca.key");
	shows("what?pin-value=1.key", "what?pin-value=1.key");
	shows("pkcs11:token=a;object=b", "pkcs11:token=a;object=b");
	shows("pkcs11:token=a?pin-value=1234", "pkcs11:token=a");
	shows("pkcs11:token=a;pin-value=1234;object=b", "pkcs11:token=a");
	shows("pkcs11:pin-value=1234;object=b", "pkcs11:");
	shows("pkcs11:token=a&pin-value=1234", "pkcs11:token=a");
	shows("pkcs11:token=a-pin-1?pin-value=1234", "pkcs11:token=a-pin-1");
	shows("pkcs11:?module-path=/m&pin-value=1234", "pkcs11:");
}

static void test_what_is_a_uri(void **state)
{
	(void)state;
	assert_true(token_uri_is("pkcs11:"));
	assert_false(token_uri_is("./pkcs11:"));
	assert_false(token_uri_is("pkcs11"));
}

static void test_unknown_attributes_are_refused(void **state)
{
	static const char *const refused[] = {
	    "pkcs11:slot-id=1",	 "pkcs11:slot-description=a",	 "pkcs11:library-manufacturer=a",
	    "pkcs11:tokn=a",	 "pkcs11:token=a?module-name=b", "pkcs11:token",
	    "pkcs11:object=%zz",
	};
	struct refusal why;
	P11KitUri *uri;
	(void)state;

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		assert_null(token_uri_parse(refused[i], &why));
	uri = token_uri_parse("pkcs11:token=a;manufacturer=b;model=c;serial=d;object=e;id=%01;"
			      "type=private?module-path=/m&pin-value=1&pin-source=/s",
			      &why);
	assert_non_null(uri);
	p11_kit_uri_free(uri);
}

static bool means_token(const char *text, const PKCS11_TOKEN *token)
{
	struct refusal why;
	P11KitUri *uri = token_uri_parse(text, &why);
	bool means = token_uri_means_token(uri, token);

	p11_kit_uri_free(uri);
	return means;
}

static void test_tokens(void **state)
{
	char label[] = "my card", maker[] = "maker", model[] = "v2", serial[] = "0815";
	const PKCS11_TOKEN token = {
	    .label = label, .manufacturer = maker, .model = model, .serialnr = serial};
	(void)state;

	assert_true(means_token("pkcs11:", &token));
	assert_true(means_token("pkcs11:token=my%20card;serial=0815", &token));
	assert_true(means_token("pkcs11:model=v2;manufacturer=maker", &token));
	assert_false(means_token("pkcs11:token=my", &token));
	assert_false(means_token("pkcs11:token=my%20card;serial=081", &token));
	assert_false(means_token("pkcs11:manufacturer=v2", &token));
}

static bool means_key(const char *text, const PKCS11_KEY *key)
{
	struct refusal why;
	P11KitUri *uri = token_uri_parse(text, &why);
	bool means = token_uri_means_key(uri, key);

	p11_kit_uri_free(uri);
	return means;
}

static void test_keys(void **state)
{
	char label[] = "root";
	unsigned char id[] = {1, 2};
	const PKCS11_KEY key = {.label = label, .id = id, .id_len = sizeof(id)}, nameless = {0};
	(void)state;

	assert_true(means_key("pkcs11:", &key));
	assert_true(means_key("pkcs11:object=root;id=%01%02", &key));
	assert_true(means_key("pkcs11:type=private", &key));
	assert_false(means_key("pkcs11:type=public;object=root", &key));
	assert_false(means_key("pkcs11:object=roo", &key));
	assert_false(means_key("pkcs11:id=%01", &key));
	assert_true(means_key("pkcs11:", &nameless));
	assert_false(means_key("pkcs11:object=root", &nameless));
}

/* The PIN that TEXT leads to, "" when it is refused. */
static void pin_of(const char *text, const PKCS11_TOKEN *token, char pin[TOKEN_PIN_SIZE],
		   struct refusal *why)
{
	P11KitUri *uri = token_uri_parse(text, why);

	assert_non_null(uri);
	if (!token_pin(uri, token, pin, why))
		pin[0] = '\0';
	p11_kit_uri_free(uri);
}

static void test_pins(void **state)
{
	char label[] = "card", path[] = "/tmp/test_token_uri.XXXXXX", uri[128], pin[TOKEN_PIN_SIZE];
	const PKCS11_TOKEN token = {.label = label};
	int fd = mkstemp(path);
	struct refusal why;
	(void)state;

	assert_true(fd >= 0 && write(fd, "12 34\r\nmore", 11) == 11 && close(fd) == 0);
	pin_of("pkcs11:?pin-value=%311", &token, pin, &why);
	assert_string_equal(pin, "11");
	snprintf(uri, sizeof(uri), "pkcs11:?pin-source=file:%s", path);
	pin_of(uri, &token, pin, &why);
	assert_string_equal(pin, "12 34");
	unlink(path);
	pin_of(uri, &token, pin, &why);
	assert_string_equal(pin, "");
	assert_non_null(strstr(why.text, path));
}

/* A PIN that is written down is not tried where a wrong one would be the last. */
static void test_a_token_about_to_lock(void **state)
{
	char label[] = "card", pin[TOKEN_PIN_SIZE];
	const PKCS11_TOKEN last = {.label = label, .userPinFinalTry = 1},
			   locked = {.label = label, .userPinLocked = 1};
	struct refusal why;
	(void)state;

	pin_of("pkcs11:?pin-value=1", &last, pin, &why);
	assert_string_equal(pin, "");
	assert_string_equal(why.text, "token 'card': the next wrong PIN locks it; leave pin-value "
				      "out of the URI and type it");
	pin_of("pkcs11:?pin-value=1", &locked, pin, &why);
	assert_string_equal(pin, "");
	assert_string_equal(why.text, "token 'card': wrong PINs have locked it");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_words_hold_no_pin),
	    cmocka_unit_test(test_what_is_a_uri),
	    cmocka_unit_test(test_unknown_attributes_are_refused),
	    cmocka_unit_test(test_tokens),
	    cmocka_unit_test(test_keys),
	    cmocka_unit_test(test_pins),
	    cmocka_unit_test(test_a_token_about_to_lock),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
