/*
 * Volumes as vmmd has them in memory. Places are delegations with volumes (a top delegation's stays
 * once there is a file system of its own); volume_dir.h has the files.
 */
#ifndef VMM_VOLUME_H
#define VMM_VOLUME_H

#include "daemon.h"
#include "storage.h"
#include "vm.h"

/* Of a top delegation: so that no delegate can make the root process grow. */
#define VOLUMES_MAX 4096

enum volume_state {
	VOLUME_MAKING,	 /* its room is taken; nobody sees it yet */
	VOLUME_READY,	 /* the only ones that exist for anybody who asks */
	VOLUME_REMOVING, /* nobody sees it any more */
};

struct volume {
	struct volume *next;
	struct place *place;
	char name[NAME_SIZE];
	uint32_t size_mb;
	enum volume_state state;
	struct transfer *transfer; /* under way; NULL: none */
};

struct place {
	struct place *next;
	struct path path;
	struct volume *first;
	bool revoked; /* it and everything below it is about to be removed */
};

struct volumes {
	struct storage storage;
	struct place *places;
	struct job *jobs;	    /* that run or wait, in the order in which they were added */
	struct transfer *transfers; /* uploads and dumps under way */
	struct removal *removals;   /* of what was revoked */
};

/* Visits every place; NULL after the last. */
const struct place *place_next(const struct daemon *d, const struct place *place);
/* Finds the place of the delegation at PATH; NULL: it has none. */
struct place *place_find(const struct volumes *all, const struct path *path);
/* Makes it where there is none; NULL without memory. */
struct place *place_get(struct volumes *all, const struct path *path);
/* Forgets what is at PATH and below, every volume there included. */
void places_forget(struct volumes *all, const struct path *path);

/* The volume NAME of the delegation at PATH, in whatever state; NULL. */
struct volume *volume_find(const struct volumes *all, const struct path *path, const char *name);
/* A new one, MAKING; NULL without memory. */
struct volume *volume_new(struct volumes *all, const struct path *path, const char *name,
			  uint32_t size_mb);
/* Forgets it, and its place where that was the last. */
void volume_forget(struct volumes *all, struct volume *volume);
/* Names, without the first SKIP nodes, into OUT (PATH_TEXT_SIZE bytes). */
void volume_path(const struct volume *volume, unsigned skip, char *out);
/* Whether VM lives and its certificate names VOLUME; the first VM that has it, NULL. */
bool volume_held_by(const struct volume *volume, const struct vm *vm);
const struct vm *volume_holder(const struct daemon *d, const struct volume *volume);
/* How many there are below the top delegation of PATH. */
unsigned volumes_count(const struct volumes *all, const struct path *path);

#endif
