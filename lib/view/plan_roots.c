/* Roots, and mounts and directories that belong to nothing. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/cleanup.h"
#include "lib/view/order.h"
#include "lib/view/plan_parts.h"
#include "lib/view/stage.h"

static const struct jail_made *find_made(const struct jail_planner *planner, const char *path)
{
	size_t low = 0;
	size_t high = planner->n_made;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int r = jail_order_compare(planner->made[middle].path, path);
		if (r == 0)
			return &planner->made[middle];
		if (r < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* What is wrong with the mount that a directory of root's must be: NULL nothing. */
static const char *self_bind_drift(const struct jail_mount_table *table, const char *path)
{
	const struct jail_mount_line *line = jail_mount_table_self_bind(table, path);
	if (!line)
		return "not mounted on itself";
	if (line->shared || line->master)
		return "not private";
	return line->unbindable ? NULL : "not unbindable";
}

static int plan_root(struct jail_planner *planner, size_t v)
{
	const struct jail_view *view = &planner->scene.views->views[v];
	const struct jail_action action = {.kind = JAIL_ACTION_ROOT, .view = v, .entry = SIZE_MAX};
	const struct jail_made *made = find_made(planner, view->root);
	const char *reason = !made || made->type != 'r' || !made->present ? "missing" : NULL;

	if (jail_order_rest(view->root, planner->scene.roots_dir))
		planner->root_anew[v] = planner->roots_anew;
	else {
		const char *drift = self_bind_drift(planner->scene.table, view->root);
		planner->root_anew[v] = !jail_mount_table_self_bind(planner->scene.table, view->root);
		if (!reason)
			reason = drift;
	}
	return reason ? jail_planner_grant(planner, &action, view->root, reason) : 0;
}

int jail_planner_roots(struct jail_planner *planner)
{
	const struct jail_scene *scene = &planner->scene;
	const struct jail_action action = {.kind = JAIL_ACTION_ROOT, .view = SIZE_MAX, .entry = SIZE_MAX};
	if (scene->views->n_views == 0)
		return 0;
	planner->roots_anew = !jail_mount_table_self_bind(scene->table, scene->roots_dir);
	const char *reason = self_bind_drift(scene->table, scene->roots_dir);
	int r = reason ? jail_planner_grant(planner, &action, scene->roots_dir, reason) : 0;
	for (size_t v = 0; v < scene->views->n_views && r == 0; v++)
		r = plan_root(planner, v);
	return r;
}

static bool hangs_from(const struct jail_mount_table *table, const struct jail_mount_line *line,
		       const struct jail_mount_line *top)
{
	for (size_t i = 0; i <= table->n_lines && line; i++) {
		if (line == top)
			return true;
		line = jail_mount_table_by_id(table, line->parent);
	}
	return false;
}

/* Whether what is mounted on rest of a view would be covered, and be out of reach for ever, by an entry above
 * it that is yet to be mounted. 1, 0 or -ENOMEM. */
static int is_in_the_way(const struct jail_planner *planner, size_t v, const char *rest,
			 const struct jail_mount_line *line)
{
	const struct jail_scene *scene = &planner->scene;
	const struct jail_view *view = &scene->views->views[v];
	jail_autofree char *above = strdup(rest);
	if (!above)
		return -ENOMEM;
	*strrchr(above, '/') = '\0';
	size_t e = jail_scene_governor(scene, v, above);
	if (e == SIZE_MAX || scene->states[v][e] != JAIL_STATE_LIVE)
		return 0;
	int waits = jail_planner_waits(planner, v, e);
	if (waits != 0)
		return waits < 0 ? waits : 0;
	jail_autofree char *path = jail_order_join(view->root, view->entries[e].target);
	if (!path)
		return -ENOMEM;
	const struct jail_mount_line *top = jail_mount_table_on(scene->table, path);
	return !top || !hangs_from(scene->table, line, top);
}

/* Whether line, which is below a root and not in the way, belongs there. */
static bool is_wanted(const struct jail_planner *planner, size_t v, const char *rest,
		      const struct jail_mount_line *line)
{
	const struct jail_scene *scene = &planner->scene;
	const struct jail_view *view = &scene->views->views[v];
	size_t e = jail_scene_first(view, rest);
	if (e < view->n_entries && strcmp(view->entries[e].target, rest) == 0 &&
	    scene->states[v][e] == JAIL_STATE_LINK)
		return true; /* making the link detaches it */
	e = jail_scene_governor(scene, v, rest);
	if (e == SIZE_MAX)
		return false;
	const struct jail_entry *entry = &view->entries[e];
	if (strcmp(entry->target, rest) == 0 || entry->kind == JAIL_ENTRY_BIND)
		return true; /* submounts of a bind are compared with its source's */
	return entry->kind == JAIL_ENTRY_TMPFS && jail_drift_is_fuse(line);
}

