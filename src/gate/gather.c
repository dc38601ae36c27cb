/* Replies until their answer. */
#include "gather.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"

void gather_failed(struct exchange *x)
{
	exchange_problem(x, 503, "unavailable", "no memory for the answer; ask for less");
}

/* Texts are kept rather than values: a list of VMs is several times smaller so. */
static bool text_append(struct exchange *x, const char *text)
{
	size_t size = strlen(text);

	if (x->text_size + size > x->text_room) {
		size_t room = 2 * (x->text_size + size) + 1024;
		char *more = room > GATHER_MAX ? NULL : realloc(x->text, room);

		if (!more)
			return false;
		x->text = more;
		x->text_room = room;
	}
	memcpy(x->text + x->text_size, text, size);
	x->text_size += size;
	return true;
}

void gather_append(struct exchange *x, const char *begin, json_t *value)
{
	char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;

	if (!text || !text_append(x, x->text_size ? "," : begin) || !text_append(x, text))
		gather_failed(x);
	free(text);
	json_decref(value);
}

void gather_answer(struct exchange *x, const char *begin, const char *end)
{
	if ((x->text_size == 0 && !text_append(x, begin)) || !text_append(x, end)) {
		gather_failed(x);
		return;
	}
	x->answered = true;
	answer_text(x->stream, 200, x->text, x->text_size);
}

void gather_object(struct exchange *x, json_t *value)
{
	if (x->json) {
		json_decref(value);
		return;
	}
	x->json = value;
	if (!value)
		gather_failed(x);
}

void gather_created(struct exchange *x, const char *prefix)
{
	const char *path = json_string_value(json_object_get(x->json, "path"));
	char location[4 * PATH_TEXT_SIZE];
	size_t n = (size_t)snprintf(location, sizeof(location), "%s", prefix);
	bool fits = path && path_encode(path, location + n, sizeof(location) - n);

	if (!x->json)
		return;
	x->answered = true;
	answer_json(x->stream, 201, json_incref(x->json), fits ? location : NULL);
}
