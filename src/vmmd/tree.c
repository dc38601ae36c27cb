/* The tree of labels. A node's siblings are a list: nobody but a delegate itself makes it long. */
#include "tree.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tree_evict.h"
#include "tree_file.h"

void tree_init(struct tree *tree, void (*mark)(struct tree *, const void *), const void *arg)
{
	*tree = (struct tree){.mark = mark, .arg = arg, .file = {.dir_fd = -1, .fd = -1}};
}

static struct tree_node *find_child(const struct tree_node *parent, const struct label *label)
{
	for (struct tree_node *n = parent->children; n; n = n->next)
		if (label_equal(&n->node.label, label))
			return n;
	return NULL;
}

/* The node at PATH, of one node at least, below ROOT. */
static struct tree_node *find(const struct tree_node *root, const struct path *path)
{
	struct tree_node *node = find_child(root, &path->node[0].label);

	for (uint32_t i = 1; node && i < path->depth; i++)
		node = find_child(node, &path->node[i].label);
	return node;
}

const struct tree_node *tree_find(const struct tree *tree, const struct path *path)
{
	return path->depth == 0 ? &tree->root : find(&tree->root, path);
}

const struct policy *tree_policy(const struct tree *tree, const struct path *path)
{
	const struct tree_node *node = tree_find(tree, path);

	return node ? node->policy : NULL;
}

void tree_node_path(const struct tree_node *node, struct path *out)
{
	uint32_t depth = 0;

	for (const struct tree_node *n = node; n->parent; n = n->parent)
		depth++;
	out->depth = depth;
	for (const struct tree_node *n = node; n->parent; n = n->parent)
		out->node[--depth] = n->node;
}

static bool refuse_older(const struct tree_node *node, struct refusal *why)
{
	time_t when = (time_t)node->not_before;
	char date[64] = "another date";
	struct tm tm;

	if (gmtime_r(&when, &tm))
		strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S +00:00", &tm);
	return refusal_say(why, "%s: an older certificate, one of %s counts", node->node.name,
			   date);
}

bool tree_is_current(const struct tree *tree, const struct request *r, struct refusal *why)
{
	const struct tree_node *node = &tree->root;

	for (uint32_t i = 0; i < r->depth; i++) {
		node = find_child(node, &r->level[i].node.label);
		if (node == NULL)
			return true;
		if (r->level[i].not_before < node->not_before)
			return refuse_older(node, why);
	}
	node = find_child(node, &r->leaf.label);
	return node == NULL || r->not_before >= node->not_before || refuse_older(node, why);
}

/* The node that counts NODE: its top delegation; for a top one itself, the root. */
static struct tree_node *group_of(struct tree_node *node)
{
	if (node->parent->parent == NULL)
		return node->parent;
	while (node->parent->parent)
		node = node->parent;
	return node;
}

/* A new node is as old as can be: whatever is presented is newer. */
static struct tree_node *add_child(struct tree_node *parent, const struct node *as)
{
	struct tree_node *node = calloc(1, sizeof(*node));

	if (node == NULL)
		return NULL;
	node->parent = parent;
	node->node = *as;
	node->not_before = INT64_MIN;
	node->next = parent->children;
	parent->children = node;
	group_of(node)->group++;
	return node;
}

/* 1: changed, 0: known as well, or -ENOMEM. */
static int set_policy(struct tree_node *node, const struct policy *policy)
{
	if (policy == NULL) {
		bool had = node->policy != NULL;

		free(node->policy);
		node->policy = NULL;
		return had;
	}
	if (node->policy == NULL)
		node->policy = calloc(1, sizeof(*policy));
	if (node->policy == NULL)
		return -ENOMEM;
	if (memcmp(node->policy, policy, sizeof(*policy)) == 0)
		return 0;
	*node->policy = *policy;
	return 1;
}

