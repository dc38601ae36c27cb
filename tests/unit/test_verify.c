/* Verification of whole chains: which peer is nobody, and what makes a chain of ours malformed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "verify_world.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static void root_2017(void)
{
	mint_extension(w.root.cert, NID_subject_key_identifier, NULL);
	X509_sign(w.root.cert, w.root.key, EVP_sha256());
	mint_extension(dev()->cert, NID_ext_key_usage, NULL);
	mint_extension(dev()->cert, NID_key_usage,
		       "critical,keyCertSign,cRLSign,digitalSignature,nonRepudiation");
	mint_extension_hex(dev()->cert, "authorityKeyIdentifier",
			   "301680140102030405060708090a0b0c0d0e0f1011121314", false);
	mint_extension(leaf()->cert, NID_key_usage, "critical,digitalSignature,keyEncipherment");
	mint_extension(leaf()->cert, NID_basic_constraints, "critical,CA:FALSE");
	mint_extension(leaf()->cert, NID_ext_key_usage, "critical,clientAuth");
}

static void other_keys(void)
{
	struct cert_content grants = mint_policy(2, 1024), all = mint_command(PERMIT_ALL);
	mint_free(&w.root);
	w.root = mint_root("ca", EVP_RSA_gen(2048));
	replace(0, mint_new("dev", EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), true, &grants));
	insert(1, mint_new("sub", EVP_EC_gen("P-384"), true, &grants));
	replace(2, mint_new("admin", EVP_RSA_gen(2048), false, &all));
}

static void foreign_ca(void)
{
	w.other = mint_root("other", NULL);
	w.signer[0] = &w.other;
}

static void foreign_ca_of_our_name(void)
{
	w.other = mint_root("ca", NULL);
	w.signer[0] = &w.other;
}

static void foreign_ca_without_key_id(void)
{
	foreign_ca_of_our_name();
	mint_extension(w.other.cert, NID_subject_key_identifier, NULL);
}

static void self_signed_leaf(void)
{
	leaf_under_root();
	w.signer[0] = &w.node[0];
}

static void forged_below_expired(void)
{
	w.other = mint_root("dev", NULL);
	mint_extension(w.other.cert, NID_subject_key_identifier, NULL);
	w.signer[1] = &w.other;
	mint_dates(dev()->cert, MINT_NOW - 2 * MINT_DAY, MINT_NOW - MINT_DAY);
}

static void delegation_p521(void)
{
	struct cert_content grants = mint_policy(2, 1024);
	replace(0, mint_new("dev", EVP_EC_gen("P-521"), true, &grants));
}

static void leaf_p521(void)
{
	struct cert_content all = mint_command(PERMIT_ALL);
	replace(1, mint_new("admin", EVP_EC_gen("P-521"), false, &all));
}

static void leaf_rsa_1024(void)
{
	struct cert_content all = mint_command(PERMIT_ALL);
	replace(1, mint_new("admin", EVP_RSA_gen(1024), false, &all));
}

static void leaf_v1(void)
{
	X509_set_version(leaf()->cert, X509_VERSION_1);
}

static void serial_zero(void)
{
	mint_serial(leaf()->cert, "0");
}

static void serial_negative(void)
{
	mint_serial(leaf()->cert, "-5");
}

static void serial_long(void)
{
	mint_serial(dev()->cert, "010000000000000000000000000000000000000000");
}

static void unknown_critical(void)
{
	mint_extension_hex(leaf()->cert, "1.2.3.4", "0500", true);
}

static void unknown_extension(void)
{
	mint_extension(leaf()->cert, NID_subject_alt_name, "DNS:example.org");
}

static void constraints_twice(void)
{
	mint_extension_hex(dev()->cert, "basicConstraints", "30030101ff", true);
}

static void constraints_malformed(void)
{
	mint_extension_hex(leaf()->cert, "basicConstraints", "30000500", true);
}

static void length_on_leaf(void)
{
	mint_extension_hex(leaf()->cert, "basicConstraints", "3003020100", true);
}

static void length_negative(void)
{
	mint_extension(dev()->cert, NID_basic_constraints, NULL);
	mint_extension_hex(dev()->cert, "basicConstraints", "30060101ff0201ff", true);
}

static void usage_malformed(void)
{
	mint_extension_hex(leaf()->cert, "keyUsage", "0303", true);
}

static void purpose_malformed(void)
{
	mint_extension(dev()->cert, NID_ext_key_usage, NULL);
	mint_extension_hex(dev()->cert, "extendedKeyUsage", "300a06082b0601050507030200", false);
}

static void key_id_malformed(void)
{
	mint_extension_hex(leaf()->cert, "subjectKeyIdentifier", "040500", false);
}

static void ours_twice(void)
{
	mint_extension_hex(leaf()->cert, "1.3.6.1.4.1.49836.42.42", "03020780", false);
}

static void extensions_without_end(void)
{
	while (X509_get_ext_count(leaf()->cert) < 64)
		mint_extension_hex(leaf()->cert, "1.2.3.4", "0500", false);
}

static void ours_unknown(void)
{
	mint_extension_hex(leaf()->cert, "1.3.6.1.4.1.49836.42.44", "0500", false);
}

static void ours_trailing(void)
{
	mint_extension_hex(leaf()->cert, "1.3.6.1.4.1.49836.42.10", "300000", false);
}

static void ours_in_the_wrong_shape(void)
{
	mint_extension_hex(leaf()->cert, "1.3.6.1.4.1.49836.42.1", "020101", false);
}

static void version_one(void)
{
	struct cert_content none = {0};
	replace(1, mint_new("admin", NULL, false, &none));
	mint_extension_hex(leaf()->cert, "1.3.6.1.4.1.49836.42.0", "020101", false);
	mint_extension_hex(leaf()->cert, "1.3.6.1.4.1.49836.42.42", "03020780", false);
}

static void version_absent(void)
{
	struct cert_content content = mint_policy(2, 1024);
	content.present &= ~(UINT64_C(1) << ARC_VERSION);
	replace(0, new_delegation("dev", &content));
}

static void name_with_slash(void)
{
	struct cert_content all = mint_command(PERMIT_ALL);
	replace(1, mint_new("a/b", NULL, false, &all));
}

static void name_with_newline(void)
{
	struct cert_content grants = mint_policy(2, 1024);
	replace(0, new_delegation("de\nv", &grants));
}

/* "admin" with a length of two bytes where one does; OpenSSL keeps and signs names as they came. */
static void name_in_a_second_form(void)
{
	static const uint8_t der[] = {0x30, 0x11, 0x31, 0x0f, 0x30, 0x0d, 0x06, 0x03, 0x55, 0x04,
				      0x03, 0x0c, 0x81, 0x05, 'a',  'd',  'm',	'i',  'n'};
	const uint8_t *at = der;
	X509_NAME *name = d2i_X509_NAME(NULL, &at, sizeof(der));
	assert_non_null(name);
	X509_set_subject_name(leaf()->cert, name);
	X509_NAME_free(name);
}

