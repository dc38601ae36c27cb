/*
 * Candidates, counted through: N is small, and so are they.
 */
#include "complete.h"

#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "stream.h"

/* What is asked: candidate number LEFT of those that START begins. */
struct search {
	const char *start;
	size_t left;
};

/* A name may be typed with its quotes or without. */
static const char *offer(struct search *search, const char *word)
{
	size_t len = strlen(search->start);
	bool quoted = *word == '\'' || *word == '"';

	if (strncmp(word, search->start, len) != 0 &&
	    !(quoted && strncmp(word + 1, search->start, len) == 0))
		return NULL;
	return search->left-- == 0 ? word : NULL;
}

static const char *offer_command(struct search *search)
{
	for (const struct command *command = commands; command->name; command++)
		if (offer(search, command->name))
			return command->name;
	return NULL;
}

static bool is_fit(const struct known_name *name, enum completes completes)
{
	switch (completes) {
	case COMPLETES_VOLUME:
		return name->kind != KNOWN_VM;
	case COMPLETES_ANY:
		return name->kind != KNOWN_VOLUME;
	case COMPLETES_ANY_RUNNING:
		return name->kind == KNOWN_DELEGATION || name->running;
	case COMPLETES_VM:
		return name->kind == KNOWN_VM;
	default:
		return name->running;
	}
}

static const char *offer_known(struct search *search, const struct catalog *catalog,
			       enum completes completes)
{
	for (size_t i = 0; i < catalog->count; i++) {
		const struct known_name *name = &catalog->name[i];
		if (is_fit(name, completes) && offer(search, name->word))
			return name->word;
	}
	return NULL;
}

/* WORD is on loan until the next one. */
static const char *quoted(const char *name)
{
	static char word[NAMES_PATH_SIZE + 2];
	return catalog_quote(name, word) ? word : NULL;
}

/* What the server has told of itself is not said twice. */
static const char *offer_db(struct search *search, const struct client *client)
{
	const struct db *db = &client->names.db;

	for (size_t i = 0; i < db->count; i++) {
		const char *word = quoted(db->entry[i].name);
		if (word && output_is_plain(&client->out, word) &&
		    !catalog_find(&client->catalog, word) && offer(search, word))
			return word;
	}
	return NULL;
}

static const char *offer_attached(struct search *search, const struct client *client)
{
	for (const struct stream *stream = client->streams; stream; stream = stream->next) {
		const char *word = quoted(stream->name);
		if (stream->kind == STREAM_CONSOLE && word && offer(search, word))
			return word;
	}
	return NULL;
}

static const char *offer_name(struct search *search, const struct client *client,
			      enum completes completes)
{
	if (completes == COMPLETES_NOTHING)
		return NULL;
	if (completes == COMPLETES_ATTACHED)
		return offer_attached(search, client);
	const char *word = offer_known(search, &client->catalog, completes);
	/* A .db has no volumes. */
	return word || completes == COMPLETES_VOLUME ? word : offer_db(search, client);
}

/* The command of a line that has begun; NULL: none. */
static const struct command *command_of(const char *line)
{
	size_t len = strcspn(line, " \t");
	char *name = strndup(line, len);
	const struct command *command = name ? command_find(name) : NULL;

	free(name);
	return command;
}

/* Whether LINE has a word behind the command's. */
static bool has_argument(const char *line)
{
	line += strcspn(line, " \t");
	return line[strspn(line, " \t")] != '\0';
}

const char *complete_word(void *arg, const char *line, const char *start, size_t n)
{
	struct client *client = arg;
	struct search search = {.start = start, .left = n};

	line += strspn(line, " \t");
	if (*line == '\0')
		return offer_command(&search);
	const struct command *command = command_of(line);
	if (!command)
		return NULL;
	client->catalog.stale = true; /* for the next time */
	if (command->completes == COMPLETES_VOLUME && has_argument(line))
		return NULL;
	if (*start == '-')
		return command->option ? offer(&search, command->option) : NULL;
	return offer_name(&search, client, command->completes);
}
