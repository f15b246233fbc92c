/* A view as a list of mounts: what a jail's members see, expanded for them. Building it is pure: no system
 * call, no look at the file system, so that it is tested by tables of text. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "lib/base/error.h"
#include "lib/policy/cache.h"

/* The directory in every view's root that carries the marker: a bind from a 0700 directory of root's, which
 * no user can forge because no user can reach its source. */
#define JAIL_MARKER_TARGET "/.clusterjail"

enum jail_entry_kind {
	JAIL_ENTRY_BIND = 1,
	JAIL_ENTRY_HIDE,
	JAIL_ENTRY_TMPFS,
	JAIL_ENTRY_PROC,
	JAIL_ENTRY_PRIVATE, /* a directory of the user's own: namespace views only */
	JAIL_ENTRY_MARKER,  /* always the last to come and the first to go */
};

struct jail_entry {
	enum jail_entry_kind kind;
	char *target;	  /* path inside the view, normal form, never "/" */
	char *source;	  /* bind and marker: host path, else NULL */
	unsigned options; /* JAIL_OPT_* */
	bool optional;
	bool personal; /* made for one member (%u, %g, %h in its target): a bind of this kind that fails
			  keeps out only that member, at the door (jail_enter_open) */
	bool owned;    /* the source is a home (%h): it must belong to owner */
	uid_t owner;
	uint64_t size;		   /* tmpfs: bytes, 0: default */
	mode_t mode;		   /* tmpfs, private */
	bool in_memory;		   /* private */
	enum jail_hidepid hidepid; /* proc */
};

/* Entries are sorted so that a parent comes before what lies below it (lib/view/order.h), each target at
 * most once. A plain bind (no options) that an enclosing plain bind already brings (same place relative to
 * both sources) is left out: binds are recursive. options are complete: hide, tmpfs and proc have what they
 * always have (hide ro,nosuid,nodev,noexec; tmpfs nosuid,nodev; proc nosuid,nodev,noexec). */
struct jail_view {
	char *jail; /* name */
	char *root; /* host path, expanded, normal form */
	struct jail_entry *entries;
	size_t n_entries;
};

struct jail_view_user {
	char *user;
	size_t view; /* index into views */
};

/* What a node has: the views of all its chroot jails (one a root) and which user goes to which. */
struct jail_views {
	struct jail_view *views; /* sorted by root, component by component; no root at or below another */
	size_t n_views;
	struct jail_view_user *users; /* sorted by user */
	size_t n_users;
	char **warnings; /* sentences: members who were left out, because nothing can be expanded for them */
	size_t n_warnings;
};

/* Builds the view of one jail for the given members (one for a root with %u; all of a shared root; for a root
 * that expands nothing members may be empty). marker_dir: host directory whose subdirectory named like the
 * jail is the marker's source. Errors: -EINVAL expansion (names target and user), -EEXIST two entries with
 * one target that differ, -ENOMEM, -EBADMSG. Two that differ only in being optional, or in whose home it is,
 * are one: required holds, and it must be the home of the lower uid. */
int jail_view_build(const struct jail_cache *cache, size_t jail, const struct jail_member *members,
		    size_t n_members, const char *marker_dir, struct jail_view *ret, struct jail_error *err);
void jail_view_release(struct jail_view *view);
#define jail_autoview __attribute__((cleanup(jail_view_release)))

/* All of a node's views from its cache: members of the cache, grouped by root. A shared or untemplated root
 * exists only when a rule of this node leads to its jail. A member for whom nothing can be expanded (a home
 * of "/"), or whose name or home gives an entry or a root that clashes with another, is left out with a
 * warning; the door refuses them. Errors: -EEXIST two jails with one root, or one inside the other, and those
 * of jail_view_build. */
int jail_views_build(const struct jail_cache *cache, const char *marker_dir, struct jail_views *ret,
		     struct jail_error *err);
void jail_views_release(struct jail_views *views);
#define jail_autoviews __attribute__((cleanup(jail_views_release)))
