/* Replies until their answer. */
#include "gather.h"

#include <stdio.h>
#include <stdlib.h>

#include "answer.h"

void gather_failed(struct exchange *x)
{
	exchange_problem(x, 503, "unavailable", "no memory for the answer; ask for less");
}

/* Texts are kept rather than values: a list of VMs is several times smaller so. */
void gather_append(struct exchange *x, const char *begin, json_t *value)
{
	/* As many digits as every number of a reading has, and no more. */
	char *text = value ? json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(15)) : NULL;

	if (!text || !text_append_string(&x->text, x->text.size ? "," : begin) ||
	    !text_append_string(&x->text, text))
		gather_failed(x);
	free(text);
	json_decref(value);
}

void gather_answer(struct exchange *x, const char *begin, const char *end)
{
	if ((x->text.size == 0 && !text_append_string(&x->text, begin)) ||
	    !text_append_string(&x->text, end)) {
		gather_failed(x);
		return;
	}
	x->answered = true;
	answer_text(x->stream, "application/json", &x->text);
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
