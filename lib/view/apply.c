/* Carrying out what a plan grants. */
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/view/apply_parts.h"
#include "lib/view/order.h"
#include "lib/view/walk.h"

int jail_applied_say(struct jail_applied *applied, const char *format, ...)
{
	va_list args;
	char *text = NULL;
	va_start(args, format);
	int n = vasprintf(&text, format, args);
	va_end(args);
	char **slot = n < 0 ? NULL : JAIL_ARRAY_PUSH(applied->messages, applied->n_messages);
	if (!slot) {
		if (n >= 0)
			free(text);
		return -ENOMEM;
	}
	*slot = text;
	applied->n_messages++;
	return 0;
}

void jail_applied_release(struct jail_applied *applied)
{
	for (size_t i = 0; i < applied->n_messages; i++)
		free(applied->messages[i]);
	free((void *)applied->messages);
	*applied = (struct jail_applied){0};
}

static int carry_out(struct jail_applier *applier, const struct jail_action *action, struct jail_error *err)
{
	switch (action->kind) {
	case JAIL_ACTION_ROOT:
		jail_target_forget(applier);
		return jail_root_make(applier, action->view, err);
	case JAIL_ACTION_UNMOUNT:
		jail_target_forget(applier);
		return jail_detach(&applier->observation->table, action->path, &applier->applied->unmounts,
				   err);
	case JAIL_ACTION_MOUNT:
		return jail_apply_mount(applier, action, err);
	case JAIL_ACTION_SYMLINK:
		return jail_apply_link(applier, action, err);
	case JAIL_ACTION_REMOVE:
		break;
	}
	return jail_error_set(err, EINVAL, "%s: nothing that a plan grants", action->path);
}

/* Notes what a failure means for the view. */
static int note_failure(struct jail_applier *applier, const struct jail_action *action,
			const struct jail_error *why)
{
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	size_t v = action->view;
	applier->applied->failures++;
	if (action->kind == JAIL_ACTION_ROOT && v == SIZE_MAX)
		applier->roots_fail = true;
	if (v != SIZE_MAX) {
		bool breaks =
			action->entry == SIZE_MAX || jail_entry_breaks(jail_applier_entry(applier, action));
		applier->failed[v] = applier->failed[v] || breaks;
		applier->rootless[v] = applier->rootless[v] || action->kind == JAIL_ACTION_ROOT;
	}
	if (jail_action_text(action, applier->views, &text) < 0)
		return -ENOMEM;
	return jail_applied_say(applier->applied, "%s: %s", text.data, why->message);
}

/* Whether an action is left alone: nothing can stand in a root that is not there, and nobody may enter a
 * view that is not whole. */
static bool is_moot(struct jail_applier *applier, const struct jail_action *action)
{
	size_t v = action->view;
	if (v == SIZE_MAX || action->kind == JAIL_ACTION_UNMOUNT)
		return false;
	if (applier->roots_fail && jail_order_rest(applier->views->views[v].root, applier->node->roots_dir))
		applier->rootless[v] = applier->failed[v] = true;
	if (applier->rootless[v])
		return true;
	return applier->failed[v] && action->kind == JAIL_ACTION_MOUNT &&
	       jail_applier_entry(applier, action)->kind == JAIL_ENTRY_MARKER;
}

/* How many actions make one mount with all that stands in it: those are put together where nobody is, and
 * attached at once. */
static size_t count_group(const struct jail_plan *plan, size_t first)
{
	const struct jail_action *action = &plan->grant[first];
	size_t n = 1;
	if (action->kind != JAIL_ACTION_MOUNT || action->how == JAIL_HOW_REMOUNT)
		return 1;
	while (first + n < plan->n_grant) {
		const struct jail_action *below = &plan->grant[first + n];
		if (below->view != action->view ||
		    (below->kind != JAIL_ACTION_MOUNT && below->kind != JAIL_ACTION_SYMLINK) ||
		    !jail_order_rest(below->path, action->path))
			break;
		n++;
	}
	return n;
}

static int carry_out_each(struct jail_applier *applier, const struct jail_action *actions, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct jail_error why;
		if (is_moot(applier, &actions[i]) || carry_out(applier, &actions[i], &why) == 0)
			continue;
		int r = note_failure(applier, &actions[i], &why);
		if (r < 0)
			return r;
	}
	return 0;
}

/* actions[0] with all that stands in it. When something of that fails that the view can't do without, it is
 * not attached: what should be covered would not be. */
static int carry_out_group(struct jail_applier *applier, const struct jail_action *actions, size_t n)
{
	struct jail_error why;
	if (is_moot(applier, &actions[0]))
		return 0;
	if (jail_apply_stage(applier, &actions[0], &why) < 0) {
		int r = note_failure(applier, &actions[0], &why);
		/* The old one, if there is any, still stands with all that is in it. */
		return r < 0 || actions[0].how == JAIL_HOW_REPLACE
			       ? r
			       : carry_out_each(applier, actions + 1, n - 1);
	}
	for (size_t i = 1; i < n; i++) {
		if (carry_out(applier, &actions[i], &why) == 0)
			continue;
		int r = note_failure(applier, &actions[i], &why);
		if (r < 0 || jail_entry_breaks(jail_applier_entry(applier, &actions[i]))) {
			jail_stage_drop(applier);
			return r;
		}
	}
	return jail_apply_unstage(applier, &actions[0], &why) < 0 ? note_failure(applier, &actions[0], &why)
								  : 0;
}

