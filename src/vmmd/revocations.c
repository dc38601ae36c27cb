/* Lists of revoked labels, mapped and searched. They come from a process that has read hostile
 * bytes: what cannot shrink under us is checked here, that they are sorted is not: an unsorted list
 * revokes less, which is that process's own to spoil. */
#include "revocations.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static const char *memfd_problem(int fd, size_t count)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;

	if (seals < 0 || (seals & SEALS) != SEALS)
		return "a list that is not sealed";
	if (fstat(fd, &st) < 0 || (uint64_t)st.st_size != (uint64_t)count * LABEL_SIZE)
		return "a list of another length than it says";
	return NULL;
}

struct revocation *revocation_map(int fd, size_t count, const struct path *scope,
				  const char **problem)
{
	struct revocation *list;
	void *at = NULL;

	*problem = memfd_problem(fd, count);
	if (*problem)
		return NULL;
	*problem = "a list that there is no memory for";
	if (count > 0)
		at = mmap(NULL, count * LABEL_SIZE, PROT_READ, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		return NULL;
	list = calloc(1, sizeof(*list));
	if (list == NULL) {
		if (at)
			munmap(at, count * LABEL_SIZE);
		return NULL;
	}
	list->scope = *scope;
	list->count = count;
	list->labels = at;
	return list;
}

void revocation_free(struct revocation *list)
{
	if (list->labels)
		munmap((void *)(uintptr_t)list->labels, list->count * LABEL_SIZE);
	free(list);
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, LABEL_SIZE);
}

const struct node *revocation_matches(const struct revocation *list, const struct path *path)
{
	const struct node *node = &path->node[list->scope.depth];

	if (path->depth <= list->scope.depth || list->count == 0 ||
	    !path_within(path, &list->scope))
		return NULL;
	return bsearch(&node->label, list->labels, list->count, LABEL_SIZE, compare) ? node : NULL;
}

void revocation_say(const struct revocation *list, const struct path *path, char *out, size_t size)
{
	uint32_t depth = list->scope.depth;

	snprintf(out, size, "%s was revoked by %s", path->node[depth].name,
		 depth > 0 ? list->scope.node[depth - 1].name : "the CA");
}

/* Cuts the lists off from *AT on. */
static void forget(struct revocations *lists, struct revocation **at)
{
	struct revocation *list = *at;

	*at = NULL;
	while (list) {
		struct revocation *next = list->next;

		if (list->generation > lists->forgotten)
			lists->forgotten = list->generation;
		revocation_free(list);
		list = next;
	}
}

void revocations_keep(struct revocations *lists, struct revocation *list, uint64_t generation,
		      int64_t now_us)
{
	struct revocation **at = &list->next;
	size_t bytes = list->count * LABEL_SIZE;
	unsigned n = 1;

	list->generation = generation;
	list->told_us = now_us;
	list->next = lists->first;
	lists->first = list;
	/* The newest stays whatever it takes. */
	for (; *at; at = &(*at)->next) {
		bytes += (*at)->count * LABEL_SIZE;
		if (++n > REVOCATIONS_MAX || bytes > REVOCATIONS_BYTES_MAX)
			break;
	}
	forget(lists, at);
}

void revocations_forget_old(struct revocations *lists, int64_t now_us)
{
	struct revocation **at = &lists->first;

	while (*at && (*at)->told_us >= now_us - REVOCATIONS_KEPT_US)
		at = &(*at)->next;
	forget(lists, at);
}

const struct revocation *revocations_find(const struct revocations *lists, const struct path *path)
{
	for (const struct revocation *list = lists->first; list; list = list->next)
		if (revocation_matches(list, path))
			return list;
	return NULL;
}

uint64_t revocations_generation(uint32_t term, uint64_t generation)
{
	return (uint64_t)term << 32 | (generation < UINT32_MAX ? generation : UINT32_MAX);
}
