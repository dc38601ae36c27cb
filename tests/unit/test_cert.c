/* The certificate format: bytes that must not change (tests/golden, made by openssl), every way in
 * which a value may be wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/pem.h>

#include "cert.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static struct refusal why;
/* Large, so not on the stack. */
static struct cert_content content, again;

static X509 *golden(const char *name)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/%s.pem", GOLDEN, name);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	X509 *cert = PEM_read_X509(file, NULL, NULL, NULL);
	assert_non_null(cert);
	fclose(file);
	return cert;
}

static void value_hex(X509_EXTENSION *ext, char *out, size_t size)
{
	const ASN1_OCTET_STRING *data = X509_EXTENSION_get_data(ext);
	const uint8_t *byte = ASN1_STRING_get0_data(data);
	assert_true((size_t)ASN1_STRING_length(data) * 2 < size);
	for (int i = 0; i < ASN1_STRING_length(data); i++)
		snprintf(out + 2 * i, 3, "%02x", byte[i]);
}

/* The value of ARC in EXTS, as hex. */
static const char *hex_of(const STACK_OF(X509_EXTENSION) * exts, int arc)
{
	static char hex[1024];
	for (int i = 0; i < sk_X509_EXTENSION_num(exts); i++) {
		X509_EXTENSION *ext = sk_X509_EXTENSION_value(exts, i);
		if (cert_arc(X509_EXTENSION_get_object(ext)) != arc)
			continue;
		assert_false(X509_EXTENSION_get_critical(ext));
		value_hex(ext, hex, sizeof(hex));
		return hex;
	}
	return "absent";
}

static STACK_OF(X509_EXTENSION) * encoded(const struct cert_content *from)
{
	STACK_OF(X509_EXTENSION) *exts = NULL;
	if (!cert_encode(from, &exts, &why))
		fail_msg("%s", why.text);
	return exts;
}

static void free_exts(STACK_OF(X509_EXTENSION) * exts)
{
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
}

/* One extension of ours with the value HEX. */
static void push_hex(STACK_OF(X509_EXTENSION) * exts, const char *oid, const char *hex,
		     bool critical)
{
	long size = 0;
	uint8_t *bytes = OPENSSL_hexstr2buf(hex, &size);
	ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	assert_true(bytes || !*hex);
	ASN1_OCTET_STRING_set(octets, bytes, (int)size);
	sk_X509_EXTENSION_push(exts, X509_EXTENSION_create_by_OBJ(NULL, object, critical, octets));
	ASN1_OBJECT_free(object);
	ASN1_OCTET_STRING_free(octets);
	OPENSSL_free(bytes);
}

static bool decode_hex(int arc, const char *hex)
{
	char oid[64];
	STACK_OF(X509_EXTENSION) *exts = sk_X509_EXTENSION_new_null();
	snprintf(oid, sizeof(oid), "1.3.6.1.4.1.49836.42.%d", arc);
	push_hex(exts, oid, hex, false);
	bool ok = cert_decode(exts, &content, &why);
	free_exts(exts);
	return ok;
}

/* What openssl made is taken, has the shape it should have and encodes to the same bytes. */
static void golden_certificates_keep_their_bytes(void **state)
{
	static const struct {
		const char *name;
		enum cert_shape shape;
	} cases[] = {
	    {"admin", SHAPE_COMMAND},
	    {"console", SHAPE_COMMAND},
	    {"delegation", SHAPE_DELEGATION},
	    {"external", SHAPE_DELEGATION},
	    {"internal", SHAPE_DELEGATION},
	    {"bridges", SHAPE_DELEGATION},
	    {"vm", SHAPE_VM},
	    {"devices", SHAPE_VM},
	    {"detached", SHAPE_VM},
	    {"compressed", SHAPE_VM},
	    {"revocation", SHAPE_REVOCATION},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		X509 *cert = golden(cases[i].name);
		const STACK_OF(X509_EXTENSION) *exts = X509_get0_extensions(cert);
		unsigned compared = 0;
		if (!cert_decode(exts, &content, &why))
			fail_msg("%s: %s", cases[i].name, why.text);
		bool is_ca = cases[i].shape == SHAPE_DELEGATION;
		assert_int_equal(cert_shape(&content, is_ca, &why), cases[i].shape);
		STACK_OF(X509_EXTENSION) *ours = encoded(&content);
		for (int arc = 0; arc < 64; arc++) {
			char expected[1024];
			snprintf(expected, sizeof(expected), "%s", hex_of(exts, arc));
			assert_string_equal(hex_of(ours, arc), expected);
			compared += strcmp(expected, "absent") != 0;
		}
		assert_int_equal(compared, sk_X509_EXTENSION_num(ours));
		assert_true(compared >= 2);
		free_exts(ours);
		X509_free(cert);
	}
}

