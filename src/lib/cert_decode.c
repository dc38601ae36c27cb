/*
 * Our extensions from DER, a row of a table each. Reads strictly (der.h) and checks what a value
 * may be by itself; whether the whole makes sense is cert_shape's, who may grant it policy.h's.
 */
#include <inttypes.h>
#include <string.h>

#include "cert.h"
#include "der.h"

#define VERSION	      0
#define IMAGE_DEFLATE 2 /* a choice that later versions of the original had */
/* No image may be larger than the largest VM. */
#define IMAGE_SIZE_MAX ((uint64_t)VM_MEMORY_MAX_MB << 20)

static size_t left(const struct der *in)
{
	return (size_t)(in->end - in->at);
}

static bool take_number(struct der *in, uint64_t max, uint32_t *out, struct refusal *why)
{
	uint64_t number = der_number(in);
	if (number > max)
		return refusal_say(why, "%" PRIu64 " is more than %" PRIu64, number, max);
	*out = (uint32_t)number;
	return true;
}

static bool decode_version(struct der *value, struct cert_content *out, struct refusal *why)
{
	uint64_t version = der_number(value);
	(void)out;
	if (version != VERSION)
		return refusal_say(why, "is %" PRIu64 ", must be %d", version, VERSION);
	return true;
}

static bool decode_vms(struct der *value, struct cert_content *out, struct refusal *why)
{
	return take_number(value, POLICY_NUMBER_MAX, &out->policy.vms, why);
}

static bool decode_block(struct der *value, struct cert_content *out, struct refusal *why)
{
	return take_number(value, POLICY_NUMBER_MAX, &out->policy.block_mb, why);
}

static bool decode_memory(struct der *value, struct cert_content *out, struct refusal *why)
{
	if (!take_number(value, POLICY_NUMBER_MAX, &out->policy.memory_mb, why))
		return false;
	out->vm.memory_mb = out->policy.memory_mb;
	return true;
}

static bool decode_cpuid(struct der *value, struct cert_content *out, struct refusal *why)
{
	return take_number(value, CPUS_MAX - 1, &out->vm.cpuid, why);
}

static bool decode_cpuids(struct der *value, struct cert_content *out, struct refusal *why)
{
	struct der list = der_enter(value, DER_SEQUENCE);
	while (der_more(&list)) {
		uint32_t cpu = 0;
		if (!take_number(&list, CPUS_MAX - 1, &cpu, why))
			return false;
		cpuset_add(&out->policy.cpus, cpu);
	}
	return true;
}

static bool take_bridge_name(struct der *in, struct bridge *out, struct refusal *why)
{
	struct der name = der_text(in);
	if (left(&name) >= sizeof(out->name))
		return refusal_say(why, "a name of %zu bytes, at most %zu are allowed", left(&name),
				   sizeof(out->name) - 1);
	memcpy(out->name, name.at, left(&name));
	return true;
}

static bool take_address(struct der *in, uint8_t out[4], struct refusal *why)
{
	struct der address = der_enter(in, DER_OCTETS);
	if (*in->problem)
		return false;
	if (left(&address) != 4)
		return refusal_say(why, "an address of %zu bytes, must be 4", left(&address));
	memcpy(out, address.at, 4);
	return true;
}

static bool take_external(struct der *choice, struct bridge *out, struct refusal *why)
{
	struct der bridge = der_enter(choice, DER_SEQUENCE);
	out->external = 1;
	if (!take_bridge_name(&bridge, out, why) || !take_address(&bridge, out->first, why) ||
	    !take_address(&bridge, out->last, why) || !take_address(&bridge, out->router, why) ||
	    !take_number(&bridge, 32, &out->prefix, why))
		return false;
	der_end(&bridge);
	return true;
}

static bool decode_bridges(struct der *value, struct cert_content *out, struct refusal *why)
{
	struct der list = der_enter(value, DER_SEQUENCE);
	while (der_more(&list)) {
		struct bridge bridge = {0};
		bool internal = der_is(&list, DER_EXPLICIT(0));
		struct der choice = der_enter(&list, DER_EXPLICIT(internal ? 0 : 1));
		bool taken = internal ? take_bridge_name(&choice, &bridge, why)
				      : take_external(&choice, &bridge, why);
		if (!taken)
			return false;
		der_end(&choice);
		if (*value->problem || !bridge_check(&bridge, why) ||
		    !policy_add_bridge(&out->policy, &bridge, why))
			return false;
	}
	return true;
}

