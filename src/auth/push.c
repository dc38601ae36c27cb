/* One pushed list, see push.h. */
#include "push.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "chain.h"
#include "child.h"

/* The disk may take its time; handshakes do not wait for it. */
#define PROCESS_SECONDS 60

static void refuse(struct push_outcome *out, uint32_t status, const char *word, const char *detail)
{
	out->status = status;
	(void)snprintf(out->word, sizeof(out->word), "%s", word);
	(void)snprintf(out->detail, sizeof(out->detail), "%s", detail);
	out->result = PUSH_REFUSED;
}

/* The chain again: it may have expired or been revoked since its session began. */
static bool chain_good(const uint8_t *message, size_t size, X509 *root, time_t now,
		       struct lists *lists, struct path *scope, struct push_outcome *out)
{
	static struct verify_result result;
	const struct revocation revocation = {.revoked = lists_revoked, .arg = lists};
	const struct msg_verdict *verdict = &result.verdict;

	verify_message(message, size, root, now, &revocation, &result);
	if (verdict->verdict != VERDICT_ACCEPT) {
		refuse(out, 403, verdict->word[0] ? verdict->word : "malformed", verdict->detail);
		return false;
	}
	if (result.request.kind != LEAF_REVOCATION) {
		refuse(out, 403, "permission", "the session is not of a revocation certificate");
		return false;
	}
	request_scope(&result.request, scope);
	return true;
}

static bool room_for(const struct lists *lists, const struct table *table, struct push_outcome *out)
{
	uint64_t others = lists_cost(lists, &table->scope, table->id);
	char detail[DETAIL_SIZE];

	if (others + table_cost(table->size) <= TABLES_MAX)
		return true;
	(void)snprintf(detail, sizeof(detail),
		       "the list takes %llu KB, and the others of %s %llu KB already; %llu KB are "
		       "all they may have",
		       (unsigned long long)table_cost(table->size) >> 10,
		       table->scope.depth ? table->scope.node[0].name : "the CA",
		       (unsigned long long)others >> 10, (unsigned long long)TABLES_MAX >> 10);
	refuse(out, 413, "too-large", detail);
	return false;
}

static void table_store(struct lists *lists, const struct table *table, struct push_outcome *out)
{
	struct refusal why = {{0}};

	memcpy(out->id, table->id, DIGEST_SIZE);
	if (!room_for(lists, table, out))
		return;
	switch (store_write(lists->directory, table, &why)) {
	case STORED:
		out->result = PUSH_STORED;
		break;
	case STORED_UNSURELY:
		refuse(out, 503, "unavailable", why.text);
		out->result = PUSH_UNSURE;
		break;
	case STORED_NOT:
		refuse(out, 503, "unavailable", why.text);
		break;
	case STORED_NEWER:
		refuse(out, 409, "superseded", why.text);
		break;
	}
}

void push_take(const uint8_t *message, size_t size, X509 *root, time_t now, struct lists *lists,
	       struct push_outcome *out)
{
	uint8_t key[DIGEST_SIZE];
	struct path scope;
	struct refusal why;
	struct table table;
	struct crl list;

	if (!chain_good(message, size, root, now, lists, &scope, out))
		return;
	if (!verify_list(message, size, root, now, &list, key, &why)) {
		refuse(out, 400, "malformed", why.text);
		return;
	}
	if (table_make(&scope, key, &list, &table)) {
		table_store(lists, &table, out);
		table_free(&table);
	} else {
		refuse(out, 503, "unavailable", "there is no memory for the list");
	}
	crl_free(&list);
}

void push_process(int memfd, X509 *root, struct lists *lists, struct push_outcome *out)
{
	const int keep[] = {lists->directory, memfd};
	struct chain_bytes chain;
	const char *problem;

	child_begin(keep, 2, PROCESS_SECONDS, lists->bytes);
	problem = chain_map(memfd, &chain);
	if (problem)
		refuse(out, 400, "malformed", "the chain is not in a sealed memfd");
	else
		push_take(chain.bytes, chain.size, root, time(NULL), lists, out);
	_exit(0);
}
