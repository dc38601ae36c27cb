/*
 * Found by the mount's own number: device numbers would not do, as btrfs has others for its files
 * than for its mounts.
 */
#include "mounted.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Spaces and backslashes are written as \040 and the like. */
static int unescape(const char *from, char *out, size_t size)
{
	size_t n = 0;

	for (; *from; from++) {
		if (n + 1 >= size)
			return -ENAMETOOLONG;
		if (from[0] == '\\' && from[1] && from[2] && from[3]) {
			out[n++] = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + from[3] -
					  '0');
			from += 3;
		} else {
			out[n++] = *from;
		}
	}
	out[n] = 0;
	return 0;
}

/* "ID PARENT DEVICE ROOT POINT OPTIONS [FIELD]... - TYPE SOURCE OPTIONS" */
static int read_line(char *line, struct mounted *out)
{
	char *at = strstr(line, " - "), *type, *source, *next = NULL;
	int error;

	if (at == NULL)
		return -EIO;
	type = strtok_r(at + 3, " \n", &next);
	source = strtok_r(NULL, " \n", &next);
	if (source == NULL)
		return -EIO;
	error = unescape(type, out->type, sizeof(out->type));
	return error ? error : unescape(source, out->source, sizeof(out->source));
}

int mounted_at(int fd, struct mounted *out)
{
	struct statx st;
	char *line = NULL;
	size_t size = 0;
	int error = -ENOENT;
	FILE *list;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &st) < 0)
		return -errno;
	list = fopen("/proc/self/mountinfo", "re");
	if (list == NULL)
		return -errno;
	while (error == -ENOENT && getline(&line, &size, list) > 0)
		if (strtoull(line, NULL, 10) == st.stx_mnt_id)
			error = read_line(line, out);
	free(line);
	fclose(list);
	return error;
}