static int carry_out_all(struct jail_applier *applier, struct jail_error *err)
{
	const struct jail_plan *plan = &applier->observation->plan;
	size_t n;
	for (size_t i = 0; i < plan->n_grant; i += n) {
		n = count_group(plan, i);
		int r = n == 1 ? carry_out_each(applier, &plan->grant[i], 1)
			       : carry_out_group(applier, &plan->grant[i], n);
		if (r < 0)
			return jail_error_sys(err, -r, "cannot go on with the views");
	}
	jail_target_forget(applier);
	return 0;
}

/* Takes the marker off every view that something failed in. One that stays on keeps none of the others open;
 * the first error is returned. */
static int close_failed(struct jail_applier *applier, struct jail_error *err)
{
	jail_automounttable struct jail_mount_table table = {0};
	int first = 0;
	for (size_t v = 0; v < applier->views->n_views; v++) {
		struct jail_error why = {0};
		const char *root = applier->views->views[v].root;
		if (!applier->failed[v])
			continue;
		int r = table.n_lines ? 0 : jail_mount_table_read(&table, &why);
		jail_autofree char *path = jail_order_join(root, JAIL_MARKER_TARGET);
		if (r == 0 && !path)
			r = jail_error_sys(&why, ENOMEM, "cannot close %s", root);
		if (r == 0)
			r = jail_detach(&table, path, &applier->applied->unmounts, &why);
		if (r == 0 &&
		    jail_applied_say(applier->applied, "%s is not complete: nobody is let in", root) < 0)
			r = jail_error_sys(&why, ENOMEM, "cannot say that %s is closed", root);
		if (r == 0 || first < 0)
			continue;
		first = r;
		if (err)
			*err = why;
	}
	return first;
}

/* When the work stops in the middle every view that it was to change counts as failed: the plan has its own
 * reason for each, and none is known to be whole. */
static void fail_all_planned(struct jail_applier *applier)
{
	const struct jail_plan *plan = &applier->observation->plan;
	for (size_t i = 0; i < plan->n_grant; i++)
		if (plan->grant[i].view != SIZE_MAX)
			applier->failed[plan->grant[i].view] = true;
}

/* Views that the plan closes are closed even if nothing else can be begun. */
static void fail_closing(struct jail_applier *applier)
{
	const struct jail_plan *plan = &applier->observation->plan;
	for (size_t i = 0; i < plan->n_grant; i++) {
		const struct jail_action *action = &plan->grant[i];
		if (action->kind != JAIL_ACTION_UNMOUNT || action->view == SIZE_MAX)
			continue;
		const char *rest = jail_order_rest(action->path, applier->views->views[action->view].root);
		if (rest && strcmp(rest, JAIL_MARKER_TARGET) == 0)
			applier->failed[action->view] = true;
	}
}

/* Whatever goes wrong, what is known to be incomplete is closed in the end. */
static int grant(struct jail_applier *applier, struct jail_error *err)
{
	struct jail_error why = {0};
	int r = jail_apply_announce(applier, err);
	if (r < 0)
		fail_closing(applier);
	else {
		r = carry_out_all(applier, err);
		if (r == 0 && applier->read_back)
			r = jail_apply_read_back(applier, err);
		if (r < 0)
			fail_all_planned(applier);
	}
	int closed = close_failed(applier, &why);
	if (r < 0 || closed == 0)
		return r;
	return jail_error_set(err, why.code, "%s", why.message);
}

int jail_apply_grant(const struct jail_node *node, const struct jail_views *views,
		     const struct jail_observation *observation, struct jail_applied *ret,
		     struct jail_error *err)
{
	struct jail_applier applier = {
		.node = node,
		.views = views,
		.observation = observation,
		.applied = ret,
		.place = {.view = SIZE_MAX, .root = -1, .fd = -1, .zone_fd = -1},
		.source = JAIL_SOURCE_CACHE_INIT,
		.stage = {.fd = -1, .view = SIZE_MAX},
	};
	if (observation->plan.n_grant == 0)
		return 0;
	applier.failed = calloc(views->n_views + 1, sizeof *applier.failed);
	applier.rootless = calloc(views->n_views + 1, sizeof *applier.rootless);
	int r = applier.failed && applier.rootless ? grant(&applier, err)
						   : jail_error_sys(err, ENOMEM, "cannot carry out the plan");
	jail_target_forget(&applier);
	jail_stage_end(&applier);
	jail_source_forget(&applier.source);
	jail_manifest_release(&applier.manifest);
	free(applier.failed);
	free(applier.rootless);
	return r;
}
