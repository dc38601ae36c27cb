/* For tree.c: keeping the tree of labels within its bound. */
#ifndef VMM_TREE_EVICT_H
#define VMM_TREE_EVICT_H

#include "tree.h"

/*
 * Keeps the group that COUNTS, a top delegation or the root, within TREE_NODES_MAX as far as that
 * is possible: leaves go before delegations, who was presented longest ago first, and never what
 * lives; KEEP lives too.
 */
void tree_evict(struct tree *tree, const struct tree_node *counts, const struct path *keep);

#endif