/* Splits TEXT of LEN bytes, "[DEVICE:]REST": the device into DEVICE, what REST is stays in TEXT. */
static bool split_device(const char **text, size_t *len, char device[DEVICE_SIZE],
			 struct refusal *why)
{
	const char *colon = memchr(*text, ':', *len);
	if (!colon)
		return true;
	size_t size = (size_t)(colon - *text);
	if (size == 0 || size >= DEVICE_SIZE)
		return refusal_say(why, "a device name of %zu bytes, must be 1 to %d", size,
				   DEVICE_SIZE - 1);
	memcpy(device, *text, size);
	if (strspn(device, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") !=
	    size)
		return refusal_say(why, "a device name that is not letters and digits");
	*text += size + 1;
	*len -= size + 1;
	return true;
}

static bool add_net(struct vm_config *vm, const char *text, size_t len, struct refusal *why)
{
	struct net_spec *net = &vm->net[vm->nnets];
	struct bridge name = {0};
	if (vm->nnets == DEVICES_MAX)
		return refusal_say(why, "more than %d devices", DEVICES_MAX);
	if (!split_device(&text, &len, net->device, why))
		return false;
	if (len < sizeof(name.name))
		memcpy(name.name, text, len);
	if (!bridge_check(&name, why)) /* too long a name is an empty one here, and refused too */
		return false;
	memcpy(net->bridge, name.name, sizeof(net->bridge));
	for (uint32_t i = 0; net->device[0] && i < vm->nnets; i++)
		if (strcmp(vm->net[i].device, net->device) == 0)
			return refusal_say(why, "device %s is named twice", net->device);
	vm->nnets++;
	return true;
}

static bool decode_network(struct der *value, struct cert_content *out, struct refusal *why)
{
	struct der list = der_enter(value, DER_SEQUENCE);
	while (der_more(&list)) {
		struct der item = der_text(&list);
		if (*value->problem || !add_net(&out->vm, (const char *)item.at, left(&item), why))
			return false;
	}
	return true;
}

static bool add_block(struct vm_config *vm, const char *text, size_t len, struct refusal *why)
{
	struct block_spec *block = &vm->block[vm->nblocks];
	if (vm->nblocks == DEVICES_MAX)
		return refusal_say(why, "more than %d devices", DEVICES_MAX);
	if (!split_device(&text, &len, block->device, why))
		return false;
	const char *problem = volume_name_problem(text, len);
	if (problem)
		return refusal_say(why, "a volume's name %s", problem);
	memcpy(block->volume, text, len);
	for (uint32_t i = 0; i < vm->nblocks; i++) {
		if (block->device[0] && strcmp(vm->block[i].device, block->device) == 0)
			return refusal_say(why, "device %s is named twice", block->device);
		if (strcmp(vm->block[i].volume, block->volume) == 0)
			return refusal_say(why, "volume %s is named twice", block->volume);
	}
	vm->nblocks++;
	return true;
}

static bool decode_block_device(struct der *value, struct cert_content *out, struct refusal *why)
{
	struct der list = der_text(value);
	const char *text = (const char *)list.at, *end = (const char *)list.end;
	if (*value->problem)
		return false;
	for (;;) {
		const char *comma = memchr(text, ',', (size_t)(end - text));
		const char *stop = comma ? comma : end;
		if (!add_block(&out->vm, text, (size_t)(stop - text), why))
			return false;
		if (!comma)
			return true;
		text = comma + 1;
	}
}

static bool decode_argv(struct der *value, struct cert_content *out, struct refusal *why)
{
	struct der list = der_enter(value, DER_SEQUENCE);
	while (der_more(&list)) {
		char text[ARGV_SIZE];
		struct der item = der_text(&list);
		if (*value->problem)
			return false;
		if (left(&item) >= sizeof(text))
			return refusal_say(why, "longer than %d bytes", ARGV_SIZE);
		memcpy(text, item.at, left(&item));
		text[left(&item)] = '\0';
		if (strings_add(&out->vm.argv, text) < 0)
			return refusal_say(why, "longer than %d bytes or %d arguments", ARGV_SIZE,
					   ARGV_COUNT_MAX);
	}
	return true;
}

static bool take_size(struct der *in, const char *what, uint64_t *out, struct refusal *why)
{
	*out = der_number(in);
	if (*in->problem)
		return false;
	if (*out == 0 || *out > IMAGE_SIZE_MAX)
		return refusal_say(why, "%s %" PRIu64 ", must be 1 to %" PRIu64, what, *out,
				   IMAGE_SIZE_MAX);
	return true;
}

static bool take_compression(struct der *in, struct image *out, struct refusal *why)
{
	uint64_t compression = der_number(in);
	if (compression > COMPRESSION_ZSTD)
		return refusal_say(why, "unknown compression %" PRIu64 ", 0 is none, 1 is zstd",
				   compression);
	out->compression = (uint32_t)compression;
	return true;
}

static bool check_inflated(const struct image *image, struct refusal *why)
{
	if (image->compression == COMPRESSION_NONE && image->inflated != image->size)
		return refusal_say(why,
				   "not compressed, but %" PRIu64 " bytes become %" PRIu64 " bytes",
				   image->size, image->inflated);
	return true;
}

/* The bytes themselves, which stay where they are. */
static bool take_bytes(struct der *in, struct cert_content *out, struct refusal *why)
{
	struct der bytes = der_enter(in, DER_OCTETS);
	if (*in->problem)
		return false;
	if (left(&bytes) == 0)
		return refusal_say(why, "is empty");
	out->image = bytes.at;
	out->vm.image.size = left(&bytes);
	return true;
}

static bool take_embedded(struct der *choice, struct cert_content *out, struct refusal *why)
{
	if (!take_bytes(choice, out, why))
		return false;
	out->vm.image.form = IMAGE_EMBEDDED;
	out->vm.image.compression = COMPRESSION_NONE;
	out->vm.image.inflated = out->vm.image.size;
	return true;
}

static bool take_detached(struct der *choice, struct cert_content *out, struct refusal *why)
{
	struct image *image = &out->vm.image;
	struct der fields = der_enter(choice, DER_SEQUENCE);
	struct der digest = der_enter(&fields, DER_OCTETS);
	if (*choice->problem)
		return false;
	if (left(&digest) != DIGEST_SIZE)
		return refusal_say(why, "a digest of %zu bytes, must be %d", left(&digest),
				   DIGEST_SIZE);
	memcpy(image->sha256, digest.at, DIGEST_SIZE);
	image->form = IMAGE_DETACHED;
	if (!take_size(&fields, "size", &image->size, why) ||
	    !take_compression(&fields, image, why) ||
	    !take_size(&fields, "inflated size", &image->inflated, why))
		return false;
	der_end(&fields);
	return check_inflated(image, why);
}

static bool take_compressed(struct der *choice, struct cert_content *out, struct refusal *why)
{
	struct image *image = &out->vm.image;
	struct der fields = der_enter(choice, DER_SEQUENCE);
	if (!take_size(&fields, "inflated size", &image->inflated, why) ||
	    !take_compression(&fields, image, why) || !take_bytes(&fields, out, why))
		return false;
	image->form = IMAGE_COMPRESSED;
	der_end(&fields);
	return check_inflated(image, why);
}

static bool decode_image(struct der *value, struct cert_content *out, struct refusal *why)
{
	static const struct {
		uint8_t choice;
		enum image_arch arch;
		bool (*take)(struct der *, struct cert_content *, struct refusal *);
	} choices[] = {
	    {0, ARCH_AMD64, take_embedded},
	    {1, ARCH_ARM64, take_embedded},
	    {3, ARCH_AMD64, take_detached},
	    {4, ARCH_AMD64, take_compressed},
	};
	for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
		if (!der_is(value, DER_EXPLICIT(choices[i].choice)))
			continue;
		struct der choice = der_enter(value, DER_EXPLICIT(choices[i].choice));
		if (!choices[i].take(&choice, out, why))
			return false;
		out->vm.image.arch = choices[i].arch;
		der_end(&choice);
		return true;
	}
	if (der_is(value, DER_EXPLICIT(IMAGE_DEFLATE)))
		return refusal_say(why, "compressed with deflate ([2]), which is not supported: "
					"sign the image as it is, uncompressed");
	return refusal_say(why, "neither embedded ([0], [1]), detached ([3]) nor compressed ([4])");
}

