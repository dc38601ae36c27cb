/*
 * Our extensions to DER, the inverse of cert_decode.c: the exact bytes of doc/certificates.md.
 * Decides nothing about what may be asked or granted.
 */
#include <stdlib.h>
#include <string.h>

#include "cert.h"
#include "der.h"

/* More than any extension but image and revocation list needs. */
#define SMALL_MAX 32768

static void encode_version(const struct cert_content *content, struct der_out *out)
{
	(void)content;
	der_put_number(out, 0);
}

static void encode_vms(const struct cert_content *content, struct der_out *out)
{
	der_put_number(out, content->policy.vms);
}

static void encode_block(const struct cert_content *content, struct der_out *out)
{
	der_put_number(out, content->policy.block_mb);
}

/* One arc, two places: policy's in a delegation, the VM's in a VM certificate. */
static void encode_memory(const struct cert_content *content, struct der_out *out)
{
	bool vm = content->present & UINT64_C(1) << ARC_CPUID;
	der_put_number(out, vm ? content->vm.memory_mb : content->policy.memory_mb);
}

static void encode_cpuid(const struct cert_content *content, struct der_out *out)
{
	der_put_number(out, content->vm.cpuid);
}

static void encode_cpuids(const struct cert_content *content, struct der_out *out)
{
	for (unsigned cpu = 0; cpu < CPUS_MAX; cpu++)
		if (cpuset_has(&content->policy.cpus, cpu))
			der_put_number(out, cpu);
	der_wrap(out, 0, DER_SEQUENCE);
}

static void put_text(struct der_out *out, const char *text)
{
	der_put(out, DER_UTF8, text, strlen(text));
}

static void put_bridge(struct der_out *out, const struct bridge *bridge)
{
	size_t start = out->size;
	put_text(out, bridge->name);
	if (bridge->external) {
		der_put(out, DER_OCTETS, bridge->first, 4);
		der_put(out, DER_OCTETS, bridge->last, 4);
		der_put(out, DER_OCTETS, bridge->router, 4);
		der_put_number(out, bridge->prefix);
		der_wrap(out, start, DER_SEQUENCE);
	}
	der_wrap(out, start, DER_EXPLICIT(bridge->external ? 1 : 0));
}

static void encode_bridges(const struct cert_content *content, struct der_out *out)
{
	for (uint32_t i = 0; i < content->policy.nbridges; i++)
		put_bridge(out, &content->policy.bridge[i]);
	der_wrap(out, 0, DER_SEQUENCE);
}

/* "[DEVICE:]NAME" into TEXT. */
static size_t device_text(char *text, size_t size, const char *device, const char *name)
{
	return (size_t)snprintf(text, size, "%s%s%s", device, device[0] ? ":" : "", name);
}

static void encode_network(const struct cert_content *content, struct der_out *out)
{
	for (uint32_t i = 0; i < content->vm.nnets; i++) {
		const struct net_spec *net = &content->vm.net[i];
		char text[DEVICE_SIZE + BRIDGE_NAME_SIZE];
		device_text(text, sizeof(text), net->device, net->bridge);
		put_text(out, text);
	}
	der_wrap(out, 0, DER_SEQUENCE);
}

static void encode_block_device(const struct cert_content *content, struct der_out *out)
{
	char text[DEVICES_MAX * (DEVICE_SIZE + NAME_SIZE)] = "";
	size_t size = 0;
	for (uint32_t i = 0; i < content->vm.nblocks && i < DEVICES_MAX; i++) {
		const struct block_spec *block = &content->vm.block[i];
		if (i > 0)
			text[size++] = ',';
		size += device_text(text + size, sizeof(text) - size, block->device, block->volume);
	}
	der_put(out, DER_UTF8, text, size);
}

static void encode_argv(const struct cert_content *content, struct der_out *out)
{
	const struct strings *argv = &content->vm.argv;
	for (const char *arg = strings_next(argv, NULL); arg; arg = strings_next(argv, arg))
		put_text(out, arg);
	der_wrap(out, 0, DER_SEQUENCE);
}

