/* Entries of the tree's file. One is encoded or decoded at a time. */
#include "tree_file.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "message.h"

#define FILE_NAME  "labels"
#define NEW_NAME   "labels.new"
#define HEADER	   8	      /* length and check, 32 bits each, little-endian */
#define SLACK	   (1u << 20) /* bytes that may be stale in any case */
#define ENTRY_SIZE 8192	      /* the longest one is some 3,500 */

enum kind { KIND_LEAF, KIND_DELEGATION, KIND_REMOVED };

struct label_entry {
	uint32_t kind;
	int64_t not_before;
	struct path path;
	uint32_t npolicies; /* 1: a delegation's */
	struct policy policy[1];
};

static const struct field label_entry_fields[] = {
    WIRE_U32(struct label_entry, kind),
    WIRE_U64(struct label_entry, not_before),
    WIRE_STRUCT(struct label_entry, path, path_fields),
    WIRE_LIST(struct label_entry, policy, npolicies, policy_fields),
    WIRE_END,
};

static struct label_entry entry;
static uint8_t bytes[ENTRY_SIZE];

/* FNV-1a: against what a crash leaves, not against malice; the directory is ours alone. */
static uint32_t check_of(const uint8_t *data, size_t n)
{
	uint32_t sum = 2166136261u;

	for (size_t i = 0; i < n; i++)
		sum = (sum ^ data[i]) * 16777619u;
	return sum;
}

static void put_u32(uint8_t *at, uint32_t value)
{
	value = htole32(value);
	memcpy(at, &value, sizeof(value));
}

static uint32_t get_u32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return le32toh(value);
}

static void fill(enum kind kind, const struct tree_node *node)
{
	entry.kind = kind;
	entry.not_before = node->not_before;
	tree_node_path(node, &entry.path);
	entry.npolicies = kind == KIND_DELEGATION;
	if (kind == KIND_DELEGATION)
		entry.policy[0] = *node->policy;
}

/* The entry into BYTES; its length. */
static size_t encode(void)
{
	ssize_t n = wire_encode(label_entry_fields, &entry, bytes + HEADER, sizeof(bytes) - HEADER);

	if (n < 0)
		return 0;
	put_u32(bytes, (uint32_t)n);
	put_u32(bytes + 4, check_of(bytes + HEADER, (size_t)n));
	return HEADER + (size_t)n;
}

/*
 * What could not be appended comes with all the rest when the file is written anew, which is tried
 * until there is room: nothing may follow half an entry, which would hide it.
 */
static void append(struct tree *tree, enum kind kind, const struct tree_node *node)
{
	struct tree_file *file = &tree->file;
	size_t n;

	if (file->fd < 0)
		return;
	fill(kind, node);
	n = encode();
	if (n > 0 && write(file->fd, bytes, n) == (ssize_t)n) {
		file->size += n;
		return;
	}
	close(file->fd);
	file->fd = -1;
}

void tree_file_changed(struct tree *tree, const struct tree_node *node)
{
	append(tree, node->policy ? KIND_DELEGATION : KIND_LEAF, node);
}

void tree_file_removed(struct tree *tree, const struct tree_node *node)
{
	append(tree, KIND_REMOVED, node);
}

struct writing {
	FILE *out;
	bool failed;
};

static void write_node(void *arg, const struct tree_node *node, const struct path *path)
{
	struct writing *w = arg;
	size_t n;

	(void)path;
	fill(node->policy ? KIND_DELEGATION : KIND_LEAF, node);
	n = encode();
	w->failed |= n == 0 || fwrite(bytes, 1, n, w->out) != n;
}

/* The whole tree into the new file; its descriptor, at the end of it, or -errno. */
static int write_all(struct tree *tree, int dir_fd)
{
	int fd = openat(dir_fd, NEW_NAME,
			O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct writing w = {.out = fd < 0 ? NULL : fdopen(fd, "w")};
	struct path path = {.depth = 0};
	int keep = -1;

	if (w.out == NULL) {
		if (fd >= 0)
			close(fd);
		return -EIO;
	}
	tree_walk(&tree->root, &path, write_node, &w);
	w.failed |= fflush(w.out) != 0;
	if (!w.failed)
		keep = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	fclose(w.out);
	return keep < 0 ? -EIO : keep;
}

static int rewrite(struct tree *tree, int dir_fd)
{
	struct tree_file *file = &tree->file;
	int fd = write_all(tree, dir_fd);
	off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_CUR);

	if (fd < 0 || size < 0 || renameat(dir_fd, NEW_NAME, dir_fd, FILE_NAME) < 0) {
		if (fd >= 0)
			close(fd);
		unlinkat(dir_fd, NEW_NAME, 0);
		return -EIO;
	}
	tree_file_close(tree);
	*file = (struct tree_file){
	    .dir_fd = dir_fd, .fd = fd, .size = (uint64_t)size, .compacted = (uint64_t)size};
	return 0;
}

void tree_file_tidy(struct tree *tree)
{
	struct tree_file *file = &tree->file;
	int dir_fd = file->dir_fd;

	if (dir_fd < 0 || (file->fd >= 0 && file->size < 2 * file->compacted + SLACK))
		return;
	/* Without room for a new one, the old one goes on. */
	if (rewrite(tree, dir_fd) < 0)
		file->compacted = file->size;
}

static void apply(struct tree *tree)
{
	if (entry.kind == KIND_REMOVED)
		tree_remove(tree, &entry.path);
	else
		tree_note_path(tree, &entry.path, entry.not_before,
			       entry.npolicies ? entry.policy : NULL);
}

/* The next entry of the file; false: there is none that is whole. */
static bool read_entry(FILE *in)
{
	uint32_t n;

	if (fread(bytes, 1, HEADER, in) != HEADER)
		return false;
	n = get_u32(bytes);
	if (n > sizeof(bytes) - HEADER || fread(bytes + HEADER, 1, n, in) != n)
		return false;
	return check_of(bytes + HEADER, n) == get_u32(bytes + 4) &&
	       wire_decode(label_entry_fields, bytes + HEADER, n, &entry, sizeof(entry));
}

int tree_file_open(struct tree *tree, int dir_fd)
{
	int fd = openat(dir_fd, FILE_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	FILE *in = fd < 0 ? NULL : fdopen(fd, "r");

	if (fd < 0 && errno != ENOENT)
		return -errno;
	while (in && read_entry(in))
		apply(tree);
	if (in)
		fclose(in);
	tree->file.dir_fd = dir_fd;
	return rewrite(tree, dir_fd);
}

void tree_file_close(struct tree *tree)
{
	if (tree->file.fd >= 0)
		close(tree->file.fd);
	tree->file.fd = tree->file.dir_fd = -1;
}

void tree_file_unlink(int dir_fd)
{
	unlinkat(dir_fd, FILE_NAME, 0);
	unlinkat(dir_fd, NEW_NAME, 0);
}
