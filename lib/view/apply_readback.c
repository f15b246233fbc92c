#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/cleanup.h"
#include "lib/view/apply_parts.h"
#include "lib/view/order.h"
#include "lib/view/scene.h"
#include "lib/view/walk.h"

/* Whether another entry, deeper than e, is mounted at or above target: not e's then. */
static bool is_anothers(const struct jail_view *view, size_t e, const char *target)
{
	const char *own = view->entries[e].target;
	for (size_t i = e + 1; i < view->n_entries && jail_order_rest(view->entries[i].target, own); i++)
		if (jail_order_rest(target, view->entries[i].target))
			return true;
	return false;
}

/* The first mount at or below the bind that lacks an option or still follows the host. */
static const struct jail_mount_line *find_lack(const struct jail_mount_table *table,
					       const struct jail_view *view, size_t e, const char *path)
{
	unsigned options = view->entries[e].options;
	size_t end;
	for (size_t i = jail_mount_table_range(table, path, &end); i < end; i++) {
		const struct jail_mount_line *line = &table->lines[i];
		const char *target = jail_order_rest(line->mount_point, view->root);
		if (line->visible && target && !is_anothers(view, e, target) &&
		    ((line->options & options) != options || line->master || line->shared))
			return line;
	}
	return NULL;
}

static int take_back(struct jail_applier *applier, const struct jail_mount_table *table,
		     const struct jail_action *action, const char *lacking, struct jail_error *err)
{
	struct jail_error why;
	applier->applied->failures++;
	if (jail_entry_breaks(&applier->views->views[action->view].entries[action->entry]))
		applier->failed[action->view] = true;
	int r = jail_applied_say(applier->applied,
				 "mount %s: %s did not get the options of the policy; it is "
				 "unmounted again",
				 action->path, lacking);
	if (r == 0 && jail_detach(table, action->path, &applier->applied->unmounts, &why) < 0)
		r = jail_applied_say(applier->applied, "%s", why.message);
	return r < 0 ? jail_error_sys(err, -r, "cannot go on with the views") : 0;
}

int jail_apply_read_back(struct jail_applier *applier, struct jail_error *err)
{
	const struct jail_plan *plan = &applier->observation->plan;
	jail_automounttable struct jail_mount_table table = {0};
	int r = jail_mount_table_read(&table, err);
	for (size_t i = 0; i < plan->n_grant && r == 0; i++) {
		const struct jail_action *action = &plan->grant[i];
		if (action->kind != JAIL_ACTION_MOUNT || action->how == JAIL_HOW_REMOUNT)
			continue;
		const struct jail_view *view = &applier->views->views[action->view];
		const struct jail_entry *entry = &view->entries[action->entry];
		if (entry->kind != JAIL_ENTRY_BIND || !entry->options)
			continue;
		const struct jail_mount_line *lack = find_lack(&table, view, action->entry, action->path);
		if (lack)
			r = take_back(applier, &table, action, lack->mount_point, err);
	}
	return r;
}