static void golden_values_mean_what_they_say(void **state)
{
	(void)state;
	X509 *cert = golden("devices");
	assert_true(cert_decode(X509_get0_extensions(cert), &content, &why));
	const struct vm_config *vm = &content.vm;
	assert_int_equal(content.permissions, PERMIT_FORCE_CREATE);
	assert_int_equal(vm->memory_mb, 4095);
	assert_int_equal(vm->cpuid, 1023);
	assert_int_equal(vm->nnets, 2);
	assert_string_equal(vm->net[0].device, "service");
	assert_string_equal(vm->net[0].bridge, "ext");
	assert_string_equal(vm->net[1].device, "");
	assert_string_equal(vm->net[1].bridge, "lan");
	assert_int_equal(vm->nblocks, 2);
	assert_string_equal(vm->block[0].volume, "data1");
	assert_string_equal(vm->block[1].device, "log");
	assert_string_equal(vm->block[1].volume, "events");
	assert_int_equal(vm->argv.count, 2);
	assert_string_equal(vm->argv.bytes, "--hello=world");
	assert_int_equal(vm->image.form, IMAGE_EMBEDDED);
	assert_int_equal(vm->image.arch, ARCH_ARM64);
	assert_int_equal(vm->image.size, 4);
	assert_memory_equal(content.image, "\177ELF", 4);
	X509_free(cert);

	cert = golden("external");
	assert_true(cert_decode(X509_get0_extensions(cert), &content, &why));
	char text[96];
	bridge_format(&content.policy.bridge[0], text, sizeof(text));
	assert_string_equal(text, "ext/10.0.0.2/10.0.0.5/10.0.0.1/24");
	cpuset_format(&content.policy.cpus, text, sizeof(text));
	assert_string_equal(text, "0-1, 200, 1023");
	assert_int_equal(content.policy.vms, 0x7fffffff);
	assert_int_equal(content.policy.block_mb, 1024);
	X509_free(cert);

	cert = golden("detached");
	assert_true(cert_decode(X509_get0_extensions(cert), &content, &why));
	assert_int_equal(content.vm.image.form, IMAGE_DETACHED);
	assert_int_equal(content.vm.image.size, 20000000);
	assert_int_equal(content.vm.image.inflated, 40000000);
	assert_int_equal(content.vm.image.compression, COMPRESSION_ZSTD);
	assert_int_equal(content.vm.image.sha256[31], 0x1f);
	assert_null(content.image);
	X509_free(cert);
}

static void content_encodes_to_the_contract(void **state)
{
	static const struct {
		uint32_t permissions;
		const char *hex;
	} permissions[] = {
	    {PERMIT_ALL, "03020780"},
	    {PERMIT_IMAGE, "03020520"},
	    {PERMIT_CRL, "03020001"},
	    {PERMIT_FORCE_CREATE, "0303060040"},
	    {PERMIT_IMAGE | PERMIT_FORCE_CREATE, "0303062040"},
	    {0, "030100"},
	};
	static const struct {
		uint32_t number;
		const char *hex;
	} numbers[] = {
	    {0, "020100"},     {1, "020101"},	  {127, "02017f"},
	    {128, "02020080"}, {512, "02020200"}, {POLICY_NUMBER_MAX, "02047fffffff"},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(permissions); i++) {
		content = (struct cert_content){.permissions = permissions[i].permissions};
		content.present = UINT64_C(1) << ARC_PERMISSIONS | 1;
		STACK_OF(X509_EXTENSION) *exts = encoded(&content);
		assert_string_equal(hex_of(exts, ARC_PERMISSIONS), permissions[i].hex);
		assert_string_equal(hex_of(exts, ARC_VERSION), "020100");
		free_exts(exts);
	}
	for (size_t i = 0; i < COUNT(numbers); i++) {
		content = (struct cert_content){.policy.memory_mb = numbers[i].number};
		content.present = UINT64_C(1) << ARC_MEMORY;
		STACK_OF(X509_EXTENSION) *exts = encoded(&content);
		assert_string_equal(hex_of(exts, ARC_MEMORY), numbers[i].hex);
		free_exts(exts);
	}
}

