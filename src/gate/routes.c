/* The routes, and how a request finds its own. */
#include "routes.h"

#include <stdio.h>
#include <string.h>

#include "handlers.h"

const struct route routes[ROUTES] = {
    {"GET", "/", "any", "", whoami_start, whoami_reply, NULL},
    {"GET", "/vms", "info", "", list_start, list_reply, NULL},
    {"GET", "/vms/PATH", "info", "", list_start, list_reply, NULL},
    {"POST", "/vms", "vm", "force", start_start, start_reply, NULL},
    {"DELETE", "/vms/PATH", "image", "", destroy_start, destroy_reply, NULL},
    {"GET", "/vms/PATH/console", "console", "since lines follow", console_start, console_reply,
     NULL},
    {"GET", "/vms/statistics", "statistics", "", statistics_start, statistics_reply, NULL},
    {"GET", "/vms/PATH/statistics", "statistics", "", statistics_start, statistics_reply, NULL},
    {"GET", "/metrics", "statistics", "", metrics_start, metrics_reply, NULL},
    {"GET", "/log", "log", "since follow", log_start, log_reply, NULL},
    {"GET", "/volumes", "block", "", volumes_start, volumes_reply, NULL},
    {"GET", "/volumes/PATH", "block", "", volumes_start, volumes_reply, NULL},
    {"PUT", "/volumes/PATH", "block", "size", volume_create_start, volume_create_reply, NULL},
    {"DELETE", "/volumes/PATH", "block", "", volume_destroy_start, destroy_reply, NULL},
    {"GET", "/volumes/PATH/data", "block", "", volume_read_start, volume_read_reply, NULL},
    {"PUT", "/volumes/PATH/data", "block", "", volume_write_start, volume_write_reply,
     volume_write_body},
    {"POST", "/revocations", "revocation", "", revoke_start, revoke_reply, NULL},
};

/* Joins N components into PATH; false: no room, so no VM's. */
static bool path_join(const char *const *component, unsigned n, char *path)
{
	size_t used = 0;

	for (unsigned i = 0; i < n; i++) {
		size_t len = strlen(component[i]);

		if (used + len + 2 > PATH_TEXT_SIZE)
			return false;
		if (i > 0)
			path[used++] = '/';
		memcpy(path + used, component[i], len);
		used += len;
	}
	path[used] = '\0';
	return true;
}

/* How many components PATH in front of the rest of a pattern stands for, of the N left. */
static unsigned path_length(const char *rest, unsigned n)
{
	unsigned behind = 0;

	for (; *rest; rest++)
		behind += *rest == '/';
	return n > behind ? n - behind : 0;
}

static bool is_reserved(const struct target *target, unsigned n)
{
	return name_reserved(target->component[n], strlen(target->component[n]));
}

static bool pattern_matches(const char *pattern, const struct target *target, char *path)
{
	unsigned at = 0, n;

	*path = '\0';
	if (!strcmp(pattern, "/"))
		return target->ncomponents == 0;
	while (*pattern == '/') {
		const char *component = ++pattern;
		size_t len = strcspn(component, "/");

		pattern += len;
		if (at == target->ncomponents)
			return false;
		if (len != 4 || memcmp(component, "PATH", 4) != 0) {
			if (strlen(target->component[at]) != len ||
			    memcmp(target->component[at], component, len) != 0)
				return false;
			at++;
			continue;
		}
		n = path_length(pattern, target->ncomponents - at);
		if (n == 0 || is_reserved(target, at + n - 1) ||
		    !path_join(target->component + at, n, path))
			return false;
		at += n;
	}
	return at == target->ncomponents;
}

enum route_match route_find(const char *method, const struct target *target,
			    const struct route **out, char *path)
{
	enum route_match match = ROUTE_NONE;

	for (size_t i = 0; i < ROUTES; i++) {
		if (!pattern_matches(routes[i].pattern, target, path))
			continue;
		if (match == ROUTE_NONE)
			*out = &routes[i];
		match = ROUTE_METHOD;
		if (strcmp(routes[i].method, method) != 0)
			continue;
		*out = &routes[i];
		return ROUTE_FOUND;
	}
	return match;
}

const char *route_misnamed(const struct target *target)
{
	unsigned n = target->ncomponents;

	return n > 1 && !strcmp(target->component[0], "volumes") && is_reserved(target, n - 1)
		   ? target->component[n - 1]
		   : NULL;
}

static bool has_word(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = words; *at; at += strcspn(at, " "), at += *at == ' ') {
		if (strcspn(at, " ") == len && !memcmp(at, word, len))
			return true;
	}
	return false;
}

const char *route_stray_parameter(const struct route *route, const struct target *target)
{
	for (unsigned i = 0; i < target->nparameters; i++) {
		if (!has_word(route->parameters, target->parameter[i].name))
			return target->parameter[i].name;
	}
	return NULL;
}

void route_methods(const struct route *route, char *out, size_t size)
{
	size_t n = 0;

	*out = '\0';
	for (size_t i = 0; i < ROUTES && n < size; i++) {
		if (!strcmp(routes[i].pattern, route->pattern))
			n += (size_t)snprintf(out + n, size - n, "%s%s", n > 0 ? ", " : "",
					      routes[i].method);
	}
}
