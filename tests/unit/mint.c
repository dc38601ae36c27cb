/* Certificates for tests; see mint.h. */
#include "mint.h"

#include <openssl/ec.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void set_name(X509_NAME *name, const char *text)
{
	X509_NAME_add_entry_by_txt(name, "CN", V_ASN1_UTF8STRING, (const uint8_t *)text, -1, -1, 0);
}

static X509 *certificate(const char *name, EVP_PKEY *key)
{
	static uint64_t serial = 0x1000;
	X509 *cert = X509_new();
	assert_non_null(cert);
	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), serial++);
	set_name(X509_get_subject_name(cert), name);
	X509_set_pubkey(cert, key);
	mint_dates(cert, MINT_NOW - MINT_DAY, MINT_NOW + MINT_DAY);
	return cert;
}

void mint_dates(X509 *cert, time_t from, time_t until)
{
	ASN1_TIME_set(X509_getm_notBefore(cert), from);
	ASN1_TIME_set(X509_getm_notAfter(cert), until);
}

void mint_serial(X509 *cert, const char *hex)
{
	BIGNUM *number = NULL;
	assert_true(BN_hex2bn(&number, hex));
	assert_non_null(BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)));
	BN_free(number);
}

static void push(X509 *cert, X509_EXTENSION *ext)
{
	assert_non_null(ext);
	assert_true(X509_add_ext(cert, ext, -1));
	X509_EXTENSION_free(ext);
}

void mint_extension(X509 *cert, int nid, const char *value)
{
	int at = X509_get_ext_by_NID(cert, nid, -1);
	if (at >= 0)
		X509_EXTENSION_free(X509_delete_ext(cert, at));
	if (!value)
		return;
	X509V3_CTX context;
	X509V3_set_ctx(&context, cert, cert, NULL, NULL, 0);
	push(cert, X509V3_EXT_conf_nid(NULL, &context, nid, value));
}

void mint_extension_hex(X509 *cert, const char *oid, const char *hex, bool critical)
{
	long size = 0;
	uint8_t *bytes = OPENSSL_hexstr2buf(hex, &size);
	ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 0);
	ASN1_OCTET_STRING_set(octets, bytes, (int)size);
	push(cert, X509_EXTENSION_create_by_OBJ(NULL, object, critical, octets));
	ASN1_OBJECT_free(object);
	ASN1_OCTET_STRING_free(octets);
	OPENSSL_free(bytes);
}

static const EVP_MD *digest_for(EVP_PKEY *key)
{
	return EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256();
}

struct minted mint_root(const char *name, EVP_PKEY *key)
{
	struct minted root = {.key = key ? key : EVP_EC_gen("P-256")};
	root.cert = certificate(name, root.key);
	mint_dates(root.cert, MINT_NOW - 10 * MINT_DAY, MINT_NOW + 10 * MINT_DAY);
	X509_set_issuer_name(root.cert, X509_get_subject_name(root.cert));
	mint_extension(root.cert, NID_basic_constraints, "critical,CA:TRUE");
	mint_extension(root.cert, NID_key_usage, "critical,keyCertSign,cRLSign");
	mint_extension(root.cert, NID_subject_key_identifier, "hash");
	assert_true(X509_sign(root.cert, root.key, digest_for(root.key)) > 0);
	return root;
}

struct minted mint_new(const char *name, EVP_PKEY *key, bool is_ca,
		       const struct cert_content *content)
{
	struct minted minted = {.key = key ? key : EVP_EC_gen("P-256")};
	struct refusal why;
	STACK_OF(X509_EXTENSION) *exts = NULL;
	minted.cert = certificate(name, minted.key);
	if (is_ca) {
		mint_extension(minted.cert, NID_basic_constraints, "critical,CA:TRUE");
		mint_extension(minted.cert, NID_key_usage, "critical,keyCertSign,cRLSign");
		mint_extension(minted.cert, NID_subject_key_identifier, "hash");
	}
	mint_extension(minted.cert, NID_ext_key_usage, "clientAuth");
	assert_true(cert_encode(content, &exts, &why));
	for (int i = 0; i < sk_X509_EXTENSION_num(exts); i++)
		assert_true(X509_add_ext(minted.cert, sk_X509_EXTENSION_value(exts, i), -1));
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	return minted;
}

void mint_sign(struct minted *minted, const struct minted *issuer)
{
	X509V3_CTX context;
	X509_set_issuer_name(minted->cert, X509_get_subject_name(issuer->cert));
	if (X509_get_ext_by_NID(issuer->cert, NID_subject_key_identifier, -1) >= 0) {
		X509V3_set_ctx(&context, issuer->cert, minted->cert, NULL, NULL, 0);
		push(minted->cert, X509V3_EXT_conf_nid(NULL, &context, NID_authority_key_identifier,
						       "keyid:always"));
	}
	assert_true(X509_sign(minted->cert, issuer->key, digest_for(issuer->key)) > 0);
}

void mint_free(struct minted *minted)
{
	X509_free(minted->cert);
	EVP_PKEY_free(minted->key);
	*minted = (struct minted){0};
}

static uint8_t *put24(uint8_t *at, size_t number)
{
	*at++ = (uint8_t)(number >> 16);
	*at++ = (uint8_t)(number >> 8);
	*at++ = (uint8_t)number;
	return at;
}

uint8_t *mint_message(X509 *const *certs, unsigned count, size_t *len)
{
	size_t entries = 0;
	for (unsigned i = 0; i < count; i++)
		entries += 3 + (size_t)i2d_X509(certs[i], NULL) + 2;
	*len = 4 + entries;
	uint8_t *message = calloc(1, *len), *at = message + 1;
	assert_non_null(message);
	at = put24(at, entries);
	for (unsigned i = 0; i < count; i++) {
		at = put24(at, (size_t)i2d_X509(certs[i], NULL));
		i2d_X509(certs[i], &at);
		at += 2; /* no extensions */
	}
	return message;
}

#define BIT(arc) (UINT64_C(1) << (arc))

struct cert_content mint_policy(uint32_t vms, uint32_t memory_mb)
{
	struct cert_content content = {
	    .present = BIT(ARC_VERSION) | BIT(ARC_VMS) | BIT(ARC_MEMORY) | BIT(ARC_CPUIDS),
	    .policy = {.vms = vms, .memory_mb = memory_mb},
	};
	cpuset_add(&content.policy.cpus, 0);
	cpuset_add(&content.policy.cpus, 1);
	return content;
}

struct cert_content mint_command(uint32_t permissions)
{
	return (struct cert_content){.present = BIT(ARC_VERSION) | BIT(ARC_PERMISSIONS),
				     .permissions = permissions};
}

struct cert_content mint_vm(const uint8_t *image, size_t size)
{
	return (struct cert_content){
	    .present = BIT(ARC_VERSION) | BIT(ARC_PERMISSIONS) | BIT(ARC_MEMORY) | BIT(ARC_CPUID) |
		       BIT(ARC_IMAGE),
	    .permissions = PERMIT_IMAGE,
	    .vm = {.memory_mb = 32, .cpuid = 1, .image = {.size = size, .inflated = size}},
	    .image = image,
	};
}