/* The article's hello.pem: 3053997 bytes of image. */
static void large_image_has_the_article_s_header(void **state)
{
	static const uint8_t header[] = {0xa0, 0x83, 0x2e, 0x99, 0xb2,
					 0x04, 0x83, 0x2e, 0x99, 0xad};
	uint8_t *image = calloc(1, 3053997);
	(void)state;
	assert_non_null(image);
	memcpy(image, "\177ELF", 4);
	content = (struct cert_content){.image = image, .present = UINT64_C(1) << ARC_IMAGE};
	content.vm.image.size = 3053997;
	STACK_OF(X509_EXTENSION) *exts = encoded(&content);
	const ASN1_OCTET_STRING *data = X509_EXTENSION_get_data(sk_X509_EXTENSION_value(exts, 0));
	assert_int_equal(ASN1_STRING_length(data), 3054007);
	assert_memory_equal(ASN1_STRING_get0_data(data), header, sizeof(header));
	assert_true(cert_decode(exts, &again, &why));
	assert_ptr_equal(again.image, ASN1_STRING_get0_data(data) + sizeof(header));
	assert_memory_equal(again.image, image, 3053997);
	free_exts(exts);
	content.vm.image.size = CERT_MESSAGE_MAX + 1;
	exts = NULL;
	assert_false(cert_encode(&content, &exts, &why));
	assert_string_equal(why.text, "image: 16777216 bytes do not fit into a certificate");
	free(image);
}

