/* Reading revocation lists: what is taken, and what of which it must not be said that it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include "crl.h"
#include "mint_list.h"
#include "verify_world.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define RSA_SHA256  "300d06092a864886f70d01010b0500"
#define ECDSA_SHA1  "300906072a8648ce3d0401"
#define REASON	    "300c300a0603551d1504030a0101"
#define LATER	    "170d3138303731333032343030305a"
#define GENERALIZED "180f32303137303731333032343030305a"

static struct crl crl;
static struct refusal why;

static bool read_with(const struct minted *issuer, const struct minted *claimed,
		      const struct list_parts *parts)
{
	size_t size;
	uint8_t *der = mint_list(issuer, parts, &size);
	bool good = crl_read(der, size, claimed->cert, MINT_NOW, &crl, &why);
	free(der);
	assert_int_equal(ERR_peek_error(), 0);
	return good;
}

static bool holds(const char *serial, size_t size)
{
	struct label label;
	SHA256((const uint8_t *)serial, size, label.byte);
	for (uint32_t i = 0; i < crl.count; i++)
		if (label_equal(&crl.label[i], &label))
			return true;
	return false;
}

static const struct {
	struct list_parts parts;
	uint32_t count;
} taken[] = {
    {{.entries = NULL}, 0},
    {{.entries = ""}, 0},
    {{.entries = LIST_ENTRY("1234")}, 1},
    /* Twice is once, whatever the order. */
    {{.entries = LIST_ENTRY("1234") LIST_ENTRY("0100") LIST_ENTRY("1234")}, 2},
    {{.dates = LIST_TIME LATER, .entries = LIST_ENTRY("1234")}, 1},
    /* It never lapses. */
    {{.dates = LIST_TIME LIST_TIME}, 0},
    {{.dates = GENERALIZED}, 0},
    /* A reason, an invalidity date, a serial with a sign octet and one of 20 bytes. */
    {{.entries = "3021 02021234" LIST_TIME REASON}, 1},
    {{.entries = "301a 020900ffffffffffffffff" LIST_TIME}, 1},
    {{.entries = "3025 02147fffffffffffffffffffffffffffffffffffffff" LIST_TIME}, 1},
    /* Anything that is not critical. */
    {{.extensions = LIST_NUMBER("00") "300806022a0304020500"}, 0},
};

static void good_lists_are_taken(void **state)
{
	(void)state;
	world_make();
	for (size_t i = 0; i < COUNT(taken); i++) {
		if (!read_with(&w.root, &w.root, &taken[i].parts))
			fail_msg("row %zu: %s", i, why.text);
		assert_int_equal(crl.count, taken[i].count);
		crl_free(&crl);
	}
	assert_true(
	    read_with(&w.root, &w.root,
		      &(struct list_parts){.entries = LIST_ENTRY("1234") LIST_ENTRY("0100")}));
	assert_true(holds("\x12\x34", 2) && holds("\x01\x00", 2) && !holds("\x12\x35", 2));
	crl_free(&crl);
	world_free();
}