static void leaf_is_ca(void)
{
	mint_extension(leaf()->cert, NID_basic_constraints, "CA:TRUE");
}

static void leaf_signs_certificates(void)
{
	mint_extension(leaf()->cert, NID_key_usage, "digitalSignature,keyCertSign");
}

static void leaf_cannot_sign(void)
{
	mint_extension(leaf()->cert, NID_key_usage, "keyEncipherment");
}

static void leaf_of_a_server(void)
{
	mint_extension(leaf()->cert, NID_ext_key_usage, "serverAuth");
}

static void leaf_without_purpose(void)
{
	mint_extension(leaf()->cert, NID_ext_key_usage, NULL);
}

static void delegation_is_no_ca(void)
{
	mint_extension(dev()->cert, NID_basic_constraints, "CA:FALSE");
}

static void delegation_without_constraints(void)
{
	mint_extension(dev()->cert, NID_basic_constraints, NULL);
}

static void delegation_without_usage(void)
{
	mint_extension(dev()->cert, NID_key_usage, NULL);
}

static void delegation_without_cert_sign(void)
{
	mint_extension(dev()->cert, NID_key_usage, "cRLSign,digitalSignature");
}

static void delegation_for_servers(void)
{
	mint_extension(dev()->cert, NID_ext_key_usage, "clientAuth,serverAuth");
}

static void self_issued(void)
{
	struct cert_content grants = mint_policy(2, 1024);
	insert(1, new_delegation("dev", &grants));
}

static void date_malformed(void)
{
	ASN1_STRING_set(X509_getm_notAfter(leaf()->cert), "170715000000+0100", -1);
}

static void vm_and_command(void)
{
	struct cert_content content = mint_vm(image, 4);
	content.permissions |= PERMIT_CONSOLE;
	leaf_with(content);
}