/* Plans the end of line if it is a stray. Returns 1 when it was, 0 or -ENOMEM. */
static int plan_stray(struct jail_planner *planner, const struct jail_mount_line *line)
{
	const struct jail_scene *scene = &planner->scene;
	size_t v = jail_scene_view_of(scene->views, line->mount_point);
	struct jail_action action = {.kind = JAIL_ACTION_UNMOUNT, .view = v, .entry = SIZE_MAX};
	int r;
	const char *in_roots = jail_order_rest(line->mount_point, scene->roots_dir);
	if (v == SIZE_MAX && in_roots && jail_order_rest(in_roots, JAIL_STAGE_DIR)) {
		r = jail_planner_grant(planner, &action, line->mount_point, "left half-made");
		return r < 0 ? r : 1;
	}
	if (v == SIZE_MAX) {
		r = jail_planner_revoke(planner, &action, line->mount_point, "not in the policy");
		return r < 0 ? r : 1;
	}
	const struct jail_view *view = &scene->views->views[v];
	const char *rest = jail_order_rest(line->mount_point, view->root);
	/* A self-bind, unless the directory of all roots is the one. */
	if (rest[0] == '\0' && !jail_order_rest(view->root, scene->roots_dir))
		return 0;
	int in_the_way = rest[0] ? is_in_the_way(planner, v, rest, line) : 1;
	if (in_the_way < 0 || (!in_the_way && is_wanted(planner, v, rest, line)))
		return in_the_way;
	/* Entries below it would be mounted into it, and go with it. */
	if (in_the_way || jail_scene_wants(scene, v, rest, true)) {
		if (rest[0] == '\0')
			planner->root_anew[v] = true;
		r = jail_planner_grant(planner, &action, line->mount_point, "in the way");
		return r < 0 ? r : 1;
	}
	size_t e = jail_scene_first(view, rest);
	bool unusable = e < view->n_entries && strcmp(view->entries[e].target, rest) == 0;
	r = jail_planner_revoke(planner, &action, line->mount_point,
				unusable ? "its source is gone or can't be used" : "not in the policy");
	return r < 0 ? r : 1;
}

/* All strays below one directory. last: the one planned last, with which all below it goes. */
static int strays_below(struct jail_planner *planner, const char *dir)
{
	const struct jail_mount_table *table = planner->scene.table;
	const char *last = NULL;
	size_t end;
	for (size_t i = jail_mount_table_range(table, dir, &end); i < end; i++) {
		const struct jail_mount_line *line = &table->lines[i];
		if (!line->visible || strcmp(line->mount_point, dir) == 0 ||
		    (last && jail_order_rest(line->mount_point, last)))
			continue;
		int r = plan_stray(planner, line);
		if (r < 0)
			return r;
		if (r == 1)
			last = line->mount_point;
	}
	return 0;
}

int jail_planner_strays(struct jail_planner *planner)
{
	const struct jail_scene *scene = &planner->scene;
	int r = planner->roots_anew ? 0 : strays_below(planner, scene->roots_dir);
	for (size_t v = 0; v < scene->views->n_views && r == 0; v++) {
		const char *root = scene->views->views[v].root;
		/* What a root's new self-bind covers can't be seen, nor reached, any more. */
		if (!planner->root_anew[v] && !jail_order_rest(root, scene->roots_dir))
			r = strays_below(planner, root);
	}
	for (size_t i = 0; i < planner->n_made && r == 0; i++) {
		const struct jail_made *made = &planner->made[i];
		if (made->type == 'r' && !jail_order_rest(made->path, scene->roots_dir) &&
		    jail_scene_view_of(scene->views, made->path) == SIZE_MAX)
			r = strays_below(planner, made->path);
	}
	return r;
}

/* A directory above roots is needed as long as one of them is. */
static bool holds_a_root(const struct jail_views *views, const char *path)
{
	for (size_t v = 0; v < views->n_views; v++)
		if (jail_order_rest(views->views[v].root, path))
			return true;
	return false;
}

int jail_planner_leftovers(struct jail_planner *planner)
{
	const struct jail_scene *scene = &planner->scene;
	for (size_t i = 0; i < planner->n_made; i++) {
		const struct jail_made *made = &planner->made[i];
		size_t v = jail_scene_view_of(scene->views, made->path);
		const char *rest =
			v != SIZE_MAX ? jail_order_rest(made->path, scene->views->views[v].root) : NULL;
		/* Below what is mounted the path leads into another file system, perhaps the host's own. */
		bool needed = rest ? rest[0] == '\0' || jail_scene_wants(scene, v, rest, false) ||
					      jail_scene_governor(scene, v, rest) != SIZE_MAX
				   : holds_a_root(scene->views, made->path);
		/* The marker's place stays as long as the view: it comes back when the view is whole. */
		if (rest && strcmp(rest, JAIL_MARKER_TARGET) == 0)
			needed = true;
		if (needed)
			continue;
		const struct jail_action action = {
			.kind = JAIL_ACTION_REMOVE, .view = SIZE_MAX, .entry = SIZE_MAX};
		int r = jail_planner_revoke(planner, &action, made->path, "nothing needs it");
		if (r < 0)
			return r;
	}
	return 0;
}
