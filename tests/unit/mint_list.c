/* Revocation lists for tests; see mint_list.h. */
#include "mint_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "der.h"

#define ROOM	     (20u << 20)
#define ECDSA_SHA256 "300a06082a8648ce3d040302"
#define ENTRY_SIZE   27 /* of the counted ones */

static unsigned nibble(char digit)
{
	const char *digits = "0123456789abcdef", *at = strchr(digits, digit);
	assert_true(digit && at);
	return (unsigned)(at - digits);
}

static void put_hex(struct der_out *out, const char *hex)
{
	while (*hex) {
		if (*hex == ' ') {
			hex++;
			continue;
		}
		assert_true(out->size < out->room);
		out->bytes[out->size++] = (uint8_t)(nibble(hex[0]) << 4 | nibble(hex[1]));
		hex += 2;
	}
}

static void put_counted(struct der_out *out, size_t count)
{
	for (size_t i = count; i-- > 0;) {
		uint8_t *at = out->bytes + out->size;
		assert_true(out->size + ENTRY_SIZE <= out->room);
		if (i + 1 == count)
			put_hex(out, "301902080100000000000000" LIST_TIME);
		else
			memcpy(at, at - ENTRY_SIZE, ENTRY_SIZE);
		out->size = (size_t)(at - out->bytes) + ENTRY_SIZE;
		for (int byte = 0; byte < 4; byte++)
			at[8 + byte] = (uint8_t)(i >> (24 - 8 * byte));
	}
}

static void put_tbs(struct der_out *out, const struct minted *issuer,
		    const struct list_parts *parts)
{
	uint8_t *name = NULL;
	int size = i2d_X509_NAME(X509_get_subject_name(issuer->cert), &name);
	put_hex(out, parts->version ? parts->version : "020101");
	put_hex(out, parts->algorithm ? parts->algorithm : ECDSA_SHA256);
	memcpy(out->bytes + out->size, name, (size_t)size);
	out->size += (size_t)size;
	OPENSSL_free(name);
	put_hex(out, parts->dates ? parts->dates : LIST_TIME);
	size_t start = out->size;
	if (parts->entries)
		put_hex(out, parts->entries);
	put_counted(out, parts->count);
	if (parts->entries || parts->count > 0)
		der_wrap(out, start, DER_SEQUENCE);
	start = out->size;
	put_hex(out, parts->extensions ? parts->extensions : LIST_NUMBER("07"));
	if (out->size > start) {
		der_wrap(out, start, DER_SEQUENCE);
		der_wrap(out, start, DER_EXPLICIT(0));
	}
	der_wrap(out, 0, DER_SEQUENCE);
}

static void put_signature(struct der_out *out, EVP_PKEY *key, bool spoiled)
{
	uint8_t signature[1 + 512] = {0};
	size_t size = sizeof(signature) - 1;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
	assert_int_equal(EVP_DigestSign(ctx, signature + 1, &size, out->bytes, out->size), 1);
	EVP_MD_CTX_free(ctx);
	if (spoiled)
		out->bytes[out->size - 1] ^= 1;
	der_put(out, DER_BIT_STRING, signature, 1 + size);
}

uint8_t *mint_list(const struct minted *issuer, const struct list_parts *parts, size_t *size)
{
	struct der_out out = {.bytes = malloc(ROOM), .room = ROOM};
	assert_non_null(out.bytes);
	put_tbs(&out, issuer, parts);
	size_t tbs = out.size;
	put_signature(&out, issuer->key, parts->spoiled);
	/* The algorithm goes between the two. */
	struct der_out algorithm = {.bytes = out.bytes + out.size, .room = 64};
	const char *outer = parts->outer_algorithm ? parts->outer_algorithm : parts->algorithm;
	put_hex(&algorithm, outer ? outer : ECDSA_SHA256);
	uint8_t copy[64];
	memcpy(copy, algorithm.bytes, algorithm.size);
	memmove(out.bytes + tbs + algorithm.size, out.bytes + tbs, out.size - tbs);
	memcpy(out.bytes + tbs, copy, algorithm.size);
	out.size += algorithm.size;
	der_wrap(&out, 0, DER_SEQUENCE);
	if (parts->tail)
		put_hex(&out, parts->tail);
	assert_false(out.failed);
	*size = out.size;
	return out.bytes;
}

uint8_t *mint_revoking(const struct minted *issuer, uint8_t number, X509 *const *cert, size_t *size)
{
	char entries[1024] = "", extension[64];
	for (; *cert; cert++) {
		uint64_t serial;
		size_t used = strlen(entries);
		assert_true(ASN1_INTEGER_get_uint64(&serial, X509_get0_serialNumber(*cert)));
		assert_true(serial < 0x8000);
		snprintf(entries + used, sizeof(entries) - used, LIST_ENTRY("%04x"),
			 (unsigned)serial);
	}
	assert_true(number < 0x80);
	snprintf(extension, sizeof(extension), LIST_NUMBER("%02x"), number);
	const struct list_parts parts = {.entries = entries[0] ? entries : NULL,
					 .extensions = extension};
	return mint_list(issuer, &parts, size);
}

struct cert_content mint_revocation(const uint8_t *list, size_t size)
{
	struct cert_content content = mint_command(PERMIT_CRL);
	content.present |= UINT64_C(1) << ARC_CRL;
	content.crl = list;
	content.crl_size = size;
	return content;
}
