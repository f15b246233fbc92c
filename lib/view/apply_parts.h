/* Private to apply*.c, target*.c, root.c, revoke.c, teardown.c: a plan being carried out. */
#pragma once

#include "lib/view/manifest.h"
#include "lib/view/source.h"
#include "lib/view/stage.h"
#include "lib/view/sync.h"

/* What kind of place a directory below a root is in, and so whether the agent may make something there. */
enum jail_zone {
	JAIL_ZONE_SKELETON, /* the root's own mount */
	JAIL_ZONE_HIDE,	    /* read-only: written through a private copy */
	JAIL_ZONE_TMPFS,
	JAIL_ZONE_FOREIGN, /* a bind, or anything else: what is mounted on must be there */
};

/* The directory that was opened last: most mount points are many in one. */
struct jail_place_cache {
	size_t view; /* SIZE_MAX: nothing */
	int root;    /* of view */
	char *dir;   /* path inside the view */
	int fd;
	enum jail_zone zone;
	int zone_fd; /* hide: root of its mount */
};

/* The entry that is being put together in private: what stands in it is made there. */
struct jail_stage {
	int fd;	     /* O_PATH, root of its mount; -1: none */
	size_t view; /* SIZE_MAX: targets are the view's own */
	size_t entry;
};

struct jail_applier {
	const struct jail_node *node;
	const struct jail_views *views;
	const struct jail_observation *observation;
	struct jail_applied *applied;
	struct jail_manifest manifest;
	struct jail_place_cache place;
	struct jail_source_cache source;
	struct jail_stage stage;
	bool *failed;	 /* [view] an entry that breaks it failed */
	bool *rootless;	 /* [view] its root could not be made */
	bool roots_fail; /* nor the directory of all roots */
	bool read_back;	 /* binds with options were mounted */
};

/* Appends a sentence to applied->messages. 0 or -ENOMEM. */
int jail_applied_say(struct jail_applied *applied, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static inline const struct jail_entry *jail_applier_entry(const struct jail_applier *applier,
							  const struct jail_action *action)
{
	return &applier->views->views[action->view].entries[action->entry];
}

/* MOUNT and SYMLINK of an entry. */
int jail_apply_mount(struct jail_applier *applier, const struct jail_action *action, struct jail_error *err);
int jail_apply_link(struct jail_applier *applier, const struct jail_action *action, struct jail_error *err);
/* MOUNT in two steps: made where nobody sees it, so that what stands in it can be made there first, then
 * attached in one move. On failure nothing is left of it. */
int jail_apply_stage(struct jail_applier *applier, const struct jail_action *action, struct jail_error *err);
int jail_apply_unstage(struct jail_applier *applier, const struct jail_action *action,
		       struct jail_error *err);

struct jail_pending;
/* lib/view/stage.c: attaches pending in the private place; targets below action's are in it from then on. */
int jail_stage_begin(struct jail_applier *applier, const struct jail_action *action,
		     const struct jail_pending *pending, struct jail_error *err);
/* Detaches the mounts of users in what is there (jail_drift_is_users). */
int jail_stage_drop_users(struct jail_applier *applier, struct jail_error *err);
/* Targets are the view's own again. */
void jail_stage_leave(struct jail_applier *applier);
/* Detaches what is there. */
void jail_stage_drop(struct jail_applier *applier);
void jail_stage_end(struct jail_applier *applier);

/* Opens the directory that the entry's target lies in; it stays the cache's. Missing directories are made in
 * the skeleton, in a hide and in a tmpfs of the view. Every component must be root's and not writable by
 * others, but the root of a tmpfs of the view, which is sticky. */
int jail_target_parent(struct jail_applier *applier, size_t view, const char *target,
		       const struct jail_place_cache **ret, struct jail_error *err);
/* Opens (O_PATH) the mount point name in the directory place, a directory or else a file, and makes it where
 * it is missing and may be made. path: host path. */
int jail_target_open(struct jail_applier *applier, const struct jail_place_cache *place, const char *name,
		     bool is_dir, const char *path, int *ret_fd, struct jail_error *err);
/* In a tmpfs that users write to: makes name root's own directory or file, and moves aside what somebody has
 * put there, so that one member's file keeps nobody out. Nothing of it is lost or followed. */
int jail_target_claim(struct jail_applier *applier, const struct jail_place_cache *place, const char *name,
		      bool is_dir, const char *path, struct jail_error *err);
/* Makes name a symlink with this text. */
int jail_target_link(struct jail_applier *applier, const struct jail_place_cache *place, const char *name,
		     const char *text, const char *path, struct jail_error *err);
void jail_target_forget(struct jail_applier *applier);
/* A descriptor of the directory place that can be written to: a duplicate, or for a hide a writable copy that
 * nobody else sees. */
int jail_hide_open(const struct jail_place_cache *place, int *ret_fd, struct jail_error *err);
/* Makes the hide read-only again where this kernel had to make it writable in place. */
void jail_hide_close(const struct jail_place_cache *place);

/* ROOT of one view, or of the directory of all roots (view SIZE_MAX). */
int jail_root_make(struct jail_applier *applier, size_t view, struct jail_error *err);

/* Adds what this plan is going to make to applier->manifest and writes it. */
int jail_apply_announce(struct jail_applier *applier, struct jail_error *err);

/* Reads the mount table once more and takes back every bind that has not got its options on every mount
 * (a bind ignores flags, and each kernel has had its own idea of the rest): a failure of its action. */
int jail_apply_read_back(struct jail_applier *applier, struct jail_error *err);

/* Removes one thing of the manifest that the agent made, with nothing mounted at or below it, in the mount
 * that its root (of the manifest, or roots_dir) is in: what a bind shows is the host's. Returns 1 gone, 0
 * kept because it is not empty or not in that mount (*why says so), or negative errno. */
int jail_leftover_remove(const struct jail_mount_table *table, const struct jail_manifest *manifest,
			 const char *roots_dir, const struct jail_made *made, struct jail_error *why);
/* Detaches the self-bind of a root that lies elsewhere, if nothing is mounted below. */
int jail_root_release(const char *path, size_t *ret_count, struct jail_error *err);
