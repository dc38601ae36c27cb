/*
 * Small helpers on the typed request: its lists of strings, the words for permissions, the paths
 * that it stands for. Decides nothing.
 */
#include "request.h"

#include <string.h>

int strings_add(struct strings *list, const char *text)
{
	size_t size = strlen(text) + 1;
	if (list->count >= ARGV_COUNT_MAX || list->size > sizeof(list->bytes) ||
	    size > sizeof(list->bytes) - list->size)
		return -1;
	memcpy(list->bytes + list->size, text, size);
	list->size += (uint32_t)size;
	list->count++;
	return 0;
}

const char *strings_next(const struct strings *list, const char *item)
{
	size_t end = list->size < sizeof(list->bytes) ? list->size : sizeof(list->bytes);
	size_t at = 0;
	if (item) {
		at = (size_t)(item - list->bytes);
		at += strnlen(item, end - at) + 1;
	}
	/* An item without its terminator is none. */
	if (at >= end || !memchr(list->bytes + at, '\0', end - at))
		return NULL;
	return list->bytes + at;
}

static const struct {
	uint32_t permission;
	const char *name;
} permissions[] = {
    {PERMIT_ALL, "all"},
    {PERMIT_INFO, "info"},
    {PERMIT_IMAGE, "image"},
    {PERMIT_BLOCK, "block"},
    {PERMIT_STATISTICS, "statistics"},
    {PERMIT_CONSOLE, "console"},
    {PERMIT_LOG, "log"},
    {PERMIT_CRL, "crl"},
    {PERMIT_FORCE_CREATE, "force-create"},
};

#define PERMISSIONS (sizeof(permissions) / sizeof(permissions[0]))

const char *permission_name(uint32_t permission)
{
	for (size_t i = 0; i < PERMISSIONS; i++)
		if (permissions[i].permission == permission)
			return permissions[i].name;
	return NULL;
}

uint32_t permission_parse(const char *word)
{
	for (size_t i = 0; i < PERMISSIONS; i++)
		if (strcmp(permissions[i].name, word) == 0)
			return permissions[i].permission;
	return 0;
}

void request_scope(const struct request *request, struct path *out)
{
	*out = (struct path){0};
	for (uint32_t i = 0; i < request->depth && i < LEVELS_MAX; i++)
		out->node[out->depth++] = request->level[i].node;
}

void request_path(const struct request *request, struct path *out)
{
	request_scope(request, out);
	out->node[out->depth++] = request->leaf;
}