static const struct {
	int arc;
	const char *hex, *reason;
} wrong[] = {
    {ARC_VERSION, "020101", "version: is 1, must be 0"},
    {ARC_VERSION, "", "version: is truncated"},
    {ARC_VERSION, "02", "version: is truncated"},
    {ARC_VERSION, "0201", "version: is truncated"},
    {ARC_VERSION, "0200", "version: has an integer without a byte"},
    {ARC_VERSION, "02010000", "version: has trailing bytes"},
    {ARC_VERSION, "02020000", "version: has an integer that is not written the shortest way"},
    {ARC_VERSION, "0a0100", "version: has an element of the wrong type"},
    {ARC_VERSION, "02810100", "version: has a length that is not written the shortest way"},
    {ARC_VERSION, "0280010000", "version: has an indefinite length"},
    {ARC_VERSION, "0285000000000100", "version: has a length of more than four bytes"},
    {ARC_VERSION, "0284ffffffff00", "version: is truncated"},
    {ARC_VMS, "0201ff", "vms: is negative"},
    {ARC_VMS, "0202ff80", "vms: has an integer that is not written the shortest way"},
    {ARC_VMS, "02050080000000", "vms: 2147483648 is more than 2147483647"},
    {ARC_VMS, "0209008000000000000000", "vms: 9223372036854775808 is more than 2147483647"},
    {ARC_VMS, "0209010000000000000000", "vms: is 2^64 or more"},
    {ARC_VMS, "020100020100", "vms: has trailing bytes"},
    {ARC_BLOCK, "02050080000000", "block: 2147483648 is more than 2147483647"},
    {ARC_MEMORY, "02050080000000", "memory: 2147483648 is more than 2147483647"},
    {ARC_MEMORY, "0c03353132", "memory: has an element of the wrong type"},
    {ARC_CPUID, "02020400", "cpuid: 1024 is more than 1023"},
    {ARC_CPUIDS, "300402020400", "cpuids: 1024 is more than 1023"},
    {ARC_CPUIDS, "3103020100", "cpuids: has an element of the wrong type"},
    {ARC_CPUIDS, "30030c0130", "cpuids: has an element of the wrong type"},
    {ARC_CPUIDS, "3004020100ff", "cpuids: has an element of the wrong type"},
    {ARC_CPUIDS, "308002010000", "cpuids: has an indefinite length"},
    {ARC_BRIDGES, "3007a2050c036c616e", "bridges: has an element of the wrong type"},
    {ARC_BRIDGES, "3009a0070c036c616e0500", "bridges: has trailing bytes"},
    {ARC_BRIDGES, "3007a00504036c616e", "bridges: has an element of the wrong type"},
    {ARC_BRIDGES, "300ea0050c036c616ea0050c036c616e", "bridges: bridge lan: named twice"},
    {ARC_BRIDGES, "3014a0120c1061626364656667686162636465666768",
     "bridges: a name of 16 bytes, at most 15 are allowed"},
    {ARC_BRIDGES, "3007a0050c036c2f6e",
     "bridges: bridge name: 1 to 15 letters, digits, '-', '_', '.', not starting with '-' "
     "or '.'"},
    {ARC_BRIDGES, "301da11b30190c0365787404030a000004040a00000504040a000001020118",
     "bridges: an address of 3 bytes, must be 4"},
    {ARC_BRIDGES, "301ea11c301a0c0365787404040a00000204040a00000504040a000001020121",
     "bridges: 33 is more than 32"},
    {ARC_BRIDGES, "301ea11c301a0c0365787404040a00000204040a00000504040a000001020100",
     "bridges: bridge ext: netmask 0 is not 1 to 32"},
    {ARC_BRIDGES, "301ea11c301a0c0365787404040a00000604040a00000504040a000001020118",
     "bridges: bridge ext: its first address is above its last"},
    {ARC_BRIDGES, "3018a11630140c0365787404040a00000204040a00000502010018",
     "bridges: has an element of the wrong type"},
    {ARC_NETWORK, "30050c03ff7874", "network: has a text that is not UTF-8"},
    {ARC_NETWORK, "30050c03650074", "network: has a text with a NUL"},
    {ARC_NETWORK, "30050c033a7874", "network: a device name of 0 bytes, must be 1 to 67"},
    {ARC_NETWORK, "30050c03783a2d",
     "network: bridge name: 1 to 15 letters, digits, '-', '_', '.', not starting with '-' "
     "or '.'"},
    {ARC_NETWORK, "30050c03203a78", "network: a device name that is not letters and digits"},
    {ARC_NETWORK, "300a0c03613a780c03613a79", "network: device a is named twice"},
    {ARC_NETWORK, "0c03657874", "network: has an element of the wrong type"},
    {ARC_BLOCK_DEVICE, "0c00", "block device: a volume's name is empty"},
    {ARC_BLOCK_DEVICE, "0c03612f62", "block device: a volume's name contains '/'"},
    {ARC_BLOCK_DEVICE, "0c05613a623a63", "block device: a volume's name contains ',' or ':'"},
    {ARC_BLOCK_DEVICE, "0c02612c", "block device: a volume's name is empty"},
    {ARC_BLOCK_DEVICE, "0c03612c61", "block device: volume a is named twice"},
    {ARC_BLOCK_DEVICE, "0c07613a622c613a63", "block device: device a is named twice"},
    {ARC_BLOCK_DEVICE, "30030c0161", "block device: has an element of the wrong type"},
    {ARC_ARGV, "30030c01ff", "argv: has a text that is not UTF-8"},
    {ARC_ARGV, "30030c0100", "argv: has a text with a NUL"},
    {ARC_ARGV, "3003040161", "argv: has an element of the wrong type"},
    {ARC_ARGV, "30050c03616263ff", "argv: has trailing bytes"},
    {ARC_IMAGE, "",
     "image: neither embedded ([0], [1]), detached ([3]) nor compressed "
     "([4])"},
    {ARC_IMAGE, "04047f454c46",
     "image: neither embedded ([0], [1]), detached ([3]) nor "
     "compressed ([4])"},
    {ARC_IMAGE, "a00604047f454c4600", "image: has trailing bytes"},
    {ARC_IMAGE, "a00704047f454c4600", "image: has trailing bytes"},
    {ARC_IMAGE, "a00504047f454c46", "image: is truncated"},
    {ARC_IMAGE, "a00624047f454c46", "image: has an element of the wrong type"},
    {ARC_IMAGE, "a0020400", "image: is empty"},
    {ARC_IMAGE, "80047f454c46",
     "image: neither embedded ([0], [1]), detached ([3]) nor "
     "compressed ([4])"},
    {ARC_IMAGE, "a20604047f454c46",
     "image: compressed with deflate ([2]), which is not supported: sign the image as "
     "it is, uncompressed"},
    {ARC_IMAGE, "a30d300b0400020101020101020101", "image: a digest of 0 bytes, must be 32"},
    {ARC_IMAGE, "a40c300a0201010201020402007f",
     "image: unknown compression 2, 0 is none, "
     "1 is zstd"},
    {ARC_IMAGE, "a40c300a020100020101040200ff", "image: inflated size 0, must be 1 to 4293918720"},
    {ARC_IMAGE, "a40c300a020101020100040200ff",
     "image: not compressed, but 2 bytes become 1 bytes"},
    {ARC_IMAGE, "a40e300a020103020101040200ff0500", "image: has trailing bytes"},
    {ARC_PERMISSIONS, "0300", "permissions: a bit string with a wrong count of unused bits"},
    {ARC_PERMISSIONS, "030107", "permissions: a bit string with a wrong count of unused bits"},
    {ARC_PERMISSIONS, "03020880", "permissions: a bit string with a wrong count of unused bits"},
    {ARC_PERMISSIONS, "03020781", "permissions: a bit string with unused bits that are not zero"},
    {ARC_PERMISSIONS, "0303070080", "permissions: unknown permission 8"},
    {ARC_PERMISSIONS, "0303050020", "permissions: unknown permission 10"},
    {ARC_PERMISSIONS, "0306070000000080", "permissions: unknown permission 32"},
    {ARC_PERMISSIONS, "2304030207ff", "permissions: has an element of the wrong type"},
    {ARC_PERMISSIONS, "03020780ff", "permissions: has trailing bytes"},
    {ARC_CRL, "020100", "crl: has an element of the wrong type"},
    {ARC_CRL, "300000", "crl: has trailing bytes"},
    {11, "0500", "1.3.6.1.4.1.49836.42.11: there is no such extension"},
    {64, "0500", "1.3.6.1.4.1.49836.42.64: there is no such extension"},
    {4096, "0500", "1.3.6.1.4.1.49836.42.4096: there is no such extension"},
};