static const struct {
	struct list_parts parts;
	const char *why;
} refused[] = {
    {{.version = ""}, "is of version 1, must be 2 with a number (crlNumber)"},
    {{.version = "020100"}, "is of a version that is not 2"},
    {{.version = "020102"}, "is of a version that is not 2"},
    {{.outer_algorithm = RSA_SHA256}, "names two different algorithms for its signature"},
    {{.algorithm = ECDSA_SHA1},
     "is signed with ecdsa-with-SHA1; taken are ECDSA and RSA (PKCS#1) with SHA-256, SHA-384 or "
     "SHA-512, and Ed25519"},
    {{.algorithm = RSA_SHA256},
     "is signed with RSA-SHA256, which does not go with its issuer's key"},
    {{.spoiled = true}, "has a signature that is not its issuer's"},
    {{.tail = "00"}, "has trailing bytes"},
    {{.dates = LATER}, "is dated 31449600 seconds in the future"},
    {{.dates = "170d3137303731333032343030302b"}, "has a date that is malformed"},
    {{.dates = "170b313730373133303234305a"}, "has a date that is malformed"},
    {{.dates = "170d3137303233303032343030305a"}, "has a date that is malformed"},
    {{.dates = "170d3137313330313032343030305a"}, "has a date that is malformed"},
    {{.dates = "170d3137303730313234343030305a"}, "has a date that is malformed"},
    {{.dates = "1811323031373037313330323430 30302e355a"}, "has a date that is malformed"},
    {{.dates = "0500"}, "has an element of the wrong type"},
    {{.entries = "3013 02020034" LIST_TIME},
     "entry 1 of 1: has an integer that is not written the shortest way"},
    {{.entries = LIST_ENTRY("1234") "3012 020100" LIST_TIME},
     "entry 2 of 2: serial number: is zero"},
    {{.entries = "3012 020180" LIST_TIME}, "entry 1 of 1: is negative"},
    {{.entries = "3026 02150100000000000000000000000000000000 00000000" LIST_TIME},
     "entry 1 of 1: serial number: 21 bytes, at most 20 are allowed"},
    {{.entries = "3004 02021234"}, "entry 1 of 1: is truncated"},
    {{.entries = "3015 02021234" LIST_TIME "0500"},
     "entry 1 of 1: has an element of the wrong type"},
    {{.entries = "3017 02021234" LIST_TIME "3000 0500"}, "entry 1 of 1: has trailing bytes"},
    {{.entries = "3020 02021234" LIST_TIME "300b 30090603551d1d04023000"},
     "entry 1 of 1: is of another issuer (certificateIssuer): indirect lists are not taken"},
    {{.entries = "3020 02021234" LIST_TIME "300b 300906022a030101ff0400"},
     "entry 1 of 1: extension 1.2.3: is critical and not known here"},
    {{.entries = "0500"}, "has an element of the wrong type"},
    {{.entries = "3080 02021234" LIST_TIME}, "has an indefinite length"},
    {{.extensions = ""}, "has no number (crlNumber)"},
    {{.extensions = "300806022a0304020500"}, "has no number (crlNumber)"},
    {{.extensions = LIST_NUMBER("07") LIST_NUMBER("08")}, "number: is there twice"},
    {{.extensions = LIST_NUMBER("ff")}, "number: is negative"},
    {{.extensions = "300b0603551d14040402010700"}, "number: has trailing bytes"},
    {{.extensions = "300a0603551d140403040107"}, "number: has an element of the wrong type"},
    {{.extensions = "301e0603551d140417 0215 01000000000000000000000000000000 0000000000"},
     "number: has 21 bytes, at most 20 are allowed"},
    {{.extensions = LIST_NUMBER("07") "300d0603551d1b0101ff0403020101"},
     "is a delta (deltaCRLIndicator), must be a whole list"},
    {{.extensions = LIST_NUMBER("07") "300d0603551d1c0101ff0403300100"},
     "is partitioned or indirect (issuingDistributionPoint), must be a whole list of its issuer's "
     "own certificates"},
    {{.extensions = LIST_NUMBER("07") "300b06022a030101ff04020500"},
     "extension 1.2.3: is critical and not known here"},
    {{.extensions = LIST_NUMBER("07") "300b06022a030101000402 0500"},
     "has a flag that is not TRUE"},
    {{.extensions = LIST_NUMBER("07") "300a06022a03040205000500"}, "has trailing bytes"},
};

static void others_are_refused(void **state)
{
	(void)state;
	world_make();
	for (size_t i = 0; i < COUNT(refused); i++) {
		if (read_with(&w.root, &w.root, &refused[i].parts))
			fail_msg("row %zu was taken, expected: %s", i, refused[i].why);
		assert_string_equal(why.text, refused[i].why);
		assert_null(crl.label);
	}
	world_free();
}

/* Of its name, and of its key: neither alone does. */
static void a_list_is_its_issuer_s(void **state)
{
	const struct list_parts parts = {.entries = LIST_ENTRY("1234")};
	(void)state;
	world_make();
	w.other = mint_root("ca", NULL);
	assert_false(read_with(&w.other, &w.root, &parts));
	assert_string_equal(why.text, "has a signature that is not its issuer's");
	mint_free(&w.other);
	w.other = mint_root("other", EVP_PKEY_dup(w.root.key));
	assert_false(read_with(&w.other, &w.root, &parts));
	assert_string_equal(why.text, "is another issuer's, must be of the one that signed the "
				      "certificate it comes in");
	world_free();
}

static void an_issuer_has_the_usage(void **state)
{
	const struct list_parts parts = {.entries = LIST_ENTRY("1234")};
	(void)state;
	world_make();
	mint_extension(w.root.cert, NID_key_usage, "critical,keyCertSign");
	X509_sign(w.root.cert, w.root.key, EVP_sha256());
	assert_false(read_with(&w.root, &w.root, &parts));
	assert_string_equal(why.text, "is of an issuer whose keyUsage lacks cRLSign");
	world_free();
	world_make();
	mint_extension(w.root.cert, NID_key_usage, NULL);
	X509_sign(w.root.cert, w.root.key, EVP_sha256());
	assert_true(read_with(&w.root, &w.root, &parts));
	crl_free(&crl);
	world_free();
}