static void encode_image(const struct cert_content *content, struct der_out *out)
{
	const struct image *image = &content->vm.image;
	switch ((enum image_form)image->form) {
	case IMAGE_EMBEDDED:
		der_put(out, DER_OCTETS, content->image, image->size);
		der_wrap(out, 0, DER_EXPLICIT(image->arch == ARCH_ARM64 ? 1 : 0));
		return;
	case IMAGE_DETACHED:
		der_put(out, DER_OCTETS, image->sha256, DIGEST_SIZE);
		der_put_number(out, image->size);
		der_put_number(out, image->compression);
		der_put_number(out, image->inflated);
		der_wrap(out, 0, DER_SEQUENCE);
		der_wrap(out, 0, DER_EXPLICIT(3));
		return;
	case IMAGE_COMPRESSED:
		der_put_number(out, image->inflated);
		der_put_number(out, image->compression);
		der_put(out, DER_OCTETS, content->image, image->size);
		der_wrap(out, 0, DER_SEQUENCE);
		der_wrap(out, 0, DER_EXPLICIT(4));
		return;
	}
	out->failed = true;
}

/* Trimmed: no trailing zero bit. */
static void encode_permissions(const struct cert_content *content, struct der_out *out)
{
	uint8_t bits[1 + 4] = {0};
	size_t size = 1;
	for (unsigned n = 0; n < 32; n++) {
		if (!(content->permissions & UINT32_C(1) << n))
			continue;
		bits[1 + n / 8] |= (uint8_t)(0x80u >> (n % 8));
		bits[0] = (uint8_t)(7 - n % 8);
		size = 2 + n / 8;
	}
	der_put(out, DER_BIT_STRING, bits, size);
}

/* It is DER already. */
static void encode_crl(const struct cert_content *content, struct der_out *out)
{
	if (content->crl_size > out->room) {
		out->failed = true;
		return;
	}
	memcpy(out->bytes, content->crl, content->crl_size);
	out->size = content->crl_size;
}

static const struct {
	enum cert_arc arc;
	void (*encode)(const struct cert_content *content, struct der_out *out);
} rows[] = {
    {ARC_VERSION, encode_version},
    {ARC_VMS, encode_vms},
    {ARC_BRIDGES, encode_bridges},
    {ARC_BLOCK, encode_block},
    {ARC_CPUIDS, encode_cpuids},
    {ARC_MEMORY, encode_memory},
    {ARC_CPUID, encode_cpuid},
    {ARC_NETWORK, encode_network},
    {ARC_BLOCK_DEVICE, encode_block_device},
    {ARC_IMAGE, encode_image},
    {ARC_ARGV, encode_argv},
    {ARC_PERMISSIONS, encode_permissions},
    {ARC_CRL, encode_crl},
};

/* An extension of VALUE, or NULL. */
static X509_EXTENSION *extension_make(enum cert_arc arc, const struct der_out *value)
{
	char oid[32];
	X509_EXTENSION *ext = NULL;
	snprintf(oid, sizeof(oid), "1.3.6.1.4.1.49836.42.%d", (int)arc);
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
	if (object && octets && ASN1_OCTET_STRING_set(octets, value->bytes, (int)value->size))
		ext = X509_EXTENSION_create_by_OBJ(NULL, object, 0, octets);
	ASN1_OBJECT_free(object);
	ASN1_OCTET_STRING_free(octets);
	return ext;
}

static bool append(STACK_OF(X509_EXTENSION) * exts, X509_EXTENSION *ext)
{
	if (ext && sk_X509_EXTENSION_push(exts, ext) > 0)
		return true;
	X509_EXTENSION_free(ext);
	return false;
}

bool cert_encode(const struct cert_content *content, STACK_OF(X509_EXTENSION) * *exts,
		 struct refusal *why)
{
	size_t image = content->image ? content->vm.image.size : 0;
	struct der_out out = {.room = SMALL_MAX + image + content->crl_size};
	bool ok = out.room <= SMALL_MAX + CERT_MESSAGE_MAX;
	if (!ok)
		return refusal_say(why, "image: %zu bytes do not fit into a certificate", image);
	out.bytes = malloc(out.room);
	if (!*exts)
		*exts = sk_X509_EXTENSION_new_null();
	ok = out.bytes && *exts;
	for (size_t i = 0; ok && i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!(content->present & UINT64_C(1) << rows[i].arc))
			continue;
		out.size = 0;
		rows[i].encode(content, &out);
		ok = !out.failed && append(*exts, extension_make(rows[i].arc, &out));
	}
	free(out.bytes);
	return ok || refusal_say(why, "cannot encode the extensions: out of memory");
}
