/* What the plan looks at, in one place, and what each entry comes to given the facts. Private to the pure
 * part of lib/view. */
#pragma once

#include "lib/view/plan.h"

enum jail_state {
	JAIL_STATE_ABSENT = 0, /* not there: optional and missing, or it can't be had */
	JAIL_STATE_LIVE,       /* to be mounted */
	JAIL_STATE_LINK,       /* to be a symlink */
	JAIL_STATE_UNKNOWN,    /* its source does not answer: what is mounted stays as it is */
};

struct jail_scene {
	const struct jail_views *views;
	const struct jail_mount_table *table;
	const struct jail_fact *const *facts;
	const char *roots_dir;
	enum jail_state **states; /* [view][entry] */
	bool *broken;		  /* [view] */
};

/* Works out states and broken, and appends what can't be had to plan->problems. 0 or -ENOMEM. */
int jail_scene_init(struct jail_scene *scene, struct jail_plan *plan);
void jail_scene_release(struct jail_scene *scene);
#define jail_autoscene __attribute__((cleanup(jail_scene_release)))

/* Whether what was found may stand at the entry's target: at a directory that programs trust blindly only
 * what nobody but root can change, or what the host has there itself. */
bool jail_entry_may_stand(const struct jail_entry *entry, const struct jail_fact *fact);
/* Index of the first entry of view whose target is not before path (path inside the view). */
size_t jail_scene_first(const struct jail_view *view, const char *path);
/* The deepest entry at or above path that is, or may be, mounted; SIZE_MAX: none. */
size_t jail_scene_governor(const struct jail_scene *scene, size_t view, const char *path);
/* Whether some entry at or below path is wanted: LIVE, LINK or UNKNOWN. strictly: below only. */
bool jail_scene_wants(const struct jail_scene *scene, size_t view, const char *path, bool strictly);
/* The view whose root is at or above the host path; SIZE_MAX: none. */
size_t jail_scene_view_of(const struct jail_views *views, const char *path);

/* How a mounted entry differs from what it should be: *ret_reason NULL (it does not) or a new string.
 * top: the mount on its target. 0 or -ENOMEM. */
int jail_drift_entry(const struct jail_scene *scene, size_t view, size_t entry,
		     const struct jail_mount_line *top, char **ret_reason, enum jail_how *ret_how);
/* The same for binds only: place, options, propagation, submounts. */
int jail_drift_bind(const struct jail_scene *scene, size_t view, size_t entry,
		    const struct jail_mount_line *top, char **ret_reason);
/* Such a one that a user other than root mounted. */
bool jail_drift_is_users(const struct jail_mount_line *line);
/* File systems that users may mount in their own directories (fusermount3(1)): theirs, not drift. */
bool jail_drift_is_fuse(const struct jail_mount_line *line);
