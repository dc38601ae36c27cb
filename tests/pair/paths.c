/* See paths.h. */
#include "paths.h"

#include <string.h>

struct path path_of(const char *text)
{
	struct path path = {0};

	while (*text) {
		struct node *node = &path.node[path.depth++];
		size_t n = strcspn(text, "/");

		memcpy(node->name, text, n);
		memcpy(node->label.byte, text, n < LABEL_SIZE ? n : LABEL_SIZE);
		text += n + (text[n] == '/');
	}
	return path;
}
