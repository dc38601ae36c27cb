/*
 * The certificate format: vmm's extensions below 1.3.6.1.4.1.49836.42, to and from DER. Needs
 * libcrypto, touches no file and no clock. doc/certificates.md is the contract, tests/golden/ its
 * bytes.
 *
 * All functions here return false and fill WHY with one line for people when something is wrong.
 */
#ifndef VMM_CERT_H
#define VMM_CERT_H

#include <openssl/x509.h>

#include "request.h"

#define CERT_CHAIN_MAX PATH_DEPTH_MAX
/* The TLS Certificate message's limit, and so a chain's. */
#define CERT_MESSAGE_MAX ((1u << 24) - 1)

enum cert_arc {
	ARC_VERSION = 0,
	ARC_VMS = 1,
	ARC_BRIDGES = 2,
	ARC_BLOCK = 3,
	ARC_CPUIDS = 4,
	ARC_MEMORY = 5,
	ARC_CPUID = 6,
	ARC_NETWORK = 7,
	ARC_BLOCK_DEVICE = 8,
	ARC_IMAGE = 9,
	ARC_ARGV = 10,
	ARC_PERMISSIONS = 42,
	ARC_CRL = 43,
};

/*
 * What our extensions in one certificate or request say. MEMORY is decoded to both places, and
 * encoded from the VM's when CPUID is present, else from the policy's.
 */
struct cert_content {
	uint64_t present;     /* bit N: arc N was there */
	struct policy policy; /* VMS, BRIDGES, BLOCK, CPUIDS, MEMORY */
	struct vm_config
	    vm; /* MEMORY, CPUID, NETWORK, BLOCK_DEVICE, IMAGE, ARGV; image.offset unset */
	const uint8_t
	    *image; /* embedded or compressed: the bytes, inside of the certificate's own DER */
	uint32_t permissions;
	const uint8_t *crl; /* DER CertificateList, inside likewise */
	size_t crl_size;
};

enum cert_shape { SHAPE_NONE, SHAPE_DELEGATION, SHAPE_VM, SHAPE_COMMAND, SHAPE_REVOCATION };

/* The arc of an extension's OID, -1 when it is not directly below ours. */
int cert_arc(const ASN1_OBJECT *oid);
/* The field's name in words ("block device"), NULL: there is no such arc. */
const char *cert_arc_name(int arc);
/* Decodes every extension of ours in EXTS (may be NULL), each at most once, to the last byte. */
bool cert_decode(const STACK_OF(X509_EXTENSION) * exts, struct cert_content *out,
		 struct refusal *why);
/*
 * The shape that CONTENT has: exactly the arcs that it needs and may have; IS_CA tells a delegation
 * from a leaf. SHAPE_NONE with WHY.
 */
enum cert_shape cert_shape(const struct cert_content *content, bool is_ca, struct refusal *why);
/* Appends CONTENT's extensions (the arcs in PRESENT) to EXTS; an embedded image is CONTENT->image.
 */
bool cert_encode(const struct cert_content *content, STACK_OF(X509_EXTENSION) * *exts,
		 struct refusal *why);

/* SHA-256 of the magnitude of SERIAL, which must be positive and at most 20 bytes. */
bool cert_label(const ASN1_INTEGER *serial, struct label *out, struct refusal *why);
/* The subject's only common name, checked with name_problem. */
bool cert_name(const X509_NAME *subject, char out[NAME_SIZE], struct refusal *why);
/* Whether KEY is of an allowed kind: P-256, P-384 (named curves), Ed25519, RSA of 2048 to 4096
 * bits. */
bool cert_key_allowed(EVP_PKEY *key, struct refusal *why);
/* Whether certificates and revocation lists may be signed with the algorithm NID. */
bool cert_signature_allowed(int nid, struct refusal *why);
/* SHA-256 of KEY's SubjectPublicKeyInfo; false: no memory. */
bool cert_key_id(const EVP_PKEY *key, uint8_t out[DIGEST_SIZE]);

#endif
