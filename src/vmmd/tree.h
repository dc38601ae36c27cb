/*
 * What vmmd knows of labels: for each path the newest notBefore that was presented, for a
 * delegation also the newest policy. It grows with the chains of sessions, bounded for each top
 * delegation, so that no delegate can make the root process grow; a file in the runtime directory
 * (tree_file.h) lets it survive vmmd. Knows nothing of sessions and VMs but what a caller marks.
 */
#ifndef VMM_TREE_H
#define VMM_TREE_H

#include "request.h"

/* Nodes below one top delegation, and nodes directly under the root. What lives is beyond it. */
#define TREE_NODES_MAX 4096

struct tree_node {
	struct tree_node *parent, *children, *next;
	struct node node;
	int64_t not_before;    /* the newest, seconds since 1970 */
	struct policy *policy; /* of a delegation, the newest; NULL: a leaf */
	uint64_t turn;	       /* when it was presented last, in turns */
	unsigned group; /* of a top delegation, and of the root: nodes that are bounded together */
	bool lives;	/* marked: never evicted */
};

struct tree_file {
	int dir_fd, fd; /* -1: in memory alone */
	uint64_t size;
	uint64_t compacted; /* its size when it was last written anew */
};

struct tree {
	struct tree_node root; /* depth 0 */
	uint64_t turn;
	/* Calls tree_mark for every path under which something lives, before nodes are evicted. */
	void (*mark)(struct tree *tree, const void *arg);
	const void *arg;
	struct tree_file file;
};

/* Without a file; MARK may be NULL. */
void tree_init(struct tree *tree, void (*mark)(struct tree *, const void *), const void *arg);
/* Forgets everything and closes the file, which stays. */
void tree_free(struct tree *tree);

/* The node at PATH; NULL: not known. The root for depth 0. */
const struct tree_node *tree_find(const struct tree *tree, const struct path *path);
/* The newest policy of the delegation at PATH; NULL: none is known. */
const struct policy *tree_policy(const struct tree *tree, const struct path *path);
void tree_node_path(const struct tree_node *node, struct path *out);
/* Whether every certificate of R is as new as the newest known of its label; false with WHY. */
bool tree_is_current(const struct tree *tree, const struct request *r, struct refusal *why);

/*
 * Takes in what R says, a chain that is current: levels and leaf. PRESENTED: by a session, just
 * now; else it is somebody's record, which tells nothing new about what is known as well. 0 or
 * -ENOMEM.
 */
int tree_note(struct tree *tree, const struct request *r, bool presented);
/* One node: POLICY NULL is a leaf. What is above it must be known, else it is left out. */
int tree_note_path(struct tree *tree, const struct path *path, int64_t not_before,
		   const struct policy *policy);
/* Forgets the node at PATH, if it is known, and everything below it. */
void tree_remove(struct tree *tree, const struct path *path);
/* Something lives at PATH, or below. */
void tree_mark(struct tree *tree, const struct path *path);

/*
 * Calls VISIT for every node below FROM, parents first. PATH is FROM's; it is used on the way, and
 * is the node's own in the call.
 */
void tree_walk(const struct tree_node *from, struct path *path,
	       void (*visit)(void *arg, const struct tree_node *node, const struct path *path),
	       void *arg);

#endif
