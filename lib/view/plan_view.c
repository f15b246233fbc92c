/* The entries of one view against what is mounted below its root. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/cleanup.h"
#include "lib/view/order.h"
#include "lib/view/plan_parts.h"

/* Whether a self-bind that this plan makes lies in the source of a bind: a bind that is there already gets a
 * copy of it (it follows), and only a new one leaves it out, since it is unbindable. */
static bool contains_new_root(const struct jail_planner *planner, const struct jail_fact *fact)
{
	const struct jail_scene *scene = &planner->scene;
	if (!fact->path)
		return false;
	if (planner->roots_anew && jail_order_rest(scene->roots_dir, fact->path))
		return true;
	for (size_t i = 0; i < planner->n_first; i++) {
		const struct jail_action *action = &planner->plan.grant[i];
		if (action->kind == JAIL_ACTION_ROOT && action->view != SIZE_MAX &&
		    !jail_order_rest(action->path, scene->roots_dir) &&
		    !jail_mount_table_self_bind(scene->table, action->path) &&
		    jail_order_rest(action->path, fact->path))
			return true;
	}
	return false;
}

/* Whether what is mounted on path goes with a stray that is in the way. */
static bool is_cut_off(const struct jail_planner *planner, const char *path)
{
	for (size_t i = 0; i < planner->n_first; i++) {
		const struct jail_action *action = &planner->plan.grant[i];
		if (action->kind == JAIL_ACTION_UNMOUNT && jail_order_rest(path, action->path))
			return true;
	}
	return false;
}

static int plan_link(struct jail_planner *planner, size_t v, size_t e, const char *path, const char *remade)
{
	const struct jail_fact *fact = &planner->scene.facts[v][e];
	bool anew = remade && jail_order_rest(planner->scene.views->views[v].entries[e].target, remade);
	bool mounted = !planner->root_anew[v] && !anew && jail_mount_table_on(planner->scene.table, path);
	if (!mounted && !anew && fact->target_link && strcmp(fact->target_link, fact->link) == 0)
		return 0;
	const struct jail_action action = {
		.kind = JAIL_ACTION_SYMLINK,
		.how = mounted ? JAIL_HOW_REPLACE : JAIL_HOW_NEW,
		.view = v,
		.entry = e,
	};
	return jail_planner_grant(planner, &action, path,
				  anew		      ? "what it stands in is made anew"
				  : mounted	      ? "a mount is there"
				  : fact->target_link ? "another link is there"
						      : "missing");
}

int jail_planner_waits(const struct jail_planner *planner, size_t v, size_t e)
{
	const struct jail_scene *scene = &planner->scene;
	const struct jail_view *view = &scene->views->views[v];
	for (size_t i = e + 1;
	     i < view->n_entries && jail_order_rest(view->entries[i].target, view->entries[e].target); i++) {
		if (scene->states[v][i] != JAIL_STATE_UNKNOWN)
			continue;
		jail_autofree char *path = jail_order_join(view->root, view->entries[i].target);
		if (!path)
			return -ENOMEM;
		if (jail_mount_table_on(scene->table, path))
			return 1;
	}
	return 0;
}

/* remade: the target mounted anew last; what stands in it goes with the old one. */
static int plan_mount(struct jail_planner *planner, size_t v, size_t e, const char *path, const char **remade)
{
	const struct jail_scene *scene = &planner->scene;
	const struct jail_entry *entry = &scene->views->views[v].entries[e];
	struct jail_action action = {.kind = JAIL_ACTION_MOUNT, .view = v, .entry = e};
	jail_autofree char *reason = NULL;
	const char *why = NULL;

	const struct jail_mount_line *top = jail_mount_table_on(scene->table, path);
	if (planner->root_anew[v] || is_cut_off(planner, path) ||
	    (*remade && jail_order_rest(entry->target, *remade)))
		why = top ? "what it stands in is made anew" : "missing";
	else if (!top)
		why = "missing";
	else {
		int r = jail_drift_entry(scene, v, e, top, &reason, &action.how);
		if (r < 0)
			return r;
		why = reason;
		if (!why && entry->kind == JAIL_ENTRY_BIND &&
		    contains_new_root(planner, &scene->facts[v][e])) {
			why = "a root lies in its source";
			action.how = JAIL_HOW_REPLACE;
		}
	}
	if (!why)
		return 0;
	if (action.how != JAIL_HOW_REMOUNT && !planner->root_anew[v]) {
		int waits = jail_planner_waits(planner, v, e);
		if (waits != 0)
			return waits < 0 ? waits : 0;
	}
	if (action.how != JAIL_HOW_REMOUNT && !(*remade && jail_order_rest(entry->target, *remade)))
		*remade = entry->target;
	return jail_planner_grant(planner, &action, path, why);
}

static int plan_entry(struct jail_planner *planner, size_t v, size_t e, const char **remade)
{
	const struct jail_view *view = &planner->scene.views->views[v];
	jail_autofree char *path = jail_order_join(view->root, view->entries[e].target);
	if (!path)
		return -ENOMEM;
	switch (planner->scene.states[v][e]) {
	case JAIL_STATE_LINK:
		return plan_link(planner, v, e, path, *remade);
	case JAIL_STATE_LIVE:
		return plan_mount(planner, v, e, path, remade);
	case JAIL_STATE_ABSENT:
	case JAIL_STATE_UNKNOWN:
		break;
	}
	return 0;
}

/* A broken view is closed before anything else happens in it. */
static int plan_closing(struct jail_planner *planner, size_t v)
{
	const struct jail_view *view = &planner->scene.views->views[v];
	const struct jail_action action = {.kind = JAIL_ACTION_UNMOUNT, .view = v, .entry = SIZE_MAX};
	jail_autofree char *path = jail_order_join(view->root, JAIL_MARKER_TARGET);
	if (!path)
		return -ENOMEM;
	if (!planner->scene.broken[v] || planner->root_anew[v] ||
	    !jail_mount_table_on(planner->scene.table, path))
		return 0;
	/* It was found as a stray too; now is better than later. */
	for (size_t i = 0; i < planner->plan.n_revoke; i++) {
		struct jail_action *stray = &planner->plan.revoke[i];
		if (strcmp(stray->path, path) != 0)
			continue;
		free(stray->path);
		free(stray->reason);
		memmove(stray, stray + 1, (--planner->plan.n_revoke - i) * sizeof *stray);
		break;
	}
	return jail_planner_grant(planner, &action, path, "the view is not complete");
}

int jail_planner_view(struct jail_planner *planner, size_t v)
{
	const struct jail_view *view = &planner->scene.views->views[v];
	const char *remade = NULL;
	size_t marker = SIZE_MAX;

	int r = plan_closing(planner, v);
	for (size_t e = 0; e < view->n_entries && r == 0; e++) {
		if (view->entries[e].kind == JAIL_ENTRY_MARKER)
			marker = e;
		else
			r = plan_entry(planner, v, e, &remade);
	}
	remade = NULL;
	return r == 0 && marker != SIZE_MAX ? plan_entry(planner, v, marker, &remade) : r;
}
