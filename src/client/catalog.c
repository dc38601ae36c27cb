/*
 * Names of GET /, GET /vms and GET /volumes. A refusal is no failure here: then there is nothing to
 * complete.
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

/* Whose names are read, for the sake of which output, into what. */
struct reading {
	struct catalog *catalog;
	const struct names *names;
	const struct output *output;
};

/* The name to show of an object with path and label; false: none that can be typed. */
static bool name_of(const struct reading *reading, enum known kind, const json_t *object,
		    char shown[NAMES_PATH_SIZE])
{
	const char *path = json_string_value(json_object_get(object, "path"));
	const char *label = json_string_value(json_object_get(object, "label"));

	if (!path || !label)
		return false;
	if (kind == KNOWN_VOLUME)
		names_show_volume(reading->names, path, label, shown);
	else
		names_show(reading->names, path, label, shown);
	return *shown != '\0' && output_is_plain(reading->output, shown);
}

static bool is_word(const json_t *object, const char *key, const char *word)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text && strcmp(text, word) == 0;
}

static void read_list(const struct reading *reading, enum known kind, const json_t *list)
{
	char shown[NAMES_PATH_SIZE];
	json_t *object;
	size_t i;

	json_array_foreach(list, i, object)
	{
		bool running = kind == KNOWN_VM && !is_word(object, "state", "ended");

		if (kind == KNOWN_DELEGATION && !is_word(object, "relation", "below"))
			continue;
		if (name_of(reading, kind, object, shown))
			add(reading->catalog, kind, running, shown);
	}
}

void catalog_fill(struct catalog *catalog, const struct names *names, const struct output *output,
		  const struct catalog_answers *answers)
{
	const struct reading reading = {catalog, names, output};

	names_drop(catalog);
	read_list(&reading, KNOWN_VM, answers->vms);
	read_list(&reading, KNOWN_VOLUME, answers->volumes);
	read_list(&reading, KNOWN_DELEGATION, json_object_get(answers->whoami, "delegations"));
}

static json_t *answer_of(const struct exchange *exchange)
{
	if (exchange->status != 200 || !exchange->complete || !exchange->body)
		return NULL;
	return json_loadb(exchange->body, exchange->size, JSON_ALLOW_NUL, NULL);
}

/* Without permission for it, it is not asked for. */
static void ask(struct session *session, bool may, struct exchange *exchange, const char *path)
{
	exchange->status = 0;
	if (!may || !session_send(session, exchange, "GET", path))
		exchange->over = true;
}

static void take(struct catalog *catalog, const struct names *names, const struct output *output)
{
	struct catalog_answers answers = {answer_of(&catalog->whoami), answer_of(&catalog->vms),
					  answer_of(&catalog->volumes)};

	catalog_fill(catalog, names, output, &answers);
	json_decref(answers.whoami);
	json_decref(answers.vms);
	json_decref(answers.volumes);
}

void catalog_turn(struct catalog *catalog, struct session *session, const struct names *names,
		  const struct output *output)
{
	if (catalog->asking && catalog->whoami.over && catalog->vms.over && catalog->volumes.over) {
		take(catalog, names, output);
		catalog->asking = false;
	}
	if (catalog->asking || !catalog->stale || !(catalog->may_info || catalog->may_volume))
		return;
	catalog->stale = false;
	catalog->asking = true;
	ask(session, true, &catalog->whoami, "/");
	ask(session, catalog->may_info, &catalog->vms, "/vms");
	ask(session, catalog->may_volume, &catalog->volumes, "/volumes");
}

void catalog_free(struct catalog *catalog)
{
	names_drop(catalog);
	free(catalog->name);
	exchange_free(&catalog->whoami);
	exchange_free(&catalog->vms);
	exchange_free(&catalog->volumes);
}
