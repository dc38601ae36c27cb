/* What a certificate is as a whole: its shape, label, name and key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "cert.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static struct refusal why;
static struct cert_content content;

#define BIT(arc) (UINT64_C(1) << (arc))

static void shapes_are_exact(void **state)
{
	const uint64_t delegation = BIT(ARC_VERSION) | BIT(ARC_VMS) | BIT(ARC_CPUIDS) |
				    BIT(ARC_MEMORY);
	const uint64_t command = BIT(ARC_VERSION) | BIT(ARC_PERMISSIONS);
	const uint64_t vm = command | BIT(ARC_MEMORY) | BIT(ARC_CPUID) | BIT(ARC_IMAGE);
	const struct {
		uint64_t present;
		uint32_t permissions;
		bool is_ca;
		enum cert_shape shape;
		const char *reason;
	} cases[] = {
	    {delegation, 0, true, SHAPE_DELEGATION, ""},
	    {delegation | BIT(ARC_BLOCK) | BIT(ARC_BRIDGES), 0, true, SHAPE_DELEGATION, ""},
	    {delegation & ~BIT(ARC_VERSION), 0, true, SHAPE_NONE,
	     "version: is missing, a delegation has it"},
	    {delegation & ~BIT(ARC_VMS), 0, true, SHAPE_NONE,
	     "vms: is missing, a delegation has it"},
	    {delegation & ~BIT(ARC_CPUIDS), 0, true, SHAPE_NONE,
	     "cpuids: is missing, a delegation has it"},
	    {delegation & ~BIT(ARC_MEMORY), 0, true, SHAPE_NONE,
	     "memory: is missing, a delegation has it"},
	    {delegation | BIT(ARC_PERMISSIONS), PERMIT_ALL, true, SHAPE_NONE,
	     "permissions: has no place in a delegation"},
	    {delegation | BIT(ARC_IMAGE), 0, true, SHAPE_NONE,
	     "image: has no place in a delegation"},
	    {command, PERMIT_ALL, false, SHAPE_COMMAND, ""},
	    {command, PERMIT_IMAGE, false, SHAPE_COMMAND, ""},
	    {command, PERMIT_CONSOLE | PERMIT_INFO | PERMIT_FORCE_CREATE, false, SHAPE_COMMAND, ""},
	    {command, 0, false, SHAPE_NONE, "permissions: none is given"},
	    {command | BIT(ARC_VMS), PERMIT_ALL, false, SHAPE_NONE,
	     "vms: has no place in a command certificate"},
	    {BIT(ARC_VERSION), 0, false, SHAPE_NONE,
	     "permissions: is missing, a command certificate has it"},
	    {0, 0, false, SHAPE_NONE, "version: is missing, a command certificate has it"},
	    {vm, PERMIT_IMAGE, false, SHAPE_VM, ""},
	    {vm, PERMIT_FORCE_CREATE, false, SHAPE_VM, ""},
	    {vm | BIT(ARC_NETWORK) | BIT(ARC_BLOCK_DEVICE) | BIT(ARC_ARGV),
	     PERMIT_IMAGE | PERMIT_FORCE_CREATE, false, SHAPE_VM, ""},
	    {vm, PERMIT_CONSOLE | PERMIT_IMAGE, false, SHAPE_NONE,
	     "permissions: console has no place in a VM certificate"},
	    {vm, PERMIT_ALL, false, SHAPE_NONE,
	     "permissions: all has no place in a VM certificate"},
	    {vm & ~BIT(ARC_IMAGE), PERMIT_IMAGE, false, SHAPE_NONE,
	     "image: is missing, a VM certificate has it"},
	    {vm & ~BIT(ARC_CPUID), PERMIT_IMAGE, false, SHAPE_NONE,
	     "cpuid: is missing, a VM certificate has it"},
	    {vm & ~BIT(ARC_MEMORY), PERMIT_IMAGE, false, SHAPE_NONE,
	     "memory: is missing, a VM certificate has it"},
	    {vm | BIT(ARC_CRL), PERMIT_IMAGE, false, SHAPE_NONE,
	     "crl: has no place in a VM certificate"},
	    {vm | BIT(ARC_BRIDGES), PERMIT_IMAGE, false, SHAPE_NONE,
	     "bridges: has no place in a VM certificate"},
	    {command | BIT(ARC_CRL), PERMIT_CRL, false, SHAPE_REVOCATION, ""},
	    {command | BIT(ARC_CRL), PERMIT_CRL | PERMIT_ALL, false, SHAPE_NONE,
	     "permissions: all has no place in a revocation certificate"},
	    {command | BIT(ARC_CRL), PERMIT_INFO, false, SHAPE_NONE,
	     "permissions: info has no place in a revocation certificate"},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		content = (struct cert_content){.present = cases[i].present,
						.permissions = cases[i].permissions};
		content.vm.memory_mb = 32;
		why.text[0] = '\0';
		assert_int_equal(cert_shape(&content, cases[i].is_ca, &why), cases[i].shape);
		assert_string_equal(why.text, cases[i].reason);
	}
	for (uint32_t memory_mb = 0; memory_mb <= 4096; memory_mb += 4096) {
		content = (struct cert_content){.present = vm, .permissions = PERMIT_IMAGE};
		content.vm.memory_mb = memory_mb;
		assert_int_equal(cert_shape(&content, false, &why), SHAPE_NONE);
	}
	assert_string_equal(why.text, "memory: 4096 MB, a VM has 1 to 4095 MB");
}

static void labels_hash_the_magnitude(void **state)
{
	static const struct {
		const char *serial, *start, *reason;
	} cases[] = {
	    {"b7aa77f6ca08ee6a", "82db5681d20e", ""},
	    {"1", "4bf5122f3445", ""}, /* SHA-256 of the byte 01 */
	    {"ffffffffffffffffffffffffffffffffffffffff", "", ""},
	    {"10000000000000000000000000000000000000000", NULL,
	     "serial number: 21 bytes, at most 20 are allowed"},
	    {"0", NULL, "serial number: is zero"},
	    {"-1", NULL, "serial number: is negative"},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct label label;
		char text[LABEL_DIGITS_MAX + 1] = "";
		BIGNUM *number = NULL;
		BN_hex2bn(&number, cases[i].serial);
		ASN1_INTEGER *serial = BN_to_ASN1_INTEGER(number, NULL);
		why.text[0] = '\0';
		assert_int_equal(cert_label(serial, &label, &why), cases[i].start != NULL);
		assert_string_equal(why.text, cases[i].reason);
		if (cases[i].start) {
			label_format(&label, (unsigned)strlen(cases[i].start), text);
			assert_string_equal(text, cases[i].start);
		}
		ASN1_INTEGER_free(serial);
		BN_free(number);
	}
}

