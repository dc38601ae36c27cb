/*
 * What a verified chain says: the typed form in which vmm_auth hands it to vmmd. Fixed sizes, no
 * pointers. cert.h fills it from DER, policy.h judges it, message.h carries it.
 */
#ifndef VMM_REQUEST_H
#define VMM_REQUEST_H

#include <stdint.h>

#include "path.h"
#include "policy.h"

#define LEVELS_MAX     (PATH_DEPTH_MAX - 1) /* delegations above a leaf */
#define ARGV_SIZE      8192		    /* Solo5's longest command line, terminator included */
#define ARGV_COUNT_MAX 1024
#define DEVICES_MAX    16
#define DEVICE_SIZE    68 /* Solo5's longest device name, terminator included */
#define DIGEST_SIZE    32
#define PEER_SIZE      64  /* "[addr]:port" */
#define DETAIL_SIZE    512 /* a sentence for a person */

/* Several strings, NUL-terminated, back to back. */
struct strings {
	uint32_t count;
	uint32_t size; /* bytes used, terminators included */
	char bytes[ARGV_SIZE];
};

/* Appends TEXT; 0, or -1 when it does not fit. */
int strings_add(struct strings *list, const char *text);
/* The first string, the next one after ITEM; NULL past the end. */
const char *strings_next(const struct strings *list, const char *item);

enum image_form { IMAGE_EMBEDDED, IMAGE_COMPRESSED, IMAGE_DETACHED };
enum image_arch { ARCH_AMD64, ARCH_ARM64 }; /* of an embedded image; else the ELF header tells */
enum image_compression { COMPRESSION_NONE, COMPRESSION_ZSTD };

struct image {
	uint32_t form, arch, compression;
	uint64_t offset; /* of the bytes in the chain's memfd; a detached image: 0 */
	uint64_t size;	 /* bytes sent */
	uint64_t inflated;
	uint8_t sha256[DIGEST_SIZE]; /* of the bytes sent; known for a detached image only */
};

/* One network device: DEVICE is empty when the certificate leaves the choice to the manifest. */
struct net_spec {
	char device[DEVICE_SIZE];
	char bridge[BRIDGE_NAME_SIZE];
};

struct block_spec {
	char device[DEVICE_SIZE];
	char volume[NAME_SIZE];
};

struct vm_config {
	uint32_t memory_mb;
	uint32_t cpuid;
	struct strings argv;
	uint32_t nnets;
	struct net_spec net[DEVICES_MAX];
	uint32_t nblocks;
	struct block_spec block[DEVICES_MAX];
	struct image image;
};

/* Bits of the permissions extension: bit N of the BIT STRING is 1 << N. */
enum permission {
	PERMIT_ALL = 1 << 0,
	PERMIT_INFO = 1 << 1,
	PERMIT_IMAGE = 1 << 2,
	PERMIT_BLOCK = 1 << 3,
	PERMIT_STATISTICS = 1 << 4,
	PERMIT_CONSOLE = 1 << 5,
	PERMIT_LOG = 1 << 6,
	PERMIT_CRL = 1 << 7,
	PERMIT_FORCE_CREATE = 1 << 9,
};

/* The word for one permission ("force-create"), NULL for none; and back, 0 for none. */
const char *permission_name(uint32_t permission);
uint32_t permission_parse(const char *word);

enum leaf_kind { LEAF_COMMAND, LEAF_VM, LEAF_REVOCATION };

struct level {
	struct node node;
	int64_t not_before; /* seconds since 1970, as are the other dates */
	struct policy policy;
};

struct request {
	uint32_t depth; /* delegations, the top one first */
	struct level level[LEVELS_MAX];
	struct node leaf;
	uint32_t kind; /* enum leaf_kind */
	uint32_t permissions;
	int64_t not_before;	      /* of the leaf */
	int64_t expires;	      /* first expiry in the chain */
	uint8_t path_id[DIGEST_SIZE]; /* SHA-256 of all labels, the leaf's included */
	struct vm_config vm;	      /* zero unless kind is LEAF_VM */
};

/* The leaf's own path; its issuer's, which is the session's scope. */
void request_path(const struct request *request, struct path *out);
void request_scope(const struct request *request, struct path *out);

#endif
