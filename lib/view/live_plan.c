/* What an open namespace view lacks, and what it still has. Pure. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/view/live.h"
#include "lib/view/namespace.h"
#include "lib/view/order.h"

void jail_live_plan_release(struct jail_live_plan *plan)
{
	free(plan->acts);
	for (size_t i = 0; i < plan->n_denied; i++)
		free(plan->denied[i]);
	free(plan->denied);
	for (size_t i = 0; i < plan->n_granted; i++)
		free(plan->granted[i]);
	free(plan->granted);
	*plan = (struct jail_live_plan){0};
}

bool jail_live_plan_is_empty(const struct jail_live_plan *plan)
{
	return plan->n_add == 0 && plan->n_denied == 0 && plan->n_granted == 0;
}

/* Everything that a view mounts but plain binds has no master: what comes from the host follows it. */
static bool is_own(const struct jail_mount_line *line)
{
	return line->master == 0 && line->shared == 0;
}

static bool is_hide(const struct jail_mount_line *line)
{
	static const unsigned all = JAIL_OPT_RO | JAIL_OPT_NOSUID | JAIL_OPT_NODEV | JAIL_OPT_NOEXEC;
	return is_own(line) && strcmp(line->fstype, "tmpfs") == 0 && (line->options & all) == all &&
	       strstr(line->super_options, "size=4k") != NULL;
}

/* A file system that the host has at the same place is the host's. */
static bool is_hosts(const struct jail_mount_line *line, const struct jail_mount_table *host)
{
	const struct jail_mount_line *there = jail_mount_table_on(host, line->mount_point);
	return there && there->major == line->major && there->minor == line->minor;
}

static bool shows(const struct jail_mount_line *line, const struct jail_mount_table *host, const char *source)
{
	const struct jail_mount_line *home = jail_mount_table_at(host, source);
	return home && jail_mount_shows(line, home, source);
}

/* The directory of the user's own that stands for target; NULL: ENOMEM. */
static char *private_source(const struct jail_places_of_node *places, uid_t owner, bool in_memory,
			    const char *target)
{
	return jail_private_path(in_memory ? places->private_memory : places->private_disk, owner, target);
}

static int is_in_place(const struct jail_entry *entry, const struct jail_places_of_node *places, uid_t owner,
		       const struct jail_mount_line *line, const struct jail_mount_table *host)
{
	jail_autofree char *source = NULL;
	switch (entry->kind) {
	case JAIL_ENTRY_BIND:
		return shows(line, host, entry->source) && (line->options & entry->options) == entry->options;
	case JAIL_ENTRY_HIDE:
		return is_hide(line);
	case JAIL_ENTRY_TMPFS:
		return is_own(line) && !is_hosts(line, host) && strcmp(line->fstype, "tmpfs") == 0 &&
		       !is_hide(line);
	case JAIL_ENTRY_PROC:
		return is_own(line) && !is_hosts(line, host) && strcmp(line->fstype, "proc") == 0;
	case JAIL_ENTRY_PRIVATE:
		source = private_source(places, owner, entry->in_memory, entry->target);
		return source ? shows(line, host, source) : -ENOMEM;
	case JAIL_ENTRY_MARKER:
		break;
	}
	return 1; /* by it the view was found */
}

static int plan_entries(const struct jail_view *view, const struct jail_places_of_node *places, uid_t owner,
			const struct jail_mount_table *session, const struct jail_mount_table *host,
			struct jail_live_plan *plan)
{
	for (size_t i = 0; i < view->n_entries; i++) {
		const struct jail_entry *entry = &view->entries[i];
		const struct jail_mount_line *line = jail_mount_table_on(session, entry->target);
		int r = entry->kind == JAIL_ENTRY_MARKER ? 1
			: line				 ? is_in_place(entry, places, owner, line, host)
							 : 0;
		if (r < 0)
			return r;
		plan->acts[i] = r ? JAIL_LIVE_KEEP : JAIL_LIVE_ADD;
		plan->n_add += !r;
	}
	return 0;
}

/* The deepest entry of the view at or above path; NULL: none. */
static const struct jail_entry *entry_above(const struct jail_view *view, const char *path)
{
	for (size_t i = view->n_entries; i-- > 0;)
		if (jail_order_rest(path, view->entries[i].target))
			return &view->entries[i];
	return NULL;
}

static int push(char ***list, size_t *n, const char *text)
{
	char **slot = JAIL_ARRAY_PUSH(*list, *n);
	if (!slot)
		return -ENOMEM;
	*slot = strdup(text);
	++*n;
	return *slot ? 0 : -ENOMEM;
}

static bool is_listed(char *const *list, size_t n, const char *path)
{
	for (size_t i = 0; i < n; i++)
		if (jail_order_rest(path, list[i]))
			return true;
	return false;
}

static int is_private(const struct jail_mount_line *line, const struct jail_places_of_node *places,
		      uid_t owner, const struct jail_mount_table *host)
{
	for (int in_memory = 0; in_memory < 2; in_memory++) {
		if (!*(in_memory ? places->private_memory : places->private_disk))
			continue;
		jail_autofree char *source = private_source(places, owner, in_memory, line->mount_point);
		if (!source)
			return -ENOMEM;
		if (shows(line, host, source))
			return 1;
	}
	return 0;
}

/* What stands where the policy has nothing: a bind in a hide shows too much, a hide or a private directory
 * hides too much. Anything else is the host's. */
static int plan_line(const struct jail_view *view, const struct jail_places_of_node *places, uid_t owner,
		     const struct jail_mount_line *line, const struct jail_mount_table *host,
		     struct jail_live_plan *plan)
{
	const struct jail_entry *entry = entry_above(view, line->mount_point);
	if (!line->visible || (entry && strcmp(entry->target, line->mount_point) == 0) ||
	    is_listed(plan->denied, plan->n_denied, line->mount_point) ||
	    is_listed(plan->granted, plan->n_granted, line->mount_point))
		return 0;
	if (entry && entry->kind == JAIL_ENTRY_HIDE)
		return push(&plan->denied, &plan->n_denied, line->mount_point);
	if (entry && entry->kind != JAIL_ENTRY_BIND)
		return 0;
	int r = is_hide(line) ? 1 : is_private(line, places, owner, host);
	return r > 0 ? push(&plan->granted, &plan->n_granted, line->mount_point) : r;
}

int jail_live_plan_make(const struct jail_view *view, const struct jail_places_of_node *places, uid_t owner,
			const struct jail_mount_table *session, const struct jail_mount_table *host,
			struct jail_live_plan *ret, struct jail_error *err)
{
	jail_autoliveplan struct jail_live_plan plan = {0};
	plan.acts = calloc(view->n_entries + 1, sizeof *plan.acts);
	int r = plan.acts ? plan_entries(view, places, owner, session, host, &plan) : -ENOMEM;
	for (size_t i = 0; i < session->n_lines && r == 0; i++)
		r = plan_line(view, places, owner, &session->lines[i], host, &plan);
	if (r < 0)
		return jail_error_sys(err, -r, "cannot compare an open view of jail %s", view->jail);
	*ret = plan;
	plan = (struct jail_live_plan){0};
	return 0;
}