/* By libcrypto's own hand, and with every kind of key. */
static void every_kind_of_key(void **state)
{
	EVP_PKEY *keys[] = {EVP_EC_gen("P-256"), EVP_EC_gen("P-384"), EVP_RSA_gen(2048),
			    EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")};
	(void)state;
	for (size_t i = 0; i < COUNT(keys); i++) {
		struct minted root = mint_root("ca", keys[i]);
		X509_CRL *list = X509_CRL_new();
		ASN1_INTEGER *number = ASN1_INTEGER_new();
		ASN1_TIME *made = ASN1_TIME_set(NULL, MINT_NOW);
		ASN1_INTEGER_set(number, 1000);
		X509_CRL_set_version(list, X509_CRL_VERSION_2);
		X509_CRL_set_issuer_name(list, X509_get_subject_name(root.cert));
		X509_CRL_set1_lastUpdate(list, made);
		X509_CRL_add1_ext_i2d(list, NID_crl_number, number, 0, X509V3_ADD_DEFAULT);
		assert_true(
		    X509_CRL_sign(list, root.key,
				  EVP_PKEY_is_a(root.key, "ED25519") ? NULL : EVP_sha384()) > 0);
		uint8_t *der = NULL;
		int size = i2d_X509_CRL(list, &der);
		if (!crl_read(der, (size_t)size, root.cert, MINT_NOW, &crl, &why))
			fail_msg("key %zu: %s", i, why.text);
		assert_memory_equal(crl.number + CRL_NUMBER_SIZE - 2, "\x03\xe8", 2);
		crl_free(&crl);
		OPENSSL_free(der);
		ASN1_TIME_free(made);
		ASN1_INTEGER_free(number);
		X509_CRL_free(list);
		mint_free(&root);
	}
}

static X509 *golden_issuer(void)
{
	FILE *file = fopen(GOLDEN "/list-issuer.pem", "r");
	assert_non_null(file);
	X509 *issuer = PEM_read_X509(file, NULL, NULL, NULL);
	assert_non_null(issuer);
	fclose(file);
	return issuer;
}

/* tests/golden/make-lists says how they came about. */
static void lists_by_other_hands(void **state)
{
	static const char *const hands[] = {"openssl", "cryptography", "original"};
	X509 *issuer = golden_issuer();
	(void)state;
	for (size_t i = 0; i < COUNT(hands); i++) {
		char path[256];
		uint8_t der[4096];
		snprintf(path, sizeof(path), GOLDEN "/list-%s.der", hands[i]);
		FILE *file = fopen(path, "r");
		assert_non_null(file);
		size_t size = fread(der, 1, sizeof(der), file);
		fclose(file);
		if (!crl_read(der, size, issuer, MINT_NOW, &crl, &why))
			fail_msg("%s: %s", hands[i], why.text);
		assert_int_equal(crl.number[CRL_NUMBER_SIZE - 1], 7);
		assert_int_equal(crl.count, 2);
		assert_true(holds("\xb7\xaa\x77\xf6\xca\x08\xee\x6a", 8));
		assert_true(holds("\x12\x34", 2));
		crl_free(&crl);
	}
	X509_free(issuer);
}

/* As many as one message carries, sorted whatever the order they came in. */
static void as_many_as_a_message_carries(void **state)
{
	enum { N = 600000 };
	(void)state;
	world_make();
	if (!read_with(&w.root, &w.root, &(struct list_parts){.count = N}))
		fail_msg("%s", why.text);
	assert_int_equal(crl.count, N);
	for (uint32_t i = 1; i < crl.count; i++)
		assert_true(memcmp(&crl.label[i - 1], &crl.label[i], LABEL_SIZE) < 0);
	crl_free(&crl);
	world_free();
}

/* Cut at every byte, and with every byte changed: refused, never anything else. */
static void damage_is_refused(void **state)
{
	const struct list_parts parts = {.entries = "3021 02021234" LIST_TIME REASON};
	size_t size;
	(void)state;
	world_make();
	uint8_t *der = mint_list(&w.root, &parts, &size);
	for (size_t n = 0; n < size; n++) {
		uint8_t *copy = malloc(n + 1);
		memcpy(copy, der, n);
		assert_false(crl_read(copy, n, w.root.cert, MINT_NOW, &crl, &why));
		free(copy);
		der[n] ^= 0x41;
		assert_false(crl_read(der, size, w.root.cert, MINT_NOW, &crl, &why));
		der[n] ^= 0x41;
	}
	free(der);
	world_free();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(good_lists_are_taken),
	    cmocka_unit_test(others_are_refused),
	    cmocka_unit_test(a_list_is_its_issuer_s),
	    cmocka_unit_test(an_issuer_has_the_usage),
	    cmocka_unit_test(every_kind_of_key),
	    cmocka_unit_test(lists_by_other_hands),
	    cmocka_unit_test(as_many_as_a_message_carries),
	    cmocka_unit_test(damage_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