/* Bit N of the BIT STRING, the first one the most significant, is 1 << N. */
static bool decode_permissions(struct der *value, struct cert_content *out, struct refusal *why)
{
	struct der bits = der_enter(value, DER_BIT_STRING);
	if (*value->problem)
		return false;
	uint8_t unused = left(&bits) > 0 ? *bits.at : 8;
	size_t size = left(&bits) > 0 ? left(&bits) - 1 : 0;
	const uint8_t *byte = bits.at + 1;
	if (unused > 7 || (size == 0 && unused != 0))
		return refusal_say(why, "a bit string with a wrong count of unused bits");
	if (size > 0 && (byte[size - 1] & ((1u << unused) - 1)) != 0)
		return refusal_say(why, "a bit string with unused bits that are not zero");
	for (size_t n = 0; n < 8 * size; n++) {
		if (!(byte[n / 8] & (0x80u >> (n % 8))))
			continue;
		if (n >= 32 || !permission_name(UINT32_C(1) << n))
			return refusal_say(why, "unknown permission %zu", n);
		out->permissions |= UINT32_C(1) << n;
	}
	return true;
}

/* Only its frame: who reads revocation lists reads this one. */
static bool decode_crl(struct der *value, struct cert_content *out, struct refusal *why)
{
	(void)why;
	out->crl = value->at;
	out->crl_size = left(value);
	(void)der_enter(value, DER_SEQUENCE);
	return true;
}

