/* What a plan is going to make goes into the manifest first, all at once. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "lib/base/cleanup.h"
#include "lib/view/apply_parts.h"
#include "lib/view/order.h"
#include "lib/view/scene.h"

static bool exists(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0;
}

static int announce(struct jail_applier *applier, char type, const char *path)
{
	const struct jail_made *made = jail_manifest_find(&applier->manifest, path);
	if (made ? made->type == type : exists(path))
		return 0;
	return jail_manifest_add(&applier->manifest, type, path);
}

/* The directories above a root: those below the directory of all roots, or all that are missing. */
static int announce_above(struct jail_applier *applier, const char *root)
{
	const char *rest = jail_order_rest(root, applier->node->roots_dir);
	size_t base = rest ? strlen(root) - strlen(rest) : 0;
	jail_autofree char *path = strdup(root);
	if (!path)
		return -ENOMEM;
	for (;;) {
		char *slash = strrchr(path, '/');
		if ((size_t)(slash - path) <= base)
			return 0;
		*slash = '\0';
		int r = announce(applier, 'd', path);
		if (r < 0)
			return r;
	}
}

/* Whether something else than the root's own skeleton stands at path: what is made there goes with it. */
static bool is_in_mount(const struct jail_applier *applier, size_t v, const char *target)
{
	const struct jail_view *view = &applier->views->views[v];
	size_t e = jail_scene_first(view, target);
	if (e == view->n_entries || strcmp(view->entries[e].target, target) != 0)
		return false;
	const struct jail_fact *fact = &applier->observation->facts[v][e];
	return view->entries[e].kind != JAIL_ENTRY_BIND || (fact->code == 0 && !fact->link);
}

static int announce_target(struct jail_applier *applier, const struct jail_action *action, char **last_dir)
{
	const struct jail_view *view = &applier->views->views[action->view];
	const struct jail_entry *entry = &view->entries[action->entry];
	const struct jail_fact *fact = &applier->observation->facts[action->view][action->entry];
	size_t root_len = strlen(view->root);
	char *slash = strrchr(action->path, '/');
	size_t dir_len = (size_t)(slash - action->path);

	/* Most targets have the directory of the one before. */
	if (!*last_dir || strlen(*last_dir) != dir_len || memcmp(*last_dir, action->path, dir_len) != 0) {
		free(*last_dir);
		*last_dir = strndup(action->path, dir_len);
		jail_autofree char *dir = *last_dir ? strdup(*last_dir) : NULL;
		if (!dir)
			return -ENOMEM;
		for (char *p = dir + root_len; *p; p++) {
			size_t n = 1 + strcspn(p + 1, "/");
			char after = p[n];
			p[n] = '\0';
			int r = is_in_mount(applier, action->view, dir + root_len)
					? 1
					: announce(applier, 'd', dir);
			p[n] = after;
			if (r != 0) {
				/* Not remembered: the next one must find out as well. */
				free(*last_dir);
				*last_dir = NULL;
				return r < 0 ? r : 0;
			}
			p += n - 1;
		}
	}
	bool file = entry->kind == JAIL_ENTRY_BIND && !fact->is_dir;
	const char *type = action->kind == JAIL_ACTION_SYMLINK ? "l" : file ? "f" : "d";
	return announce(applier, *type, action->path);
}

int jail_apply_announce(struct jail_applier *applier, struct jail_error *err)
{
	const struct jail_plan *plan = &applier->observation->plan;
	jail_autofree char *last_dir = NULL;
	int r = jail_manifest_copy(applier->observation->made, applier->observation->n_made,
				   &applier->manifest);
	for (size_t i = 0; i < plan->n_grant && r == 0; i++) {
		const struct jail_action *action = &plan->grant[i];
		if (action->kind == JAIL_ACTION_ROOT && action->view != SIZE_MAX) {
			r = announce_above(applier, action->path);
			/* A root that exists is the agent's all the same: it is what it keeps. */
			const struct jail_made *made = jail_manifest_find(&applier->manifest, action->path);
			if (r == 0 && (!made || made->type != 'r'))
				r = jail_manifest_add(&applier->manifest, 'r', action->path);
		} else if (action->kind == JAIL_ACTION_SYMLINK ||
			   (action->kind == JAIL_ACTION_MOUNT && action->how == JAIL_HOW_NEW))
			r = announce_target(applier, action, &last_dir);
	}
	if (r < 0)
		return jail_error_sys(err, -r, "cannot write down what is made in the views");
	jail_manifest_sort(&applier->manifest);
	return jail_manifest_write(applier->node->manifest, &applier->manifest, NULL, err);
}
