/*
 * What a certificate of ours is as a whole: which shape its extensions make, how it is called, what
 * key it may have. Pure; the extensions' values are cert_decode.c's and cert_encode.c's.
 */
#include "cert.h"

#include <inttypes.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/sha.h>
#include <string.h>

#define SERIAL_MAX   20 /* bytes of magnitude */
#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 4096

int cert_arc(const ASN1_OBJECT *oid)
{
	/* 1.3.6.1.4.1.49836.42 */
	static const uint8_t prefix[] = {0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0x85, 0x2c, 0x2a};
	const uint8_t *byte = OBJ_get0_data(oid);
	size_t size = OBJ_length(oid);
	int arc = 0;
	if (size <= sizeof(prefix) || memcmp(byte, prefix, sizeof(prefix)) != 0)
		return -1;
	for (size_t i = sizeof(prefix); i < size; i++) {
		if (arc > INT_MAX >> 7)
			return -1;
		arc = arc << 7 | (byte[i] & 0x7f);
		if (!(byte[i] & 0x80))
			return i + 1 == size ? arc : -1;
	}
	return -1;
}

#define BIT(arc) (UINT64_C(1) << (arc))

/* Which arcs a shape must have and which others it may have. */
struct form {
	const char *name;
	uint64_t needs, allows;
};

static const struct form forms[] = {
    [SHAPE_DELEGATION] = {"a delegation",
			  BIT(ARC_VERSION) | BIT(ARC_VMS) | BIT(ARC_CPUIDS) | BIT(ARC_MEMORY),
			  BIT(ARC_BLOCK) | BIT(ARC_BRIDGES)},
    [SHAPE_VM] = {"a VM certificate",
		  BIT(ARC_VERSION) | BIT(ARC_MEMORY) | BIT(ARC_CPUID) | BIT(ARC_IMAGE) |
		      BIT(ARC_PERMISSIONS),
		  BIT(ARC_NETWORK) | BIT(ARC_BLOCK_DEVICE) | BIT(ARC_ARGV)},
    [SHAPE_COMMAND] = {"a command certificate", BIT(ARC_VERSION) | BIT(ARC_PERMISSIONS), 0},
    [SHAPE_REVOCATION] = {"a revocation certificate",
			  BIT(ARC_VERSION) | BIT(ARC_PERMISSIONS) | BIT(ARC_CRL), 0},
};

static bool form_fits(const struct form *form, uint64_t present, struct refusal *why)
{
	for (int arc = 0; arc < 64; arc++) {
		if (form->needs & ~present & BIT(arc))
			return refusal_say(why, "%s: is missing, %s has it", cert_arc_name(arc),
					   form->name);
		if (present & ~(form->needs | form->allows) & BIT(arc))
			return refusal_say(why, "%s: has no place in %s", cert_arc_name(arc),
					   form->name);
	}
	return true;
}

/* The permissions that go with a shape: some of ALLOWED, nothing else. */
static bool permissions_fit(uint32_t permissions, uint32_t allowed, const char *form,
			    struct refusal *why)
{
	if (permissions == 0)
		return refusal_say(why, "permissions: none is given");
	for (unsigned n = 0; n < 32; n++)
		if (permissions & ~allowed & UINT32_C(1) << n)
			return refusal_say(why, "permissions: %s has no place in %s",
					   permission_name(UINT32_C(1) << n), form);
	return true;
}

static enum cert_shape shape_guess(const struct cert_content *content, bool is_ca)
{
	const struct form *vm = &forms[SHAPE_VM], *command = &forms[SHAPE_COMMAND];
	if (is_ca)
		return SHAPE_DELEGATION;
	if (content->present & (vm->needs | vm->allows) & ~command->needs)
		return SHAPE_VM;
	return content->present & BIT(ARC_CRL) ? SHAPE_REVOCATION : SHAPE_COMMAND;
}

static bool vm_fits(const struct vm_config *vm, struct refusal *why)
{
	if (vm->memory_mb == 0 || vm->memory_mb > VM_MEMORY_MAX_MB)
		return refusal_say(why, "memory: %" PRIu32 " MB, a VM has 1 to %d MB",
				   vm->memory_mb, VM_MEMORY_MAX_MB);
	return true;
}

