/*
 * What replies gather until the answer: one object, or a list of them, kept as text. No memory for
 * it, or a list beyond TEXT_MAX bytes, is answered so.
 */
#ifndef VMM_GATE_GATHER_H
#define VMM_GATE_GATHER_H

#include "exchange.h"

void gather_failed(struct exchange *exchange);
/* Appends VALUE, which is taken, to a list that begins with BEGIN. */
void gather_append(struct exchange *exchange, const char *begin, json_t *value);
/* Answers with the list: what there is of it, or BEGIN, and END. */
void gather_answer(struct exchange *exchange, const char *begin, const char *end);
/* The object of which something is to be made, VALUE, which is taken; only the first counts. */
void gather_object(struct exchange *exchange, json_t *value);
/* Answers 201 with the object, which is at its "path" below PREFIX ("/vms/") from now on. */
void gather_created(struct exchange *exchange, const char *prefix);

#endif
