/* Verification of whole chains: a table of what may be wrong with one, each row a small change to a
 * good chain of root, "dev" and "admin"; then depth, revocation, image offset and random damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include "mint.h"
#include "verify.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define NODES	    17

/* Alerts of TLS. */
enum { BAD = 42, UNSUPPORTED = 43, UNKNOWN_CA = 48, DECODE = 50, REQUIRED = 116 };

/* A chain in the making. */
struct world {
	struct minted root, other;
	struct minted node[NODES]; /* from the top down */
	unsigned count;
	const struct minted *signer[NODES]; /* NULL: the one above */
	X509 *shown[NODES + 3];		    /* leaf first */
	unsigned nshown;
	time_t now;
};

static struct world w;
static struct verify_result result;

static struct minted *dev(void)
{
	return &w.node[0];
}

static struct minted *leaf(void)
{
	return &w.node[w.count - 1];
}

static void replace(unsigned n, struct minted by)
{
	mint_free(&w.node[n]);
	w.node[n] = by;
}

static void insert(unsigned n, struct minted what)
{
	memmove(&w.node[n + 1], &w.node[n], (w.count - n) * sizeof(w.node[0]));
	w.node[n] = what;
	w.count++;
}

static struct minted new_delegation(const char *name, const struct cert_content *content)
{
	return mint_new(name, NULL, true, content);
}

static void world_make(void)
{
	struct cert_content grants = mint_policy(2, 1024), all = mint_command(PERMIT_ALL);
	w = (struct world){.now = MINT_NOW, .count = 2};
	w.root = mint_root("ca", NULL);
	w.node[0] = new_delegation("dev", &grants);
	w.node[1] = mint_new("admin", NULL, false, &all);
}

static void world_sign(void)
{
	for (unsigned n = 0; n < w.count; n++) {
		const struct minted *above = n == 0 ? &w.root : &w.node[n - 1];
		mint_sign(&w.node[n], w.signer[n] ? w.signer[n] : above);
		w.shown[w.count - 1 - n] = w.node[n].cert;
	}
	w.nshown = w.count;
}

static void world_free(void)
{
	for (unsigned n = 0; n < w.count; n++)
		mint_free(&w.node[n]);
	mint_free(&w.root);
	if (w.other.cert)
		mint_free(&w.other);
}

static void judge(const struct revocation *revocation)
{
	size_t len;
	uint8_t *message = mint_message(w.shown, w.nshown, &len);
	verify_message(message, len, w.root.cert, w.now, revocation, &result);
	free(message);
	assert_int_equal(ERR_peek_error(), 0);
}

/* What a row changes before anything is signed. */

static void unchanged(void)
{
}

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

