/* Verification down to the bytes: where an image is, second forms, lengths that lie, random damage.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/ec.h>
#include <openssl/x509v3.h>

#include "verify_world.h"

/* A 15 MB image, found where it stands in the message. */
static void image_is_located(void **state)
{
	enum { SIZE = 15 << 20 };
	uint8_t *bytes = calloc(1, SIZE);
	size_t len;
	(void)state;
	assert_non_null(bytes);
	memcpy(bytes, "\177ELF", 4);
	bytes[SIZE - 1] = 1;
	world_make();
	leaf_with(mint_vm(bytes, SIZE));
	world_sign();
	uint8_t *message = mint_message(w.shown, w.nshown, &len);
	verify_message(message, len, w.root.cert, w.now, NULL, &result);
	assert_int_equal(result.verdict.verdict, VERDICT_ACCEPT);
	const struct image *found = &result.request.vm.image;
	assert_int_equal(result.request.kind, LEAF_VM);
	assert_int_equal(found->size, SIZE);
	assert_true(found->offset > 0 && found->offset + found->size <= len);
	assert_memory_equal(message + found->offset, bytes, SIZE);
	free(message);
	free(bytes);
	world_free();
}

static size_t get24(const uint8_t *at)
{
	return (size_t)at[0] << 16 | (size_t)at[1] << 8 | at[2];
}

static void add24(uint8_t *at, size_t more)
{
	size_t number = get24(at) + more;
	at[0] = (uint8_t)(number >> 16);
	at[1] = (uint8_t)(number >> 8);
	at[2] = (uint8_t)number;
}

/* Offsets in a message: the leaf, its tbsCertificate, what comes after that. */
enum { LEAF = 7, TBS = LEAF + 4 };

static size_t after_tbs(const uint8_t *message)
{
	assert_int_equal(message[TBS + 1], 0x82);
	return TBS + 4 + ((size_t)message[TBS + 2] << 8 | message[TBS + 3]);
}

/* The verdict on the good chain with N bytes put in at AT, within the leaf's entry; GROW: so that
 * the leaf's own length has them too. */
static void judge_with(size_t (*at)(const uint8_t *), const char *bytes, size_t n, bool grow)
{
	size_t len;
	world_make();
	world_sign();
	uint8_t *good = mint_message(w.shown, w.nshown, &len), *message = malloc(len + n);
	assert_non_null(message);
	assert_memory_equal(good + LEAF, "\x30\x82", 2);
	size_t where = at(good);
	memcpy(message, good, where);
	memcpy(message + where, bytes, n);
	memcpy(message + where + n, good + where, len - where);
	add24(message + 1, n);
	add24(message + 4, n);
	if (grow)
		message[LEAF + 3] = (uint8_t)(message[LEAF + 3] + n);
	verify_message(message, len + n, w.root.cert, w.now, NULL, &result);
	free(message);
	free(good);
	world_free();
}

static size_t at_algorithm_length(const uint8_t *message)
{
	return after_tbs(message) + 1;
}

static size_t at_end_of_leaf(const uint8_t *message)
{
	return LEAF + get24(message + 4);
}

/* The same certificate in other bytes, where OpenSSL would not mind. */
static void a_second_form_is_refused(void **state)
{
	(void)state;
	/* The algorithm after the signed part: 30 0a becomes 30 81 0a. */
	judge_with(at_algorithm_length, "\x81", 1, true);
	assert_int_equal(result.verdict.verdict, VERDICT_REFUSE);
	assert_string_equal(result.verdict.detail, "admin: is not DER: it has a second form");
	judge_with(at_end_of_leaf, "\x00", 1, false);
	assert_int_equal(result.verdict.alert, BAD);
	assert_string_equal(result.verdict.detail,
			    "certificate 1 of 2: is not one X.509 certificate");
}

static void framing_is_checked(void **state)
{
	size_t len;
	(void)state;
	world_make();
	world_sign();
	uint8_t *message = mint_message(w.shown, w.nshown, &len);
	verify_message(message, len - 1, w.root.cert, w.now, NULL, &result);
	assert_int_equal(result.verdict.alert, DECODE);
	assert_string_equal(result.verdict.detail, "the certificate message is malformed");
	/* Looked at before OpenSSL does. */
	message[LEAF + 1] = 0x80;
	verify_message(message, len, w.root.cert, w.now, NULL, &result);
	assert_int_equal(result.verdict.alert, BAD);
	assert_string_equal(result.verdict.detail, "certificate 1 of 2: has an indefinite length");
	free(message);
	world_free();
}

/* One byte changed anywhere: never a crash, and never a chain that is taken. */
static void damage_is_never_accepted(void **state)
{
	size_t len;
	(void)state;
	world_make();
	leaf_with(mint_vm(image, 4));
	world_sign();
	uint8_t *message = mint_message(w.shown, w.nshown, &len);
	srandom(1);
	for (int i = 0; i < 4000; i++) {
		size_t at = (size_t)random() % len;
		uint8_t was = message[at];
		message[at] ^= (uint8_t)(1 + random() % 255);
		verify_message(message, len, w.root.cert, w.now, NULL, &result);
		if (result.verdict.verdict == VERDICT_ACCEPT)
			fail_msg("byte %zu: %02x as %02x was taken", at, was, message[at]);
		message[at] = was;
	}
	verify_message(message, len, w.root.cert, w.now, NULL, &result);
	assert_int_equal(result.verdict.verdict, VERDICT_ACCEPT);
	free(message);
	world_free();
}

static void root_must_be_usable(void **state)
{
	struct refusal why;
	struct minted root = mint_root("ca", NULL), other;
	(void)state;
	assert_true(verify_root(root.cert, &why));
	mint_extension(root.cert, NID_basic_constraints, "CA:FALSE");
	assert_false(verify_root(root.cert, &why));
	assert_string_equal(why.text, "basicConstraints: is no CA, an issuer must be one");
	mint_extension(root.cert, NID_basic_constraints, "CA:TRUE");
	mint_extension(root.cert, NID_key_usage, "cRLSign");
	assert_false(verify_root(root.cert, &why));
	assert_string_equal(why.text, "keyUsage: an issuer has keyCertSign and cRLSign");
	mint_extension(root.cert, NID_key_usage, NULL);
	assert_false(verify_root(root.cert, &why)); /* changed since it was signed */
	assert_string_equal(why.text, "its signature is not its own key's");
	X509_sign(root.cert, root.key, EVP_sha256());
	assert_true(verify_root(root.cert, &why));
	other = mint_root("other", NULL);
	mint_sign(&root, &other);
	assert_false(verify_root(root.cert, &why));
	assert_string_equal(why.text, "it is not self-signed");
	mint_free(&root);
	mint_free(&other);
	root = mint_root("ca", EVP_EC_gen("P-521"));
	assert_false(verify_root(root.cert, &why));
	assert_string_equal(why.text, "key: curve secp521r1, must be P-256 or P-384");
	mint_free(&root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(image_is_located),	   cmocka_unit_test(a_second_form_is_refused),
	    cmocka_unit_test(framing_is_checked),  cmocka_unit_test(damage_is_never_accepted),
	    cmocka_unit_test(root_must_be_usable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
