/*
 * Names of GET / and GET /vms. A refusal is no failure here: then there is nothing to complete.
 */
#include "catalog.h"

#include <stdlib.h>
#include <string.h>

static void names_drop(struct catalog *catalog)
{
	for (size_t i = 0; i < catalog->count; i++)
		free(catalog->name[i].word);
	catalog->count = 0;
}

bool catalog_quote(const char *path, char *word)
{
	bool bare = *path != '\0' && strcspn(path, " \t'\"") == strlen(path);
	const char *quote = bare ? "" : strchr(path, '\'') ? "\"" : "'";

	if (*quote && strchr(path, *quote))
		return false;
	snprintf(word, NAMES_PATH_SIZE + 2, "%s%s%s", quote, path, quote);
	return true;
}

const struct known_name *catalog_find(const struct catalog *catalog, const char *word)
{
	for (size_t i = 0; i < catalog->count; i++)
		if (strcmp(catalog->name[i].word, word) == 0)
			return &catalog->name[i];
	return NULL;
}

static bool room_for_one(struct catalog *catalog)
{
	if (catalog->count < catalog->room)
		return true;
	size_t room = catalog->room ? 2 * catalog->room : 32;
	struct known_name *name = reallocarray(catalog->name, room, sizeof(*name));
	if (!name)
		return false;
	catalog->name = name;
	catalog->room = room;
	return true;
}

static void add(struct catalog *catalog, enum known kind, bool running, const char *shown)
{
	char word[NAMES_PATH_SIZE + 2];

	if (!catalog_quote(shown, word) || catalog_find(catalog, word) || !room_for_one(catalog))
		return;
	char *copy = strdup(word);
	if (copy)
		catalog->name[catalog->count++] = (struct known_name){
		    .kind = kind, .running = running, .word = copy};
}

/* The name to show of an object with path and label; false: none that can be typed. */
static bool name_of(const json_t *object, const struct names *names, const struct output *output,
		    char shown[NAMES_PATH_SIZE])
{
	const char *path = json_string_value(json_object_get(object, "path"));
	const char *label = json_string_value(json_object_get(object, "label"));

	if (!path || !label)
		return false;
	names_show(names, path, label, shown);
	return *shown != '\0' && output_is_plain(output, shown);
}

static bool is_word(const json_t *object, const char *key, const char *word)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text && strcmp(text, word) == 0;
}

void catalog_fill(struct catalog *catalog, const struct names *names, const struct output *output,
		  const json_t *whoami, const json_t *vms)
{
	char shown[NAMES_PATH_SIZE];
	json_t *object;
	size_t i;

	names_drop(catalog);
	json_array_foreach(vms, i, object)
	{
		if (name_of(object, names, output, shown))
			add(catalog, KNOWN_VM, !is_word(object, "state", "ended"), shown);
	}
	json_array_foreach(json_object_get(whoami, "delegations"), i, object)
	{
		if (is_word(object, "relation", "below") && name_of(object, names, output, shown))
			add(catalog, KNOWN_DELEGATION, false, shown);
	}
}

static json_t *answer_of(const struct exchange *exchange)
{
	if (exchange->status != 200 || !exchange->complete || !exchange->body)
		return NULL;
	return json_loadb(exchange->body, exchange->size, JSON_ALLOW_NUL, NULL);
}

static void ask(struct session *session, struct exchange *exchange, const char *path)
{
	if (!session_send(session, exchange, "GET", path))
		exchange->over = true;
}

void catalog_turn(struct catalog *catalog, struct session *session, const struct names *names,
		  const struct output *output)
{
	if (catalog->asking && catalog->whoami.over && catalog->vms.over) {
		json_t *whoami = answer_of(&catalog->whoami), *vms = answer_of(&catalog->vms);
		catalog_fill(catalog, names, output, whoami, vms);
		json_decref(whoami);
		json_decref(vms);
		catalog->asking = false;
	}
	if (catalog->asking || !catalog->stale || !catalog->may_ask)
		return;
	catalog->stale = false;
	catalog->asking = true;
	ask(session, &catalog->whoami, "/");
	ask(session, &catalog->vms, "/vms");
}

void catalog_free(struct catalog *catalog)
{
	names_drop(catalog);
	free(catalog->name);
	exchange_free(&catalog->whoami);
	exchange_free(&catalog->vms);
}
