/* Private to lib/view/plan*.c: a plan in the making. */
#pragma once

#include "lib/view/scene.h"

struct jail_planner {
	struct jail_scene scene;
	const struct jail_made *made; /* sorted by path */
	size_t n_made;
	struct jail_plan plan;
	bool roots_anew; /* the directory of roots is self-bound by this plan: nothing below it is visible
			    then */
	bool *root_anew; /* [view] the same for its root, or what is mounted on the root goes */
	size_t n_first;	 /* actions of grant that come before those of the views: roots, strays in the way */
};

/* Appends to grant or revoke. 0 or -ENOMEM. */
int jail_planner_grant(struct jail_planner *planner, const struct jail_action *action, const char *path,
		       const char *reason);
int jail_planner_revoke(struct jail_planner *planner, const struct jail_action *action, const char *path,
			const char *reason);

/* Roots that are missing, or not private, or not unbindable. */
int jail_planner_roots(struct jail_planner *planner);
/* Mounts that no entry wants: those in the way of an entry go at once, the others are revoked. */
int jail_planner_strays(struct jail_planner *planner);
/* Whether what an entry with a silent source shows is mounted below entry: it could not be mounted again, so
 * nothing is done that it would go with. 1, 0 or -ENOMEM. */
int jail_planner_waits(const struct jail_planner *planner, size_t view, size_t entry);
/* The entries of one view, in order, the marker last. */
int jail_planner_view(struct jail_planner *planner, size_t view);
/* What the agent made and nobody needs. */
int jail_planner_leftovers(struct jail_planner *planner);
