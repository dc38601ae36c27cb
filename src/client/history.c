/*
 * Reading, growing and shortening the history file. Knows nothing of line editing.
 */
#include "history.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* BASE and TAIL joined, a directory; NULL: it is none, and cannot be made. BASE is freed. */
static char *directory(char *base, const char *tail)
{
	struct stat status;
	char *path = NULL;

	if (base && asprintf(&path, "%s%s", base, tail) < 0)
		path = NULL;
	free(base);
	if (path)
		mkdir(path, 0700);
	if (path && (stat(path, &status) != 0 || !S_ISDIR(status.st_mode))) {
		free(path);
		return NULL;
	}
	return path;
}

static char *state_directory(void)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

	if (state && *state == '/')
		return directory(strdup(state), "");
	if (!home || *home != '/' || access(home, F_OK) != 0)
		return NULL;
	return directory(directory(strdup(home), "/.local"), "/state");
}

char *history_file_path(void)
{
	char *base = directory(state_directory(), "/vmm_client"), *path = NULL;

	if (base && asprintf(&path, "%s/history", base) < 0)
		path = NULL;
	free(base);
	return path;
}

/* A file of ours that nobody else reads; -1. */
static int file_open(const char *path, int flags)
{
	struct stat status;
	int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600);

	if (fd < 0)
		return -1;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid() &&
	    fchmod(fd, 0600) == 0)
		return fd;
	close(fd);
	return -1;
}

/* The last HISTORY_FILE_SIZE bytes, from a line's start on, NUL-terminated, to be freed; CUT: there
 * is more in front of them. */
static char *file_read(const char *path, bool *cut)
{
	int fd = file_open(path, O_RDONLY);
	char *text = malloc(HISTORY_FILE_SIZE + 1);
	off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
	off_t from = size > HISTORY_FILE_SIZE ? size - HISTORY_FILE_SIZE : 0;
	ssize_t got = fd < 0 || !text ? -1 : pread(fd, text, HISTORY_FILE_SIZE, from);

	if (fd >= 0)
		close(fd);
	if (got < 0) {
		free(text);
		return NULL;
	}
	text[got] = '\0';
	*cut = from > 0;
	char *start = *cut ? strchr(text, '\n') : NULL;
	if (start)
		memmove(text, start + 1, strlen(start + 1) + 1);
	return text;
}

/* Where the last HISTORY_LINES lines of TEXT start. */
static const char *last_lines(const char *text, bool *cut)
{
	size_t lines = 0;

	for (const char *at = text + strlen(text); at > text; at--)
		if (at[-1] == '\n' && ++lines > HISTORY_LINES) {
			*cut = true;
			return at;
		}
	return text;
}

/* Sessions side by side may lose a line here, never have half a file. */
static void file_replace(const char *path, const char *text)
{
	char *fresh = NULL;
	size_t len = strlen(text);

	if (asprintf(&fresh, "%s.%ld", path, (long)getpid()) < 0)
		return;
	int fd = file_open(fresh, O_WRONLY | O_CREAT | O_EXCL);
	bool whole = fd >= 0 && write(fd, text, len) == (ssize_t)len;
	if (fd >= 0)
		close(fd);
	if (!whole || rename(fresh, path) != 0)
		unlink(fresh);
	free(fresh);
}

void history_file_load(const char *path, void (*take)(const char *line))
{
	bool cut = false;
	char *text = file_read(path, &cut), *rest = NULL;

	if (!text)
		return;
	const char *last = last_lines(text, &cut);
	if (cut)
		file_replace(path, last);
	for (char *line = strtok_r(text + (last - text), "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		take(line);
	free(text);
}

void history_file_append(const char *path, const char *line)
{
	char *text = NULL;
	int len = asprintf(&text, "%s\n", line);
	int fd = len < 0 ? -1 : file_open(path, O_WRONLY | O_APPEND | O_CREAT);

	if (fd >= 0) {
		/* One write: lines of sessions side by side stay whole. */
		ssize_t ignored = write(fd, text, (size_t)len);
		(void)ignored;
		close(fd);
	}
	if (len >= 0)
		free(text);
}