enum cert_shape cert_shape(const struct cert_content *content, bool is_ca, struct refusal *why)
{
	static const uint32_t permits[] = {
	    [SHAPE_VM] = PERMIT_IMAGE | PERMIT_FORCE_CREATE,
	    [SHAPE_COMMAND] = UINT32_MAX,
	    [SHAPE_REVOCATION] = PERMIT_CRL,
	};
	enum cert_shape shape = shape_guess(content, is_ca);
	const struct form *form = &forms[shape];
	if (!form_fits(form, content->present, why))
		return SHAPE_NONE;
	if (shape != SHAPE_DELEGATION &&
	    !permissions_fit(content->permissions, permits[shape], form->name, why))
		return SHAPE_NONE;
	if (shape == SHAPE_VM && !vm_fits(&content->vm, why))
		return SHAPE_NONE;
	return shape;
}

bool cert_label(const ASN1_INTEGER *serial, struct label *out, struct refusal *why)
{
	const uint8_t *byte = ASN1_STRING_get0_data(serial);
	size_t size = (size_t)ASN1_STRING_length(serial);
	while (size > 0 && *byte == 0) {
		byte++;
		size--;
	}
	if (ASN1_STRING_type(serial) != V_ASN1_INTEGER)
		return refusal_say(why, "serial number: is negative");
	if (size == 0)
		return refusal_say(why, "serial number: is zero");
	if (size > SERIAL_MAX)
		return refusal_say(why, "serial number: %zu bytes, at most %d are allowed", size,
				   SERIAL_MAX);
	SHA256(byte, size, out->byte);
	return true;
}

bool cert_name(const X509_NAME *subject, char out[NAME_SIZE], struct refusal *why)
{
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	if (at < 0)
		return refusal_say(why, "name: the subject has no common name");
	if (X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0)
		return refusal_say(why, "name: the subject has two common names");
	const ASN1_STRING *name = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
	int type = ASN1_STRING_type(name);
	if (type != V_ASN1_UTF8STRING && type != V_ASN1_PRINTABLESTRING && type != V_ASN1_IA5STRING)
		return refusal_say(why, "name: is a %s, must be a UTF8STRING", ASN1_tag2str(type));
	const char *text = (const char *)ASN1_STRING_get0_data(name);
	size_t size = (size_t)ASN1_STRING_length(name);
	const char *problem = name_problem(text, size);
	if (problem)
		return refusal_say(why, "name: %s", problem);
	memcpy(out, text, size);
	out[size] = '\0';
	return true;
}

static bool curve_allowed(const EVP_PKEY *key, struct refusal *why)
{
	char group[32] = "";
	int explicit = 0;
	if (!EVP_PKEY_get_group_name(key, group, sizeof(group), NULL))
		return refusal_say(why, "key: its curve is not a named one");
	(void)EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
				     &explicit);
	if (explicit)
		return refusal_say(why, "key: its curve is spelled out instead of named");
	int curve = EC_curve_nist2nid(group);
	if (curve == NID_undef)
		curve = OBJ_txt2nid(group);
	if (curve != NID_X9_62_prime256v1 && curve != NID_secp384r1)
		return refusal_say(why, "key: curve %s, must be P-256 or P-384", group);
	return true;
}

bool cert_key_allowed(EVP_PKEY *key, struct refusal *why)
{
	if (EVP_PKEY_is_a(key, "EC"))
		return curve_allowed(key, why);
	if (EVP_PKEY_is_a(key, "ED25519"))
		return true;
	if (!EVP_PKEY_is_a(key, "RSA"))
		return refusal_say(why, "key: neither P-256, P-384, Ed25519 nor RSA");
	int bits = EVP_PKEY_get_bits(key);
	if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX)
		return refusal_say(why, "key: RSA of %d bits, must be %d to %d", bits, RSA_BITS_MIN,
				   RSA_BITS_MAX);
	return true;
}

bool cert_signature_allowed(int nid, struct refusal *why)
{
	static const int allowed[] = {
	    NID_ecdsa_with_SHA256,
	    NID_ecdsa_with_SHA384,
	    NID_ecdsa_with_SHA512,
	    NID_sha256WithRSAEncryption,
	    NID_sha384WithRSAEncryption,
	    NID_sha512WithRSAEncryption,
	    NID_ED25519,
	};
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		if (allowed[i] == nid)
			return true;
	return refusal_say(
	    why,
	    "is signed with %s; taken are ECDSA and RSA (PKCS#1) with SHA-256, SHA-384 "
	    "or SHA-512, and Ed25519",
	    nid == NID_undef ? "an unknown algorithm" : OBJ_nid2sn(nid));
}

bool cert_key_id(const EVP_PKEY *key, uint8_t out[DIGEST_SIZE])
{
	uint8_t *der = NULL;
	int size = i2d_PUBKEY(key, &der);
	if (size > 0)
		SHA256(der, (size_t)size, out);
	OPENSSL_free(der);
	return size > 0;
}
