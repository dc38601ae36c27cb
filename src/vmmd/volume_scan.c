/* One directory after the other, the names above before those below. */
#include "volume_scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "owned.h"
#include "record.h"
#include "volume_dir.h"

#define SHOWN_SIZE (PATH_MAX + PATH_DEPTH_MAX * 16)

/* The directory of the delegation at PATH, which is read; SHOWN is its name for people. */
struct scan {
	struct volumes *all;
	struct path path;
	unsigned found; /* volumes of the top delegation */
	char shown[SHOWN_SIZE];
};

static void say(const struct scan *s, const char *name, const char *what)
{
	log_warning("%s/%s: %s", s->shown, name, what);
}

/* NAME without SUFFIX into OUT; false: it has another one, or nothing before it. */
static bool cut(const char *name, const char *suffix, char out[NAME_SIZE])
{
	size_t n = strlen(name), end = strlen(suffix);

	if (n <= end || n - end >= NAME_SIZE || strcmp(name + n - end, suffix) != 0)
		return false;
	memcpy(out, name, n - end);
	out[n - end] = 0;
	return true;
}

static int take_volume(struct scan *s, int dir, const char *file, const char *name)
{
	struct volume *volume;
	struct stat st;

	if (fstatat(dir, file, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1 || st.st_uid != geteuid()) {
		say(s, file, "ignored: no plain file of one link that is vmmd's own");
		return 0;
	}
	if (st.st_size < 1 << 20 || st.st_size % (1 << 20) != 0 ||
	    st.st_size >> 20 > POLICY_NUMBER_MAX ||
	    volume_name_problem(name, strlen(name)) != NULL) {
		say(s, file, "ignored: its name or its length is no volume's");
		return 0;
	}
	/* More than vmmd makes would only be waited for, by everybody. */
	if (s->found >= VOLUMES_MAX) {
		if (s->found++ == VOLUMES_MAX)
			say(s, file, "ignored, and what follows: more volumes than there may be");
		return 0;
	}
	s->found++;
	volume = volume_new(s->all, &s->path, name, (uint32_t)(st.st_size >> 20));
	if (volume == NULL)
		return -ENOMEM;
	volume->state = VOLUME_READY;
	return 0;
}

static int scan_place(struct scan *s, int dir);

static int scan_below(struct scan *s, int dir, const char *name)
{
	struct node *node = &s->path.node[s->path.depth];
	const char *problem;
	size_t shown = strlen(s->shown);
	int fd, error;

	/* A volume's path, and its VM's, is one longer. */
	if (s->path.depth + 1 >= PATH_DEPTH_MAX || !record_dir_id(name, node->label.byte)) {
		say(s, name, "ignored: nothing that vmmd makes");
		return 0;
	}
	fd = owned_open(dir, name, &problem);
	if (fd < 0) {
		say(s, name, problem);
		return 0;
	}
	s->path.depth++;
	snprintf(s->shown + shown, sizeof(s->shown) - shown, "/%.8s...", name);
	error = scan_place(s, fd);
	s->shown[shown] = 0;
	if (error == 0)
		place_prune(&s->all->storage, &s->path);
	s->path.depth--;
	return error;
}

static int scan_entry(struct scan *s, int dir, const char *file)
{
	char name[NAME_SIZE];
	struct stat st;

	if (strcmp(file, ".") == 0 || strcmp(file, "..") == 0 || strcmp(file, PLACE_NAME) == 0)
		return 0;
	if (cut(file, VOLUME_SUFFIX, name))
		return take_volume(s, dir, file, name);
	if (fstatat(dir, file, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
		return scan_below(s, dir, file);
	if (!cut(file, VOLUME_PART, name))
		say(s, file, "ignored: nothing that vmmd makes");
	else if (unlinkat(dir, file, 0) < 0)
		say(s, file, strerror(errno));
	else
		say(s, file, "was half made and is removed");
	return 0;
}

/* DIR, the directory of S's path, is closed. */
static int scan_place(struct scan *s, int dir)
{
	struct node *node = &s->path.node[s->path.depth - 1];
	DIR *list = fdopendir(dir);
	const struct dirent *entry;
	int error = 0;

	if (list == NULL) {
		close(dir);
		return -errno;
	}
	/* Without a name it is found by its label, which is one. */
	if (!place_read_name(dir, node->name))
		label_format(&node->label, LABEL_DIGITS_MAX, node->name);
	while (error == 0 && (entry = readdir(list)) != NULL)
		error = scan_entry(s, dir, entry->d_name);
	closedir(list);
	return error;
}

/* A top delegation's file system. */
static int scan_top(struct scan *s, const char *name)
{
	struct label *label = &s->path.node[0].label;
	const char *problem;
	int fd, own;

	s->path.depth = 1;
	s->found = 0;
	snprintf(s->shown, sizeof(s->shown), "%s", s->all->storage.path);
	if (!record_dir_id(name, label->byte)) {
		say(s, name, "ignored: nothing that vmmd makes");
		return 0;
	}
	fd = storage_enter(&s->all->storage, name);
	own = fd < 0 ? fd : owned_open(fd, ".", &problem);
	if (fd >= 0)
		close(fd);
	if (own < 0) {
		say(s, name, fd < 0 ? strerror(-fd) : problem);
		return 0;
	}
	snprintf(s->shown, sizeof(s->shown), "%s/%.8s...", s->all->storage.path, name);
	fd = scan_place(s, own);
	return fd < 0 ? fd : place_get(s->all, &s->path) ? 0 : -ENOMEM;
}

int volumes_scan(struct volumes *all)
{
	static struct scan s;
	int fd = openat(all->storage.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), error = 0;
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	s.all = all;
	if (list == NULL) {
		error = -errno;
		if (fd >= 0)
			close(fd);
		return error;
	}
	while (error == 0 && (entry = readdir(list)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			error = scan_top(&s, entry->d_name);
	closedir(list);
	return error;
}
