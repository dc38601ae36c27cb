/* Lists in memory, see lists.h. */
#include "lists.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A directory that changed so lately may change again without its time telling. */
#define SETTLED_S 2

/* The place of ID, or where it would be. */
static size_t place_of(const struct lists *lists, const uint8_t id[DIGEST_SIZE])
{
	size_t low = 0, high = lists->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(lists->list[middle].table.id, id, DIGEST_SIZE) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct list *find(const struct lists *lists, const uint8_t id[DIGEST_SIZE])
{
	size_t at = place_of(lists, id);

	if (at == lists->count || memcmp(lists->list[at].table.id, id, DIGEST_SIZE) != 0)
		return NULL;
	return &lists->list[at];
}

const struct table *lists_find(const struct lists *lists, const uint8_t id[DIGEST_SIZE])
{
	struct list *list = find(lists, id);

	return list ? &list->table : NULL;
}

static struct list *insert(struct lists *lists, const uint8_t id[DIGEST_SIZE])
{
	size_t at = place_of(lists, id);

	if (lists->count == lists->room) {
		size_t room = 2 * lists->room + 16;
		struct list *more = reallocarray(lists->list, room, sizeof(*more));

		if (!more)
			return NULL;
		lists->list = more;
		lists->room = room;
	}
	memmove(&lists->list[at + 1], &lists->list[at],
		(lists->count - at) * sizeof(lists->list[0]));
	lists->count++;
	lists->list[at] = (struct list){0};
	return &lists->list[at];
}

/* Takes TABLE over, unless what is there is as new. */
static bool take(struct lists *lists, struct table *table, const struct store_mark *mark)
{
	struct list *list = find(lists, table->id);

	if (list && memcmp(list->table.number, table->number, CRL_NUMBER_SIZE) >= 0) {
		list->mark = *mark;
		table_free(table);
		return true;
	}
	if (!list)
		list = insert(lists, table->id);
	if (!list)
		return false;
	lists->bytes += table->size - list->table.size;
	table_free(&list->table);
	*list = (struct list){.table = *table, .mark = *mark};
	lists->taken(lists->arg, &list->table);
	return true;
}

struct visit {
	struct lists *lists;
	struct refusal *why;
};

static bool same_mark(const struct store_mark *a, const struct store_mark *b)
{
	return a->inode == b->inode && a->changed.tv_sec == b->changed.tv_sec &&
	       a->changed.tv_nsec == b->changed.tv_nsec;
}

static bool mark_known(const struct lists *lists, const char *name, const struct store_mark *mark)
{
	uint8_t id[DIGEST_SIZE];
	const struct list *list;

	for (int i = 0; i < DIGEST_SIZE; i++) {
		const char digits[] = {name[2 * i], name[2 * i + 1], 0};

		id[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
	list = find(lists, id);
	return list && same_mark(&list->mark, mark);
}

static bool visit(void *arg, const char *name)
{
	struct visit *visit = arg;
	struct store_mark mark;
	struct table table;

	if (store_look(visit->lists->directory, name, &mark) == 0 &&
	    mark_known(visit->lists, name, &mark))
		return true;
	if (!store_read(visit->lists->directory, name, &table, &mark, visit->why))
		return false;
	if (take(visit->lists, &table, &mark))
		return true;
	table_free(&table);
	return refusal_say(visit->why, "revocations/%s: there is no memory for it", name);
}

bool lists_refresh(struct lists *lists, bool first, struct refusal *why)
{
	struct stat stat;

	if (fstat(lists->directory, &stat) < 0)
		return refusal_say(why, "revocations: cannot be looked at: %s", strerror(errno));
	if (lists->settled && stat.st_mtim.tv_sec == lists->looked.tv_sec &&
	    stat.st_mtim.tv_nsec == lists->looked.tv_nsec)
		return true;
	lists->settled = false;
	/* The time is from before: what comes in meanwhile is seen the next time. */
	if (!store_each(lists->directory, first, visit, &(struct visit){lists, why}, why))
		return false;
	lists->looked = stat.st_mtim;
	lists->settled = llabs((long long)time(NULL) - stat.st_mtim.tv_sec) > SETTLED_S;
	return true;
}

/* The same top delegation, or both the root's own. */
static bool same_top(const struct path *a, const struct path *b)
{
	if (a->depth == 0 || b->depth == 0)
		return a->depth == b->depth;
	return label_equal(&a->node[0].label, &b->node[0].label);
}

uint64_t lists_cost(const struct lists *lists, const struct path *scope,
		    const uint8_t id[DIGEST_SIZE])
{
	uint64_t cost = 0;

	for (size_t i = 0; i < lists->count; i++) {
		const struct table *table = &lists->list[i].table;

		if (same_top(&table->scope, scope) && memcmp(table->id, id, DIGEST_SIZE) != 0)
			cost += table_cost(table->size);
	}
	return cost;
}

bool lists_revoked(void *arg, const struct path *scope, const EVP_PKEY *key,
		   const ASN1_INTEGER *serial)
{
	const struct lists *lists = arg;
	const struct table *table;
	uint8_t id[DIGEST_SIZE], key_id[DIGEST_SIZE];
	struct refusal ignored;
	struct label label;

	if (lists->count == 0)
		return false;
	/* What cannot be looked up is not known to be good. */
	if (!cert_key_id(key, key_id) || !cert_label(serial, &label, &ignored))
		return true;
	table_id(scope, key_id, id);
	table = lists_find(lists, id);
	return table && table_holds(table, &label);
}