static void wrong_values_are_refused_with_the_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		if (decode_hex(wrong[i].arc, wrong[i].hex))
			fail_msg("taken: arc %d %s", wrong[i].arc, wrong[i].hex);
		assert_string_equal(why.text, wrong[i].reason);
	}
}

/* More than one way to write it, one meaning. */
static void lenient_where_the_contract_is(void **state)
{
	(void)state;
	assert_true(decode_hex(ARC_PERMISSIONS, "03020080"));
	assert_int_equal(content.permissions, PERMIT_ALL);
	assert_true(decode_hex(ARC_PERMISSIONS, "0305008000"
						"0000"));
	assert_int_equal(content.permissions, PERMIT_ALL);
	assert_true(decode_hex(ARC_PERMISSIONS, "030100"));
	assert_int_equal(content.permissions, 0);
	assert_true(decode_hex(ARC_CPUIDS, "3009020101020101020100"));
	assert_true(cpuset_has(&content.policy.cpus, 0) && cpuset_has(&content.policy.cpus, 1));
	assert_true(decode_hex(ARC_CPUIDS, "3000"));
	assert_true(decode_hex(ARC_BRIDGES, "3000"));
}

static void twice_or_critical_is_refused(void **state)
{
	STACK_OF(X509_EXTENSION) *exts = sk_X509_EXTENSION_new_null();
	(void)state;
	push_hex(exts, "1.3.6.1.4.1.49836.42.5", "020101", false);
	push_hex(exts, "1.3.6.1.4.1.49836.42.5", "020101", false);
	assert_false(cert_decode(exts, &content, &why));
	assert_string_equal(why.text, "memory: is there twice");
	free_exts(exts);

	exts = sk_X509_EXTENSION_new_null();
	push_hex(exts, "1.3.6.1.4.1.49836.42.5", "020101", true);
	assert_false(cert_decode(exts, &content, &why));
	assert_string_equal(why.text, "memory: is marked critical, must not be");
	free_exts(exts);

	exts = sk_X509_EXTENSION_new_null();
	push_hex(exts, "1.3.6.1.4.1.49836.4.5", "ff", true);
	push_hex(exts, "1.3.6.1.4.1.49836.42.5.1", "ff", false);
	push_hex(exts, "1.3.6.1.4.1.49836.42", "ff", false);
	assert_true(cert_decode(exts, &content, &why));
	assert_int_equal(content.present, 0);
	free_exts(exts);
	assert_true(cert_decode(NULL, &content, &why));
}