static void revocation_leaf(void)
{
	static const uint8_t list[] = {0x30, 0x00};
	struct cert_content content = mint_command(PERMIT_CRL);
	content.present |= UINT64_C(1) << ARC_CRL;
	content.crl = list;
	content.crl_size = sizeof(list);
	leaf_with(content);
}

static void root_appended(void)
{
	w.shown[w.nshown++] = w.root.cert;
}

static void root_appended_twice(void)
{
	root_appended();
	root_appended();
}

static void root_alone(void)
{
	w.shown[0] = w.root.cert;
	w.nshown = 1;
}

static void other_root_appended(void)
{
	w.other = mint_root("other", NULL);
	w.shown[w.nshown++] = w.other.cert;
}

static void reversed(void)
{
	w.shown[0] = dev()->cert;
	w.shown[1] = leaf()->cert;
}

static void dev_twice(void)
{
	w.shown[w.nshown++] = dev()->cert;
}

static void leaf_twice(void)
{
	w.shown[2] = w.shown[1];
	w.shown[1] = w.shown[0];
	w.nshown = 3;
}

static void dev_left_out(void)
{
	w.nshown = 1;
}

static void leaf_left_out(void)
{
	w.shown[0] = dev()->cert;
	w.nshown = 1;
}

static void nothing_shown(void)
{
	w.nshown = 0;
}

static void seventeen_shown(void)
{
	while (w.nshown < 17)
		w.shown[w.nshown++] = dev()->cert;
}

static void signed_with_sha1(void)
{
	X509_sign(leaf()->cert, dev()->key, EVP_sha1());
}

#define NOT_OURS	"was not issued by the server's CA"
#define NOT_THE_PARENTS "has a signature that is not its issuer's"

static const struct row accepted[] = {
    {unchanged, ACCEPT},       {root_2017, ACCEPT},
    {other_keys, ACCEPT},      {leaf_under_root, ACCEPT},
    {revocation_leaf, ACCEPT}, {unchanged, root_appended, VERDICT_ACCEPT, 0, "", ""},
};

static const struct row alerts[] = {
    {foreign_ca, ALERT(UNKNOWN_CA), "certificate 2 of 2: " NOT_OURS},
    {foreign_ca_of_our_name, ALERT(UNKNOWN_CA), "certificate 2 of 2: " NOT_OURS},
    {foreign_ca_without_key_id, ALERT(BAD), "certificate 2 of 2: " NOT_THE_PARENTS},
    {self_signed_leaf, ALERT(UNKNOWN_CA), "certificate 1 of 1: " NOT_OURS},
    {forged_below_expired, ALERT(BAD), "certificate 1 of 2: " NOT_THE_PARENTS},
    {delegation_p521, ALERT(UNSUPPORTED),
     "certificate 2 of 2: key: curve secp521r1, must be P-256 or P-384"},
    {extensions_without_end, ALERT(BAD), "certificate 1 of 2: has more than 64 extensions"},
    {SHOWN(other_root_appended), UNKNOWN_CA, "", "certificate 3 of 3: " NOT_OURS},
    {SHOWN(reversed), UNKNOWN_CA, "", "certificate 2 of 2: " NOT_OURS},
    {SHOWN(dev_twice), BAD, "", "certificate 2 of 3: was not issued by the one after it"},
    {SHOWN(leaf_twice), BAD, "", "certificate 1 of 3: was not issued by the one after it"},
    {SHOWN(dev_left_out), UNKNOWN_CA, "", "certificate 1 of 1: " NOT_OURS},
    {SHOWN(nothing_shown), REQUIRED, "", "no client certificate"},
    {SHOWN(seventeen_shown), DECODE, "", "17 certificates, at most 16 are taken"},
    {SHOWN(signed_with_sha1), BAD, "",
     "certificate 1 of 2: is signed with ecdsa-with-SHA1; taken are ECDSA and RSA (PKCS#1) with "
     "SHA-256, SHA-384 or SHA-512, and Ed25519"},
};

