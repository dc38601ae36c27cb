/*
 * The tree of labels in the runtime directory: "labels", a row of entries, each with its length and
 * a check, appended as the tree changes and written anew when most of it is stale. vmmd may be
 * killed at any moment: an entry that is not whole, and what follows it, is ignored.
 */
#ifndef VMM_TREE_FILE_H
#define VMM_TREE_FILE_H

#include "tree.h"

/*
 * Reads what DIR_FD (which stays the caller's, open as long as the tree) has into TREE, writes it
 * anew and keeps it up from now on. 0, or -errno: the tree is in memory alone, if for want of room
 * then until there is some.
 */
int tree_file_open(struct tree *tree, int dir_fd);
void tree_file_close(struct tree *tree);
void tree_file_unlink(int dir_fd);

/* For tree.c: NODE changed; NODE and what is below it goes; the file may have to be written anew.
 */
void tree_file_changed(struct tree *tree, const struct tree_node *node);
void tree_file_removed(struct tree *tree, const struct tree_node *node);
void tree_file_tidy(struct tree *tree);

#endif