/* TEXT behind what is in HEX, which has SIZE bytes. */
static void append(char *hex, size_t size, const char *text)
{
	size_t used = strlen(hex);
	assert_true(used + strlen(text) < size);
	snprintf(hex + used, size - used, "%s", text);
}

static void limits_of_lists(void **state)
{
	char hex[8 * 4096] = "";
	(void)state;
	/* 33 bridges, a00 to a32: a0 05 0c 03 61 3x 3x. */
	snprintf(hex, sizeof(hex), "3081e7");
	for (int i = 0; i <= BRIDGES_MAX; i++) {
		char item[32];
		snprintf(item, sizeof(item), "a0050c0361%02x%02x", '0' + i / 10, '0' + i % 10);
		append(hex, sizeof(hex), item);
	}
	assert_false(decode_hex(ARC_BRIDGES, hex));
	assert_string_equal(why.text, "bridges: bridges: more than 32");

	/* 17 networks. */
	snprintf(hex, sizeof(hex), "3033");
	for (int i = 0; i <= DEVICES_MAX; i++)
		append(hex, sizeof(hex), "0c0161");
	assert_false(decode_hex(ARC_NETWORK, hex));
	assert_string_equal(why.text, "network: more than 16 devices");

	/* One argument of 8191 bytes is the longest; there is a terminator. */
	for (size_t size = 8191; size <= 8192; size++) {
		snprintf(hex, sizeof(hex), "3082%04zx0c82%04zx", size + 4, size);
		memset(hex + 16, '6', 2 * size);
		hex[16 + 2 * size] = '\0';
		assert_int_equal(decode_hex(ARC_ARGV, hex), size == 8191);
	}
	assert_string_equal(why.text, "argv: longer than 8192 bytes");
	/* 1025 empty ones. */
	snprintf(hex, sizeof(hex), "30820802");
	for (int i = 0; i <= ARGV_COUNT_MAX; i++)
		append(hex, sizeof(hex), "0c00");
	assert_false(decode_hex(ARC_ARGV, hex));
	assert_string_equal(why.text, "argv: longer than 8192 bytes or 1024 arguments");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(golden_certificates_keep_their_bytes),
	    cmocka_unit_test(golden_values_mean_what_they_say),
	    cmocka_unit_test(content_encodes_to_the_contract),
	    cmocka_unit_test(large_image_has_the_article_s_header),
	    cmocka_unit_test(wrong_values_are_refused_with_the_reason),
	    cmocka_unit_test(lenient_where_the_contract_is),
	    cmocka_unit_test(twice_or_critical_is_refused),
	    cmocka_unit_test(limits_of_lists),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
