#include "lib/view/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/array.h"
#include "lib/view/order.h"
#include "lib/view/plan_parts.h"

static void release_actions(struct jail_action *actions, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(actions[i].path);
		free(actions[i].reason);
	}
	free(actions);
}

void jail_plan_release(struct jail_plan *plan)
{
	release_actions(plan->grant, plan->n_grant);
	release_actions(plan->revoke, plan->n_revoke);
	for (size_t i = 0; i < plan->n_problems; i++)
		free(plan->problems[i].message);
	free(plan->problems);
	*plan = (struct jail_plan){0};
}

bool jail_plan_is_empty(const struct jail_plan *plan)
{
	return plan->n_grant == 0 && plan->n_revoke == 0 && plan->n_problems == 0;
}

static int append(struct jail_action **actions, size_t *n, const struct jail_action *action, const char *path,
		  const char *reason)
{
	struct jail_action *slot = JAIL_ARRAY_PUSH(*actions, *n);
	if (!slot)
		return -ENOMEM;
	*slot = *action;
	slot->path = strdup(path);
	slot->reason = strdup(reason);
	++*n;
	return slot->path && slot->reason ? 0 : -ENOMEM;
}

int jail_planner_grant(struct jail_planner *planner, const struct jail_action *action, const char *path,
		       const char *reason)
{
	return append(&planner->plan.grant, &planner->plan.n_grant, action, path, reason);
}

int jail_planner_revoke(struct jail_planner *planner, const struct jail_action *action, const char *path,
			const char *reason)
{
	return append(&planner->plan.revoke, &planner->plan.n_revoke, action, path, reason);
}

/* Markers first, so that nobody enters what is being taken down, then children before parents; what is
 * removed comes after all that is unmounted. */
static int compare_revokes(const void *a, const void *b)
{
	const struct jail_action *x = a;
	const struct jail_action *y = b;
	if (x->kind != y->kind)
		return x->kind == JAIL_ACTION_UNMOUNT ? -1 : 1;
	size_t marker = strlen(JAIL_MARKER_TARGET);
	size_t n = strlen(x->path);
	size_t m = strlen(y->path);
	bool x_marker = n > marker && strcmp(x->path + n - marker, JAIL_MARKER_TARGET) == 0;
	bool y_marker = m > marker && strcmp(y->path + m - marker, JAIL_MARKER_TARGET) == 0;
	if (x->kind == JAIL_ACTION_UNMOUNT && x_marker != y_marker)
		return x_marker ? -1 : 1;
	return jail_order_compare(y->path, x->path);
}

static int make(struct jail_planner *planner)
{
	int r = jail_scene_init(&planner->scene, &planner->plan);
	if (r == 0)
		r = jail_planner_roots(planner);
	if (r == 0)
		r = jail_planner_strays(planner);
	planner->n_first = planner->plan.n_grant;
	for (size_t v = 0; v < planner->scene.views->n_views && r == 0; v++)
		r = jail_planner_view(planner, v);
	if (r == 0)
		r = jail_planner_leftovers(planner);
	if (r == 0 && planner->plan.n_revoke > 0)
		qsort(planner->plan.revoke, planner->plan.n_revoke, sizeof *planner->plan.revoke,
		      compare_revokes);
	return r;
}

static int compare_made(const void *a, const void *b)
{
	const struct jail_made *x = a;
	const struct jail_made *y = b;
	return jail_order_compare(x->path, y->path);
}

int jail_plan_make(const struct jail_views *views, const struct jail_mount_table *table,
		   const struct jail_fact *const *facts, const struct jail_made *made, size_t n_made,
		   const char *roots_dir, struct jail_plan *ret, struct jail_error *err)
{
	struct jail_made *sorted = calloc(n_made + 1, sizeof *sorted); /* its strings are the caller's */
	bool *root_anew = calloc(views->n_views + 1, sizeof *root_anew);
	struct jail_planner planner = {
		.scene = {views, table, facts, roots_dir, NULL, NULL},
		.made = sorted,
		.n_made = n_made,
		.root_anew = root_anew,
	};
	int r = sorted && root_anew ? 0 : -ENOMEM;
	if (r == 0) {
		if (n_made > 0) {
			memcpy(sorted, made, n_made * sizeof *made);
			qsort(sorted, n_made, sizeof *sorted, compare_made);
		}
		r = make(&planner);
	}
	jail_scene_release(&planner.scene);
	free(sorted);
	free(root_anew);
	if (r < 0) {
		jail_plan_release(&planner.plan);
		return jail_error_sys(err, -r, "cannot compare the views with the mount table");
	}
	*ret = planner.plan;
	return 0;
}
