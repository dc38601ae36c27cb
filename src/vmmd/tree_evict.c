/* What the tree of labels forgets to stay within its bound. */
#include "tree_evict.h"

static void unmark(struct tree_node *node)
{
	for (struct tree_node *n = node->children; n; n = n->next) {
		n->lives = false;
		unmark(n);
	}
}

/* Whether A goes before B: leaves before delegations, then who was presented longest ago. */
static bool goes_before(const struct tree_node *a, const struct tree_node *b)
{
	if (b == NULL)
		return true;
	if ((a->policy == NULL) != (b->policy == NULL))
		return a->policy == NULL;
	return a->turn < b->turn;
}

/* What goes first: one of FROM's children, when DEEP of everything below it, or SOFAR. */
static const struct tree_node *find_evictable(const struct tree_node *from, bool deep,
					      const struct tree_node *sofar)
{
	for (const struct tree_node *n = from->children; n; n = n->next) {
		if (deep)
			sofar = find_evictable(n, deep, sofar);
		if (!n->lives && n->children == NULL && goes_before(n, sofar))
			sofar = n;
	}
	return sofar;
}

void tree_evict(struct tree *tree, const struct tree_node *counts, const struct path *keep)
{
	bool deep = counts != &tree->root;
	struct path path;

	if (counts->group <= TREE_NODES_MAX)
		return;
	unmark(&tree->root);
	if (tree->mark)
		tree->mark(tree, tree->arg);
	tree_mark(tree, keep);
	while (counts->group > TREE_NODES_MAX) {
		const struct tree_node *oldest = find_evictable(counts, deep, NULL);

		if (oldest == NULL)
			return;
		tree_node_path(oldest, &path);
		tree_remove(tree, &path);
	}
}