/* Brings NODE up to date; 1: it changed, 0, or -ENOMEM. */
static int update(struct tree_node *node, const struct node *as, int64_t not_before,
		  const struct policy *policy)
{
	bool changed = node->not_before != not_before || strcmp(node->node.name, as->name) != 0;
	int result = set_policy(node, policy);

	if (result < 0)
		return result;
	node->node = *as;
	node->not_before = not_before;
	return changed || result > 0;
}

static void unlink_node(struct tree_node *node)
{
	struct tree_node **at = &node->parent->children;

	while (*at != node)
		at = &(*at)->next;
	*at = node->next;
	group_of(node)->group--;
}

/* NODE and what is below it, children first. */
static void free_below(struct tree_node *node)
{
	while (node->children) {
		struct tree_node *child = node->children;

		free_below(child);
		group_of(child)->group--;
		node->children = child->next;
		free(child->policy);
		free(child);
	}
}

static void drop(struct tree_node *node)
{
	free_below(node);
	unlink_node(node);
	free(node->policy);
	free(node);
}

void tree_remove(struct tree *tree, const struct path *path)
{
	struct tree_node *node = path->depth > 0 ? find(&tree->root, path) : NULL;

	if (node == NULL)
		return;
	tree_file_removed(tree, node);
	drop(node);
}

void tree_free(struct tree *tree)
{
	free_below(&tree->root);
	tree_file_close(tree);
}

/* The child of PARENT called AS, made if need be and brought up to date; NULL without memory. */
static struct tree_node *note(struct tree *tree, struct tree_node *parent, const struct node *as,
			      int64_t not_before, const struct policy *policy, bool presented)
{
	struct tree_node *node = find_child(parent, &as->label);
	bool known = node != NULL;
	int result;

	if (!known && (node = add_child(parent, as)) == NULL)
		return NULL;
	if (presented || !known)
		node->turn = tree->turn;
	if (not_before < node->not_before || (not_before == node->not_before && !presented))
		return node;
	result = update(node, as, not_before, policy);
	if (result < 0) {
		if (!known)
			drop(node);
		return NULL;
	}
	if (result > 0)
		tree_file_changed(tree, node);
	return node;
}

void tree_mark(struct tree *tree, const struct path *path)
{
	struct tree_node *node = &tree->root;

	for (uint32_t i = 0; i < path->depth; i++) {
		node = find_child(node, &path->node[i].label);
		if (node == NULL)
			return;
		node->lives = true;
	}
}

int tree_note(struct tree *tree, const struct request *r, bool presented)
{
	struct tree_node *node = &tree->root;
	struct path path;

	tree->turn++;
	for (uint32_t i = 0; node && i < r->depth; i++) {
		const struct level *level = &r->level[i];

		node = note(tree, node, &level->node, level->not_before, &level->policy, presented);
	}
	if (node)
		node = note(tree, node, &r->leaf, r->not_before, NULL, presented);
	if (node == NULL)
		return -ENOMEM;
	request_path(r, &path);
	tree_evict(tree, &tree->root, &path);
	if (r->depth > 0)
		tree_evict(tree, group_of(node), &path);
	tree_file_tidy(tree);
	return 0;
}

int tree_note_path(struct tree *tree, const struct path *path, int64_t not_before,
		   const struct policy *policy)
{
	struct path above = *path;
	struct tree_node *parent = &tree->root;

	if (path->depth == 0)
		return 0;
	above.depth--;
	if (above.depth > 0)
		parent = find(&tree->root, &above);
	tree->turn++;
	if (parent && !note(tree, parent, &path->node[above.depth], not_before, policy, true))
		return -ENOMEM;
	return 0;
}

void tree_walk(const struct tree_node *from, struct path *path,
	       void (*visit)(void *arg, const struct tree_node *node, const struct path *path),
	       void *arg)
{
	for (const struct tree_node *n = from->children; n; n = n->next) {
		path->node[path->depth++] = n->node;
		visit(arg, n, path);
		tree_walk(n, path, visit, arg);
		path->depth--;
	}
}
