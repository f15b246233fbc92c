/* What a node really shows, in words that are the same on every node that shows the same. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/cleanup.h"
#include "lib/view/octal.h"
#include "lib/view/order.h"
#include "lib/view/sync.h"

enum standing { STANDS = 0, DRIFTS, UNUSABLE };

static const char *kind_name(enum jail_entry_kind kind)
{
	switch (kind) {
	case JAIL_ENTRY_BIND:
		return "bind";
	case JAIL_ENTRY_HIDE:
		return "hide";
	case JAIL_ENTRY_TMPFS:
		return "tmpfs";
	case JAIL_ENTRY_PROC:
		return "proc";
	case JAIL_ENTRY_PRIVATE:
		return "private";
	case JAIL_ENTRY_MARKER:
		return "marker";
	}
	return "unknown";
}

static int entry_text(const struct jail_view *view, const struct jail_entry *entry,
		      const struct jail_fact *fact, enum standing standing, struct jail_buffer *ret)
{
	char options[32];
	bool bind = entry->kind == JAIL_ENTRY_BIND;
	int r = jail_octal_escape(ret, view->root);
	if (r == 0)
		r = jail_buffer_puts(ret, " ");
	if (r == 0)
		r = jail_octal_escape(ret, entry->target);
	if (r < 0)
		return r;
	if (bind && entry->optional && fact->code == ENOENT)
		return jail_buffer_puts(ret, " absent\n");
	if (standing != STANDS)
		return jail_buffer_puts(ret, standing == DRIFTS ? " drift\n" : " unusable\n");
	if (bind && fact->link) {
		r = jail_buffer_puts(ret, " link ");
		if (r == 0)
			r = jail_octal_escape(ret, fact->link);
		return r < 0 ? r : jail_buffer_puts(ret, "\n");
	}
	r = jail_buffer_printf(ret, " %s ", kind_name(entry->kind));
	if (r == 0)
		r = jail_octal_escape(ret, bind ? entry->source : "-");
	if (r == 0)
		r = jail_buffer_printf(ret, " %s",
				       entry->options ? jail_options_text(entry->options, options) : "-");
	if (r == 0 && entry->kind == JAIL_ENTRY_TMPFS)
		r = jail_buffer_printf(ret, " size=%llu,mode=%04o", (unsigned long long)entry->size,
				       (unsigned)entry->mode);
	if (r == 0 && entry->kind == JAIL_ENTRY_PROC)
		r = jail_buffer_printf(ret, " hidepid=%s", jail_hidepid_name(entry->hidepid));
	return r < 0 ? r : jail_buffer_puts(ret, "\n");
}

static void mark(enum standing **standings, const struct jail_plan *plan, const struct jail_views *views)
{
	for (size_t i = 0; i < plan->n_grant; i++) {
		const struct jail_action *action = &plan->grant[i];
		if (action->view == SIZE_MAX)
			continue;
		if (action->entry != SIZE_MAX) {
			standings[action->view][action->entry] = DRIFTS;
			continue;
		}
		/* The root itself, or something in the way of what lies below it. */
		const struct jail_view *view = &views->views[action->view];
		const char *rest = jail_order_rest(action->path, view->root);
		for (size_t e = 0; e < view->n_entries; e++)
			if (rest && jail_order_rest(view->entries[e].target, rest[0] ? rest : "/"))
				standings[action->view][e] = DRIFTS;
	}
	for (size_t i = 0; i < plan->n_problems; i++) {
		const struct jail_problem_entry *problem = &plan->problems[i];
		const struct jail_view *view = &views->views[problem->view];
		standings[problem->view][problem->entry] = UNUSABLE;
		for (size_t e = 0; e < view->n_entries; e++)
			if (view->entries[e].kind == JAIL_ENTRY_MARKER && problem->breaks)
				standings[problem->view][e] = UNUSABLE;
	}
}

static int views_text(const struct jail_views *views, const struct jail_observation *observation,
		      enum standing **standings, struct jail_buffer *ret)
{
	for (size_t v = 0; v < views->n_views; v++) {
		const struct jail_view *view = &views->views[v];
		for (size_t e = 0; e < view->n_entries; e++) {
			int r = entry_text(view, &view->entries[e], &observation->facts[v][e],
					   standings[v][e], ret);
			if (r < 0)
				return r;
		}
	}
	/* What is mounted and should not be, sorted too. */
	const struct jail_plan *plan = &observation->plan;
	for (size_t i = plan->n_revoke; i > 0; i--) {
		const struct jail_action *action = &plan->revoke[i - 1];
		if (action->kind != JAIL_ACTION_UNMOUNT)
			continue;
		int r = jail_octal_escape(ret, action->path);
		if (r == 0)
			r = jail_buffer_puts(ret, " extra\n");
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < views->n_users; i++) {
		int r = jail_buffer_printf(ret, "%s ", views->users[i].user);
		if (r == 0)
			r = jail_octal_escape(ret, views->views[views->users[i].view].root);
		if (r == 0)
			r = jail_buffer_puts(ret, "\n");
		if (r < 0)
			return r;
	}
	return 0;
}

int jail_observation_text(const struct jail_views *views, const struct jail_observation *observation,
			  struct jail_buffer *ret, struct jail_error *err)
{
	enum standing **standings = calloc(views->n_views + 1, sizeof *standings);
	int r = standings ? 0 : -ENOMEM;
	for (size_t v = 0; v < views->n_views && r == 0; v++) {
		standings[v] = calloc(views->views[v].n_entries + 1, sizeof **standings);
		r = standings[v] ? 0 : -ENOMEM;
	}
	if (r == 0) {
		mark(standings, &observation->plan, views);
		r = views_text(views, observation, standings, ret);
	}
	for (size_t v = 0; standings && v < views->n_views; v++)
		free(standings[v]);
	free((void *)standings);
	return r < 0 ? jail_error_sys(err, -r, "cannot describe the views") : 0;
}
