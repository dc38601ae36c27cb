/* See given.h. */
#include "given.h"

#include "words.h"

#include <string.h>

#define SECTOR_MIN 512
#define SECTOR_MAX 32768 /* the largest power of two that the manifest has room for */

static bool is_name(const char *text, size_t len)
{
	if (len == 0 || len >= MFT_NAME_SIZE)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'A' && text[i] <= 'Z') ||
		      (text[i] >= 'a' && text[i] <= 'z')))
			return false;
	return true;
}

/* A new item of LIST, with its name, and what stands behind the "="; NULL: malformed. */
static struct given *add(struct given_list *list, const char *text, const char **value)
{
	struct given *item = &list->item[list->count];
	size_t len = 0;

	if (list->count == GIVEN_MAX)
		return NULL;
	*item = (struct given){.fd = -1};
	if (*text == ':') {
		len = strcspn(++text, "=");
		if (!is_name(text, len))
			return NULL;
		memcpy(item->name, text, len);
	}
	if (text[len] != '=')
		return NULL;
	*value = text + len + 1;
	list->count++;
	return item;
}

bool given_add_source(struct given_list *list, const char *text)
{
	const char *value;
	struct given *item = add(list, text, &value);

	if (item == NULL || *value == '\0')
		return false;
	item->source = value;
	return *value != '@' || parse_fd(value, '\0', &item->fd) != NULL;
}

bool given_add_mac(struct given_list *list, const char *text)
{
	const char *value;
	struct given *item = add(list, text, &value);

	return item != NULL && item->name[0] != '\0' && parse_mac(value, '\0', item->mac) != NULL;
}

bool given_add_sector(struct given_list *list, const char *text)
{
	const char *value;
	struct given *item = add(list, text, &value);
	uint64_t size;

	if (item == NULL || item->name[0] == '\0' ||
	    parse_number(value, '\0', SECTOR_MAX, &size) == NULL)
		return false;
	item->sector = (uint16_t)size;
	return size >= SECTOR_MIN && (size & (size - 1)) == 0;
}