static const struct {
	enum cert_arc arc;
	const char *name;
	bool (*decode)(struct der *value, struct cert_content *out, struct refusal *why);
} rows[] = {
    {ARC_VERSION, "version", decode_version},
    {ARC_VMS, "vms", decode_vms},
    {ARC_BRIDGES, "bridges", decode_bridges},
    {ARC_BLOCK, "block", decode_block},
    {ARC_CPUIDS, "cpuids", decode_cpuids},
    {ARC_MEMORY, "memory", decode_memory},
    {ARC_CPUID, "cpuid", decode_cpuid},
    {ARC_NETWORK, "network", decode_network},
    {ARC_BLOCK_DEVICE, "block device", decode_block_device},
    {ARC_IMAGE, "image", decode_image},
    {ARC_ARGV, "argv", decode_argv},
    {ARC_PERMISSIONS, "permissions", decode_permissions},
    {ARC_CRL, "crl", decode_crl},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

const char *cert_arc_name(int arc)
{
	for (size_t i = 0; i < ROWS; i++)
		if ((int)rows[i].arc == arc)
			return rows[i].name;
	return NULL;
}

/* The value of extension N of the table. */
static bool decode_value(size_t n, const ASN1_OCTET_STRING *data, struct cert_content *out,
			 struct refusal *why)
{
	const char *problem;
	struct refusal detail = {0};
	struct der value = der_init(ASN1_STRING_get0_data(data), (size_t)ASN1_STRING_length(data),
				    &problem);
	if (rows[n].decode(&value, out, &detail))
		der_end(&value);
	else if (!problem)
		return refusal_say(why, "%s: %s", rows[n].name, detail.text);
	if (problem)
		return refusal_say(why, "%s: %s", rows[n].name, problem);
	return true;
}

static bool decode_extension(X509_EXTENSION *ext, int arc, struct cert_content *out,
			     struct refusal *why)
{
	size_t n = 0;
	while (n < ROWS && (int)rows[n].arc != arc)
		n++;
	if (n == ROWS)
		return refusal_say(why, "1.3.6.1.4.1.49836.42.%d: there is no such extension", arc);
	if (X509_EXTENSION_get_critical(ext))
		return refusal_say(why, "%s: is marked critical, must not be", rows[n].name);
	if (out->present & UINT64_C(1) << arc)
		return refusal_say(why, "%s: is there twice", rows[n].name);
	out->present |= UINT64_C(1) << arc;
	return decode_value(n, X509_EXTENSION_get_data(ext), out, why);
}

bool cert_decode(const STACK_OF(X509_EXTENSION) * exts, struct cert_content *out,
		 struct refusal *why)
{
	*out = (struct cert_content){0};
	for (int i = 0; i < sk_X509_EXTENSION_num(exts); i++) {
		X509_EXTENSION *ext = sk_X509_EXTENSION_value(exts, i);
		int arc = cert_arc(X509_EXTENSION_get_object(ext));
		if (arc >= 0 && !decode_extension(ext, arc, out, why))
			return false;
	}
	return true;
}
