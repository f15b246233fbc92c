/* A plan in words. */
#include <errno.h>
#include <string.h>
#include "lib/view/plan.h"

static int mount_text(const struct jail_action *action, const struct jail_entry *entry,
		      struct jail_buffer *ret)
{
	char options[32];
	const char *verb = action->how == JAIL_HOW_REPLACE   ? "remount"
			   : action->how == JAIL_HOW_REMOUNT ? "change"
							     : "mount";
	int r = 0;
	switch (entry->kind) {
	case JAIL_ENTRY_BIND:
		r = jail_buffer_printf(ret, "%s %s from %s", verb, action->path, entry->source);
		break;
	case JAIL_ENTRY_HIDE:
		r = jail_buffer_printf(ret, "%s hide %s", verb, action->path);
		break;
	case JAIL_ENTRY_TMPFS:
		r = jail_buffer_printf(ret, "%s tmpfs %s", verb, action->path);
		break;
	case JAIL_ENTRY_PROC:
		r = jail_buffer_printf(ret, "%s proc %s", verb, action->path);
		break;
	case JAIL_ENTRY_PRIVATE:
		r = jail_buffer_printf(ret, "%s private %s", verb, action->path);
		break;
	case JAIL_ENTRY_MARKER:
		r = jail_buffer_printf(ret, "%s marker %s", verb, action->path);
		break;
	}
	if (r == 0 && entry->kind == JAIL_ENTRY_BIND && entry->options)
		r = jail_buffer_printf(ret, " with %s", jail_options_text(entry->options, options));
	return r;
}

int jail_action_text(const struct jail_action *action, const struct jail_views *views,
		     struct jail_buffer *ret)
{
	int r = 0;
	switch (action->kind) {
	case JAIL_ACTION_MOUNT:
		r = mount_text(action, &views->views[action->view].entries[action->entry], ret);
		break;
	case JAIL_ACTION_ROOT:
		r = jail_buffer_printf(ret, "make root %s", action->path);
		break;
	case JAIL_ACTION_UNMOUNT:
		r = jail_buffer_printf(ret, "unmount %s", action->path);
		break;
	case JAIL_ACTION_SYMLINK:
		r = jail_buffer_printf(ret, "link %s as %s", action->path,
				       views->views[action->view].entries[action->entry].source);
		break;
	case JAIL_ACTION_REMOVE:
		r = jail_buffer_printf(ret, "remove %s", action->path);
		break;
	}
	return r < 0 ? r : jail_buffer_printf(ret, " (%s)", action->reason);
}

static int actions_text(const struct jail_action *actions, size_t n, const struct jail_views *views,
			struct jail_buffer *ret)
{
	for (size_t i = 0; i < n; i++) {
		int r = jail_action_text(&actions[i], views, ret);
		if (r == 0)
			r = jail_buffer_puts(ret, "\n");
		if (r < 0)
			return r;
	}
	return 0;
}

int jail_plan_text(const struct jail_plan *plan, const struct jail_views *views, struct jail_buffer *ret)
{
	int r = actions_text(plan->grant, plan->n_grant, views, ret);
	if (r == 0)
		r = actions_text(plan->revoke, plan->n_revoke, views, ret);
	for (size_t i = 0; i < plan->n_problems && r == 0; i++) {
		const struct jail_problem_entry *problem = &plan->problems[i];
		const struct jail_view *view = &views->views[problem->view];
		r = jail_buffer_printf(ret, "problem %s%s: %s\n", view->root,
				       view->entries[problem->entry].target, problem->message);
	}
	return r;
}