static const struct row malformed[] = {
    {unchanged, root_appended_twice, VERDICT_REFUSE, 0, "malformed",
     "ca: has the name of its own issuer"},
    {unchanged, root_alone, VERDICT_REFUSE, 0, "malformed", "ca: has the name of its own issuer"},
    {unchanged, leaf_left_out, VERDICT_REFUSE, 0, "malformed",
     "dev: basicConstraints: a session needs a leaf, this one is a CA"},
    {leaf_p521, MALFORMED, "admin: key: curve secp521r1, must be P-256 or P-384"},
    {leaf_rsa_1024, MALFORMED, "admin: key: RSA of 1024 bits, must be 2048 to 4096"},
    {leaf_v1, MALFORMED, "admin: is X.509 version 1, must be 3"},
    {serial_zero, MALFORMED, "admin: serial number: is zero"},
    {serial_negative, MALFORMED, "admin: serial number: is negative"},
    {serial_long, MALFORMED, "dev: serial number: 21 bytes, at most 20 are allowed"},
    {unknown_critical, MALFORMED, "admin: extension 1.2.3.4: has no place in a certificate of vmm"},
    {unknown_extension, MALFORMED,
     "admin: extension 2.5.29.17: has no place in a certificate of vmm"},
    {constraints_twice, MALFORMED, "dev: basicConstraints: is there twice"},
    {constraints_malformed, MALFORMED, "admin: basicConstraints: is malformed"},
    {length_on_leaf, MALFORMED, "admin: basicConstraints: a path length that cannot be"},
    {length_negative, MALFORMED, "dev: basicConstraints: a path length that cannot be"},
    {usage_malformed, MALFORMED, "admin: keyUsage: is malformed"},
    {purpose_malformed, MALFORMED, "dev: extendedKeyUsage: is malformed"},
    {key_id_malformed, MALFORMED, "admin: subjectKeyIdentifier: is malformed"},
    {ours_twice, MALFORMED, "admin: permissions: is there twice"},
    {ours_unknown, MALFORMED, "admin: 1.3.6.1.4.1.49836.42.44: there is no such extension"},
    {ours_trailing, MALFORMED, "admin: argv: has trailing bytes"},
    {ours_in_the_wrong_shape, MALFORMED, "admin: vms: has no place in a command certificate"},
    {version_one, MALFORMED, "admin: version: is 1, must be 0"},
    {version_absent, MALFORMED, "dev: version: is missing, a delegation has it"},
    {vm_and_command, MALFORMED, "hello: permissions: console has no place in a VM certificate"},
    {name_with_slash, MALFORMED, "certificate 1 of 2: name: contains '/'"},
    {name_with_newline, MALFORMED, "certificate 2 of 2: name: contains a control character"},
    {name_in_a_second_form, MALFORMED, "admin: is not DER: it has a second form"},
    {leaf_is_ca, MALFORMED, "admin: basicConstraints: a session needs a leaf, this one is a CA"},
    {leaf_signs_certificates, MALFORMED,
     "admin: keyUsage: a leaf has digitalSignature, not keyCertSign"},
    {leaf_cannot_sign, MALFORMED, "admin: keyUsage: a leaf has digitalSignature, not keyCertSign"},
    {leaf_of_a_server, MALFORMED, "admin: extendedKeyUsage: a leaf must have clientAuth"},
    {leaf_without_purpose, MALFORMED, "admin: extendedKeyUsage: a leaf must have clientAuth"},
    {delegation_is_no_ca, MALFORMED, "dev: basicConstraints: is no CA, an issuer must be one"},
    {delegation_without_constraints, MALFORMED,
     "dev: basicConstraints: is no CA, an issuer must be one"},
    {delegation_without_usage, MALFORMED, "dev: keyUsage: an issuer has keyCertSign and cRLSign"},
    {delegation_without_cert_sign, MALFORMED,
     "dev: keyUsage: an issuer has keyCertSign and cRLSign"},
    {delegation_for_servers, MALFORMED,
     "dev: extendedKeyUsage: a delegation must have clientAuth, alone"},
    {self_issued, MALFORMED, "dev: has the name of its own issuer"},
    {date_malformed, MALFORMED, "admin: validity: a date that is malformed"},
};

static void good_chains_are_accepted(void **state)
{
	(void)state;
	judge_rows(accepted, COUNT(accepted));
}

static void strangers_get_an_alert(void **state)
{
	(void)state;
	judge_rows(alerts, COUNT(alerts));
}

static void malformed_chains_are_refused(void **state)
{
	(void)state;
	judge_rows(malformed, COUNT(malformed));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(good_chains_are_accepted),
	    cmocka_unit_test(strangers_get_an_alert),
	    cmocka_unit_test(malformed_chains_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