static void leaf_under_root(void)
{
	mint_free(&w.node[0]);
	w.node[0] = w.node[1];
	w.count = 1;
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

/* Signed by a stranger who took dev's name, below a dev that is real but expired. */
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

static void expired_leaf(void)
{
	mint_dates(leaf()->cert, MINT_NOW - 2 * MINT_DAY, MINT_NOW - 1);
}

static void expired_dev(void)
{
	mint_dates(dev()->cert, MINT_NOW - 2 * MINT_DAY, MINT_NOW - 1);
}

static void expires_now(void)
{
	mint_dates(dev()->cert, MINT_NOW, MINT_NOW);
}

static void early_leaf(void)
{
	mint_dates(leaf()->cert, MINT_NOW + 1, MINT_NOW + MINT_DAY);
}

static void expired_root(void)
{
	mint_dates(w.root.cert, MINT_NOW - 2 * MINT_DAY, MINT_NOW - 1);
	X509_sign(w.root.cert, w.root.key, EVP_sha256());
}

/* Expired and beyond its parent: the dates come first. */
static void expired_and_greedy(void)
{
	struct cert_content grants = mint_policy(3, 1024);
	insert(1, new_delegation("sub", &grants));
	expired_leaf();
}

static void sub_with(struct cert_content content)
{
	insert(1, new_delegation("sub", &content));
}

static void sub_of_equal_grants(void)
{
	sub_with(mint_policy(2, 1024));
}

static void sub_of_more_vms(void)
{
	sub_with(mint_policy(3, 1024));
}

static void sub_of_more_memory(void)
{
	sub_with(mint_policy(2, 2048));
}

static void sub_of_block(void)
{
	struct cert_content content = mint_policy(2, 1024);
	content.present |= UINT64_C(1) << ARC_BLOCK;
	content.policy.block_mb = 1;
	sub_with(content);
}

static void sub_of_more_cpus(void)
{
	struct cert_content content = mint_policy(2, 1024);
	cpuset_add(&content.policy.cpus, 2);
	sub_with(content);
}

static void sub_of_a_bridge(void)
{
	struct cert_content content = mint_policy(2, 1024);
	content.present |= UINT64_C(1) << ARC_BRIDGES;
	content.policy.nbridges = 1;
	snprintf(content.policy.bridge[0].name, BRIDGE_NAME_SIZE, "lan");
	sub_with(content);
}

/* Beyond its grandparent only; each is refused by its own parent all the same. */
static void greedy_at_depth(void)
{
	sub_with(mint_policy(1, 512));
	struct cert_content content = mint_policy(2, 512);
	insert(2, new_delegation("deep", &content));
}

static void length_zero(void)
{
	mint_extension(dev()->cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
}

static void length_zero_exceeded(void)
{
	length_zero();
	sub_with(mint_policy(2, 1024));
}

static void length_one_kept(void)
{
	mint_extension(dev()->cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:1");
	sub_with(mint_policy(2, 1024));
}

static void length_of_root_exceeded(void)
{
	mint_extension(w.root.cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
	X509_sign(w.root.cert, w.root.key, EVP_sha256());
}

static void key_of_root(void)
{
	struct cert_content grants = mint_policy(2, 1024);
	EVP_PKEY_up_ref(w.root.key);
	replace(0, mint_new("dev", w.root.key, true, &grants));
}

static void key_of_dev(void)
{
	struct cert_content grants = mint_policy(1, 1024);
	EVP_PKEY_up_ref(dev()->key);
	insert(1, mint_new("sub", dev()->key, true, &grants));
}

static const uint8_t image[] = "\177ELF";

static void vm_with(struct cert_content content)
{
	replace(w.count - 1, mint_new("hello", NULL, false, &content));
}

static void vm(void)
{
	vm_with(mint_vm(image, 4));
}

static void vm_under_root(void)
{
	leaf_under_root();
	vm();
}

static void vm_of_more_memory(void)
{
	struct cert_content content = mint_vm(image, 4);
	content.vm.memory_mb = 2048;
	vm_with(content);
}

static void vm_on_another_cpu(void)
{
	struct cert_content content = mint_vm(image, 4);
	content.vm.cpuid = 2;
	vm_with(content);
}

static void vm_on_a_bridge(void)
{
	struct cert_content content = mint_vm(image, 4);
	content.present |= UINT64_C(1) << ARC_NETWORK;
	content.vm.nnets = 1;
	snprintf(content.vm.net[0].bridge, BRIDGE_NAME_SIZE, "ext");
	vm_with(content);
}

static void vm_and_command(void)
{
	struct cert_content content = mint_vm(image, 4);
	content.permissions |= PERMIT_CONSOLE;
	vm_with(content);
}

static void revocation_leaf(void)
{
	static const uint8_t list[] = {0x30, 0x00};
	struct cert_content content = mint_command(PERMIT_CRL);
	content.present |= UINT64_C(1) << ARC_CRL;
	content.crl = list;
	content.crl_size = sizeof(list);
	vm_with(content);
}

/* What a row changes after everything was signed. */

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

struct row {
	void (*prepare)(void);
	void (*present)(void);
	enum verdict verdict;
	uint32_t alert;
	const char *word, *detail;
};

#define ALERT(number)	NULL, VERDICT_ALERT, number, ""
#define SHOWN(how)	unchanged, how, VERDICT_ALERT
#define REFUSE(word)	NULL, VERDICT_REFUSE, 0, word
#define ACCEPT		NULL, VERDICT_ACCEPT, 0, "", ""
#define MALFORMED	REFUSE("malformed")
#define POLICY		REFUSE("policy")
#define NOT_OURS	"was not issued by the server's CA"
#define NOT_THE_PARENTS "has a signature that is not its issuer's"

static const struct row rows[] = {
    {unchanged, ACCEPT},
    {root_2017, ACCEPT},
    {other_keys, ACCEPT},
    {leaf_under_root, ACCEPT},
    {sub_of_equal_grants, ACCEPT},
    {length_zero, ACCEPT},
    {length_one_kept, ACCEPT},
    {expires_now, ACCEPT},
    {vm, ACCEPT},
    {revocation_leaf, ACCEPT},
    {unchanged, root_appended, VERDICT_ACCEPT, 0, "", ""},

    {foreign_ca, ALERT(UNKNOWN_CA), "certificate 2 of 2 " NOT_OURS},
    {foreign_ca_of_our_name, ALERT(UNKNOWN_CA), "certificate 2 of 2 " NOT_OURS},
    {foreign_ca_without_key_id, ALERT(BAD), "certificate 2 of 2 " NOT_THE_PARENTS},
    {self_signed_leaf, ALERT(UNKNOWN_CA), "certificate 1 of 1 " NOT_OURS},
    {forged_below_expired, ALERT(BAD), "certificate 1 of 2 " NOT_THE_PARENTS},
    {delegation_p521, ALERT(UNSUPPORTED),
     "certificate 2 of 2 key: curve secp521r1, must be P-256 or P-384"},
    {SHOWN(other_root_appended), UNKNOWN_CA, "", "certificate 3 of 3 " NOT_OURS},
    {SHOWN(reversed), UNKNOWN_CA, "", "certificate 2 of 2 " NOT_OURS},
    {SHOWN(dev_twice), BAD, "", "certificate 2 of 3 was not issued by the one after it"},
    {SHOWN(leaf_twice), BAD, "", "certificate 1 of 3 was not issued by the one after it"},
    {SHOWN(dev_left_out), UNKNOWN_CA, "", "certificate 1 of 1 " NOT_OURS},
    {SHOWN(nothing_shown), REQUIRED, "", "no client certificate"},
    {SHOWN(seventeen_shown), DECODE, "", "17 certificates, at most 16 are taken"},
    {SHOWN(signed_with_sha1), BAD, "",
     "certificate 1 of 2 signed with ecdsa-with-SHA1; taken are ECDSA and RSA (PKCS#1) with "
     "SHA-256, SHA-384 or SHA-512, and Ed25519"},

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

    {expired_leaf, REFUSE("expired"), "admin expired at 2017-07-14T02:39:59Z"},
    {expired_dev, REFUSE("expired"), "dev expired at 2017-07-14T02:39:59Z"},
    {expired_root, REFUSE("expired"), "the CA expired at 2017-07-14T02:39:59Z"},
    {early_leaf, REFUSE("not-yet-valid"), "admin is not valid before 2017-07-14T02:40:01Z"},
    {expired_and_greedy, REFUSE("expired"), "admin expired at 2017-07-14T02:39:59Z"},

    {sub_of_more_vms, POLICY, "vms: asked for 3, dev grants 2"},
    {sub_of_more_memory, POLICY, "memory: asked for 2048 MB, dev grants 1024 MB"},
    {sub_of_block, POLICY, "block: asked for 1 MB, dev grants 0 MB"},
    {sub_of_more_cpus, POLICY, "cpuids: asked for 0-2, dev grants 0-1"},
    {sub_of_a_bridge, POLICY, "bridge lan: asked for, dev grants none"},
    {greedy_at_depth, POLICY, "vms: asked for 2, sub grants 1"},
    {length_zero_exceeded, POLICY, "path length: dev allows 0 below it, the chain has 1"},
    {length_of_root_exceeded, POLICY, "path length: the CA allows 0 below it, the chain has 1"},
    {key_of_root, POLICY, "dev has the key of the CA"},
    {key_of_dev, POLICY, "sub has the key of dev"},
    {vm_under_root, POLICY,
     "hello is signed by the CA itself: a VM needs a delegation that it is accounted to"},
    {vm_of_more_memory, POLICY, "memory: asked for 2048 MB, dev grants 1024 MB"},
    {vm_on_another_cpu, POLICY, "cpuid: asked for 2, dev grants 0-1"},
    {vm_on_a_bridge, POLICY, "bridge ext: asked for, dev grants none"},
};

static void every_row_of_the_table(void **state)
{
	static const struct request none;
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct row *row = &rows[i];
		world_make();
		row->prepare();
		world_sign();
		if (row->present)
			row->present();
		judge(NULL);
		if (result.verdict.verdict != row->verdict)
			fail_msg("row %zu: verdict %u: %s (expected: %s)", i,
				 result.verdict.verdict, result.verdict.detail, row->detail);
		assert_string_equal(result.verdict.detail, row->detail);
		assert_string_equal(result.verdict.word, row->word);
		assert_int_equal(result.verdict.alert, row->alert);
		if (row->verdict != VERDICT_ACCEPT)
			assert_memory_equal(&result.request, &none, sizeof(none));
		world_free();
	}
}

static void chain_of(unsigned delegations)
{
	struct cert_content grants = mint_policy(2, 1024);
	world_make();
	for (unsigned n = 1; n < delegations; n++) {
		char name[16];
		snprintf(name, sizeof(name), "sub%u", n);
		insert(n, new_delegation(name, &grants));
	}
	world_sign();
}

static void every_depth(void **state)
{
	(void)state;
	for (unsigned depth = 1; depth <= 15; depth++) {
		struct label label;
		struct refusal why;
		struct path path;
		uint8_t labels[16 * LABEL_SIZE], digest[DIGEST_SIZE];
		chain_of(depth);
		judge(NULL);
		assert_int_equal(result.verdict.verdict, VERDICT_ACCEPT);
		const struct request *request = &result.request;
		assert_int_equal(request->depth, depth);
		assert_int_equal(request->kind, LEAF_COMMAND);
		assert_int_equal(request->permissions, PERMIT_ALL);
		assert_int_equal(request->not_before, MINT_NOW - MINT_DAY);
		assert_int_equal(request->expires, MINT_NOW + MINT_DAY);
		assert_string_equal(request->leaf.name, "admin");
		assert_string_equal(result.name, "admin");
		request_path(request, &path);
		for (unsigned n = 0; n < path.depth; n++) {
			cert_label(X509_get0_serialNumber(w.node[n].cert), &label, &why);
			assert_true(label_equal(&label, &path.node[n].label));
			memcpy(labels + (size_t)n * LABEL_SIZE, label.byte, LABEL_SIZE);
		}
		SHA256(labels, (size_t)path.depth * LABEL_SIZE, digest);
		assert_memory_equal(request->path_id, digest, DIGEST_SIZE);
		for (unsigned n = 0; n < depth; n++) {
			assert_int_equal(request->level[n].policy.memory_mb, 1024);
			assert_int_equal(request->level[n].not_before, MINT_NOW - MINT_DAY);
		}
		assert_string_equal(request->level[0].node.name, "dev");
		world_free();
	}
}

static void a_session_ends_with_the_first_expiry(void **state)
{
	(void)state;
	world_make();
	mint_dates(dev()->cert, MINT_NOW - 1, MINT_NOW + 100);
	world_sign();
	judge(NULL);
	assert_int_equal(result.request.expires, MINT_NOW + 100);
	world_free();

	world_make();
	mint_dates(w.root.cert, MINT_NOW - 1, MINT_NOW + 50);
	X509_sign(w.root.cert, w.root.key, EVP_sha256());
	world_sign();
	judge(NULL);
	assert_int_equal(result.request.expires, MINT_NOW + 50);
	world_free();
}

/* Asked for each certificate with its issuer's path and key, from the top; takes back TARGET. */
struct taken_back {
	unsigned asked, target;
};

static bool revoked(void *arg, const struct path *scope, const EVP_PKEY *key,
		    const ASN1_INTEGER *serial)
{
	struct taken_back *back = arg;
	unsigned n = back->asked++;
	const struct minted *issuer = n == 0 ? &w.root : &w.node[n - 1];
	assert_int_equal(scope->depth, n);
	if (n > 0)
		assert_string_equal(scope->node[0].name, "dev");
	assert_int_equal(EVP_PKEY_eq(key, issuer->key), 1);
	assert_int_equal(ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(w.node[n].cert)), 0);
	return n == back->target;
}

static void revocation_is_asked_for_each(void **state)
{
	static const char *const details[] = {
	    "dev was revoked by the CA", "sub1 was revoked by dev", "admin was revoked by sub1"};
	(void)state;
	for (unsigned target = 0; target <= 3; target++) {
		struct taken_back back = {.target = target};
		chain_of(2);
		judge(&(struct revocation){.revoked = revoked, .arg = &back});
		assert_int_equal(back.asked, target < 3 ? target + 1 : 3);
		if (target < 3) {
			assert_int_equal(result.verdict.verdict, VERDICT_REFUSE);
			assert_string_equal(result.verdict.word, "revoked");
			assert_string_equal(result.verdict.detail, details[target]);
			assert_string_equal(result.name, "admin");
		} else {
			assert_int_equal(result.verdict.verdict, VERDICT_ACCEPT);
		}
		world_free();
	}
}

/* A stranger's chain never gets as far as the callback. */
static bool not_asked(void *arg, const struct path *scope, const EVP_PKEY *key,
		      const ASN1_INTEGER *serial)
{
	(void)arg, (void)scope, (void)key, (void)serial;
	fail();
	return false;
}

static void strangers_are_not_looked_up(void **state)
{
	(void)state;
	world_make();
	foreign_ca();
	world_sign();
	judge(&(struct revocation){.revoked = not_asked});
	assert_int_equal(result.verdict.verdict, VERDICT_ALERT);
	assert_string_equal(result.name, "");
	world_free();
}

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
	vm_with(mint_vm(bytes, SIZE));
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

static size_t entry_of_leaf(uint8_t *message)
{
	return (size_t)message[4] << 16 | (size_t)message[5] << 8 | message[6];
}

/* The outermost length written the long way: same certificate, other bytes. */
static void second_form_is_refused(void **state)
{
	size_t len;
	(void)state;
	world_make();
	world_sign();
	uint8_t *good = mint_message(w.shown, w.nshown, &len);
	uint8_t *message = calloc(1, len + 1);
	size_t entry = entry_of_leaf(good) + 1, all = len + 1 - 4;
	assert_non_null(message);
	assert_int_equal(good[7], 0x30);
	assert_int_equal(good[8], 0x82);
	memcpy(message, good, 8);
	memcpy(message + 8, "\x83\x00", 2);
	memcpy(message + 10, good + 9, len - 9);
	for (int i = 0; i < 3; i++) {
		message[1 + i] = (uint8_t)(all >> (16 - 8 * i));
		message[4 + i] = (uint8_t)(entry >> (16 - 8 * i));
	}
	verify_message(message, len + 1, w.root.cert, w.now, NULL, &result);
	assert_int_equal(result.verdict.verdict, VERDICT_REFUSE);
	assert_string_equal(result.verdict.detail, "admin: is not DER: it has a second form");
	free(message);
	free(good);
	world_free();
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
	/* A byte after the leaf's certificate, inside of its entry. */
	uint8_t *longer = calloc(1, len + 1);
	size_t entry = entry_of_leaf(message), all = len + 1 - 4;
	assert_non_null(longer);
	memcpy(longer, message, 7 + entry);
	memcpy(longer + 7 + entry + 1, message + 7 + entry, len - 7 - entry);
	for (int i = 0; i < 3; i++) {
		longer[1 + i] = (uint8_t)(all >> (16 - 8 * i));
		longer[4 + i] = (uint8_t)((entry + 1) >> (16 - 8 * i));
	}
	verify_message(longer, len + 1, w.root.cert, w.now, NULL, &result);
	assert_int_equal(result.verdict.alert, BAD);
	assert_string_equal(result.verdict.detail,
			    "certificate 1 of 2 is not one X.509 certificate");
	free(longer);
	free(message);
	world_free();
}

/* One byte changed anywhere: never a crash, and never a chain that is taken. */
static void damage_is_never_accepted(void **state)
{
	size_t len;
	(void)state;
	world_make();
	vm();
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
	    cmocka_unit_test(every_row_of_the_table),
	    cmocka_unit_test(every_depth),
	    cmocka_unit_test(a_session_ends_with_the_first_expiry),
	    cmocka_unit_test(revocation_is_asked_for_each),
	    cmocka_unit_test(strangers_are_not_looked_up),
	    cmocka_unit_test(image_is_located),
	    cmocka_unit_test(second_form_is_refused),
	    cmocka_unit_test(framing_is_checked),
	    cmocka_unit_test(damage_is_never_accepted),
	    cmocka_unit_test(root_must_be_usable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