static bool name_of(const char *attribute, int type, const char *text, int size, char *out)
{
	X509_NAME *subject = X509_NAME_new();
	X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_ASC, (const uint8_t *)"somebody", -1, -1,
				   0);
	X509_NAME_add_entry_by_txt(subject, attribute, type, (const uint8_t *)text, size, -1, 0);
	bool ok = cert_name(subject, out, &why);
	X509_NAME_free(subject);
	return ok;
}

static void names_are_checked(void **state)
{
	char name[NAME_SIZE];
	(void)state;
	assert_true(name_of("CN", V_ASN1_UTF8STRING, "tls.nqsb.io", -1, name));
	assert_string_equal(name, "tls.nqsb.io");
	assert_true(name_of("CN", V_ASN1_PRINTABLESTRING, "hello", -1, name));
	assert_string_equal(name, "hello");
	assert_false(name_of("CN", V_ASN1_UTF8STRING, "a/b", -1, name));
	assert_string_equal(why.text, "name: contains '/'");
	assert_false(name_of("CN", V_ASN1_UTF8STRING, "a\0b", 3, name));
	assert_string_equal(why.text, "name: contains a control character");
	assert_false(name_of("CN", V_ASN1_T61STRING, "hello", -1, name));
	assert_string_equal(why.text, "name: is a T61STRING, must be a UTF8STRING");
	assert_false(name_of("OU", V_ASN1_UTF8STRING, "hello", -1, name));
	assert_string_equal(why.text, "name: the subject has no common name");

	X509_NAME *subject = X509_NAME_new();
	for (int i = 0; i < 2; i++)
		X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const uint8_t *)"a", -1,
					   -1, 0);
	assert_false(cert_name(subject, name, &why));
	assert_string_equal(why.text, "name: the subject has two common names");
	X509_NAME_free(subject);
}

static void expect_key(EVP_PKEY *key, const char *reason)
{
	assert_non_null(key);
	why.text[0] = '\0';
	assert_int_equal(cert_key_allowed(key, &why), *reason == '\0');
	assert_string_equal(why.text, reason);
	EVP_PKEY_free(key);
}

/* A key as it comes out of a certificate with the curve's parameters spelled out. */
static EVP_PKEY *explicit_key(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256"), *back = NULL;
	uint8_t *der = NULL;
	EVP_PKEY_set_utf8_string_param(key, "encoding", "explicit");
	int size = i2d_PUBKEY(key, &der);
	const uint8_t *at = der;
	back = d2i_PUBKEY(NULL, &at, size);
	OPENSSL_free(der);
	EVP_PKEY_free(key);
	return back;
}

static void keys_are_listed(void **state)
{
	(void)state;
	expect_key(EVP_EC_gen("P-256"), "");
	expect_key(EVP_EC_gen("P-384"), "");
	expect_key(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), "");
	expect_key(EVP_RSA_gen(2048), "");
	expect_key(EVP_EC_gen("P-521"), "key: curve secp521r1, must be P-256 or P-384");
	expect_key(EVP_EC_gen("secp256k1"), "key: curve secp256k1, must be P-256 or P-384");
	expect_key(EVP_RSA_gen(1024), "key: RSA of 1024 bits, must be 2048 to 4096");
	expect_key(EVP_PKEY_Q_keygen(NULL, NULL, "ED448"),
		   "key: neither P-256, P-384, Ed25519 nor RSA");
	expect_key(EVP_PKEY_Q_keygen(NULL, NULL, "X25519"),
		   "key: neither P-256, P-384, Ed25519 nor RSA");
	expect_key(explicit_key(), "key: its curve is spelled out instead of named");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(shapes_are_exact),
	    cmocka_unit_test(labels_hash_the_magnitude),
	    cmocka_unit_test(names_are_checked),
	    cmocka_unit_test(keys_are_listed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
