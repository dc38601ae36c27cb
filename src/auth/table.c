/* The format of a stored revocation list, see table.h. */
#include "table.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC	   "vmm-revoked\n"
#define MAGIC_SIZE 12
#define FORMAT	   1

/* Bytes alone: the same on every machine. Numbers are little-endian but the list's. */
struct header {
	uint8_t magic[MAGIC_SIZE];
	uint8_t format[4];
	uint8_t key[DIGEST_SIZE];
	uint8_t number[CRL_NUMBER_SIZE];
	uint8_t count[4];
	uint8_t depth[4];
	struct node node[PATH_DEPTH_MAX];
};

static void put32(uint8_t out[4], uint32_t value)
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(value >> (8 * i));
}

static uint32_t get32(const uint8_t in[4])
{
	return (uint32_t)in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16 |
	       (uint32_t)in[3] << 24;
}

void table_id(const struct path *scope, const uint8_t key[DIGEST_SIZE], uint8_t out[DIGEST_SIZE])
{
	uint8_t all[PATH_DEPTH_MAX * LABEL_SIZE + DIGEST_SIZE], *at = all;

	for (uint32_t i = 0; i < scope->depth; i++, at += LABEL_SIZE)
		memcpy(at, scope->node[i].label.byte, LABEL_SIZE);
	memcpy(at, key, DIGEST_SIZE);
	SHA256(all, (size_t)(at - all) + DIGEST_SIZE, out);
}

void table_name(const uint8_t id[DIGEST_SIZE], char out[TABLE_NAME_SIZE])
{
	struct label label;

	memcpy(label.byte, id, LABEL_SIZE);
	label_format(&label, LABEL_DIGITS_MAX, out);
}

static size_t size_of(uint32_t count)
{
	return sizeof(struct header) + (size_t)count * LABEL_SIZE + SHA256_DIGEST_LENGTH;
}

static void header_make(const struct path *scope, const uint8_t key[DIGEST_SIZE],
			const struct crl *list, struct header *out)
{
	memset(out, 0, sizeof(*out));
	memcpy(out->magic, MAGIC, MAGIC_SIZE);
	put32(out->format, FORMAT);
	memcpy(out->key, key, DIGEST_SIZE);
	memcpy(out->number, list->number, CRL_NUMBER_SIZE);
	put32(out->count, list->count);
	put32(out->depth, scope->depth);
	for (uint32_t i = 0; i < scope->depth; i++) {
		out->node[i].label = scope->node[i].label;
		/* What is behind a name is not stored. */
		(void)snprintf(out->node[i].name, NAME_SIZE, "%s", scope->node[i].name);
	}
}

bool table_make(const struct path *scope, const uint8_t key[DIGEST_SIZE], const struct crl *list,
		struct table *out)
{
	size_t size = size_of(list->count), before = size - SHA256_DIGEST_LENGTH;
	uint8_t *bytes = malloc(size);
	struct refusal why;

	if (!bytes)
		return false;
	header_make(scope, key, list, (struct header *)bytes);
	if (list->count > 0)
		memcpy(bytes + sizeof(struct header), list->label,
		       (size_t)list->count * LABEL_SIZE);
	SHA256(bytes, before, bytes + before);
	return table_open(bytes, size, out, &why);
}

static bool node_good(const struct node *node)
{
	size_t len = strnlen(node->name, NAME_SIZE);

	return len < NAME_SIZE && !name_problem(node->name, len);
}

static bool labels_sorted(const struct label *label, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++)
		if (memcmp(&label[i - 1], &label[i], LABEL_SIZE) >= 0)
			return false;
	return true;
}

/* OUT has bytes and size; fills in the rest. */
static bool header_read(struct table *out, struct refusal *why)
{
	const struct header *header = (const struct header *)out->bytes;
	uint32_t depth;

	if (out->size < size_of(0) || memcmp(header->magic, MAGIC, MAGIC_SIZE) != 0)
		return refusal_say(why, "is no revocation list");
	if (get32(header->format) != FORMAT)
		return refusal_say(why, "is in format %u, this version of vmm knows %d",
				   get32(header->format), FORMAT);
	out->count = get32(header->count);
	if (out->count > (out->size - size_of(0)) / LABEL_SIZE || out->size != size_of(out->count))
		return refusal_say(why, "has %zu bytes, must have %zu", out->size,
				   size_of(out->count));
	depth = get32(header->depth);
	if (depth >= PATH_DEPTH_MAX)
		return refusal_say(why, "is of an issuer %u levels deep", depth);
	out->scope.depth = depth;
	memcpy(out->scope.node, header->node, depth * sizeof(header->node[0]));
	for (uint32_t i = 0; i < depth; i++)
		if (!node_good(&out->scope.node[i]))
			return refusal_say(why, "is of an issuer whose path has a name that is "
						"none");
	memcpy(out->key, header->key, DIGEST_SIZE);
	memcpy(out->number, header->number, CRL_NUMBER_SIZE);
	return true;
}

bool table_open(uint8_t *bytes, size_t size, struct table *out, struct refusal *why)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	bool good;

	*out = (struct table){.bytes = bytes, .size = size};
	good = header_read(out, why);
	if (good) {
		out->label = (const struct label *)(bytes + sizeof(struct header));
		SHA256(bytes, size - sizeof(digest), digest);
		good = (memcmp(digest, bytes + size - sizeof(digest), sizeof(digest)) == 0 &&
			labels_sorted(out->label, out->count)) ||
		       refusal_say(why, "is damaged: its checksum does not fit");
	}
	if (good)
		table_id(&out->scope, out->key, out->id);
	else
		table_free(out);
	return good;
}

void table_free(struct table *table)
{
	free(table->bytes);
	*table = (struct table){0};
}

static int labels_compare(const void *a, const void *b)
{
	return memcmp(a, b, LABEL_SIZE);
}

bool table_holds(const struct table *table, const struct label *label)
{
	return table->count > 0 &&
	       bsearch(label, table->label, table->count, sizeof(*label), labels_compare) != NULL;
}

uint64_t table_number(const struct table *table)
{
	uint64_t number = 0;

	for (size_t i = CRL_NUMBER_SIZE - sizeof(number); i < CRL_NUMBER_SIZE; i++)
		number = number << 8 | table->number[i];
	return number;
}

uint64_t table_cost(size_t size)
{
	return ((uint64_t)size + TABLE_BLOCK - 1) / TABLE_BLOCK * TABLE_BLOCK;
}
