/* Whether a bind shows what its source is now: the same place of the same file system, with the right
 * options, and below it the same mounts. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/cleanup.h"
#include "lib/view/order.h"
#include "lib/view/scene.h"

static bool is_one_of(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(name, *names) == 0)
			return true;
	return false;
}

/* File systems below which the kernel itself mounts on access and unmounts when idle, in each mount
 * separately: no two looks see the same. */
static bool mounts_by_itself(const struct jail_mount_line *line)
{
	static const char *const names[] = {"nfs", "nfs4", "cifs", "smb3", "afs", "debugfs", NULL};
	return is_one_of(line->fstype, names);
}

bool jail_drift_is_fuse(const struct jail_mount_line *line)
{
	return strncmp(line->fstype, "fuse", 4) == 0;
}

/* Mounted by a user, who can take it away or put another one there at any time, and in the view alone at
 * that (fusermount3 is setuid): nothing of it is drift. */
bool jail_drift_is_users(const struct jail_mount_line *line)
{
	const char *id = jail_drift_is_fuse(line) ? strstr(line->super_options, "user_id=") : NULL;
	return id && strtoul(id + strlen("user_id="), NULL, 10) != 0;
}

static bool same_place(const struct jail_mount_line *a, const struct jail_mount_line *b)
{
	return a->major == b->major && a->minor == b->minor &&
	       (jail_mount_hides_root(a) || strcmp(a->root, b->root) == 0);
}

static bool parent_mounts_by_itself(const struct jail_mount_table *table, const struct jail_mount_line *line)
{
	const struct jail_mount_line *parent = jail_mount_table_by_id(table, line->parent);
	return parent && mounts_by_itself(parent);
}

/* May stand below a bind though its source has no such mount. */
static bool may_be_extra(const struct jail_mount_table *table, const struct jail_mount_line *line)
{
	const struct jail_mount_line *parent = jail_mount_table_by_id(table, line->parent);
	return jail_drift_is_fuse(line) ||
	       (parent && (mounts_by_itself(parent) || strcmp(parent->fstype, "autofs") == 0));
}

/* open_tree(OPEN_TREE_CLONE) and MS_BIND leave out unbindable mounts and all below them. */
static bool is_cloned(const struct jail_mount_table *table, const struct jail_mount_line *line,
		      const struct jail_mount_line *home)
{
	for (size_t i = 0; i <= table->n_lines && line; i++) {
		if (line == home)
			return true;
		if (line->unbindable)
			return false;
		line = jail_mount_table_by_id(table, line->parent);
	}
	return false;
}

/* One of the two sorted lists that are walked side by side. */
struct submounts {
	size_t next, end;
	const char *base; /* host path that the rest is relative to */
	const struct jail_mount_line *line;
	const char *rest;
};

struct walk {
	const struct jail_scene *scene;
	size_t view, entry;
	const struct jail_mount_line *home; /* the mount that the source lies in */
	struct submounts host, here;
};

/* Whether another entry stands at or above this place below the bind's target. */
static bool is_anothers(const struct walk *walk, const char *rest)
{
	const char *target = walk->scene->views->views[walk->view].entries[walk->entry].target;
	char path[8192];
	(void)snprintf(path, sizeof path, "%s%s", target, rest);
	return jail_scene_governor(walk->scene, walk->view, path) != walk->entry;
}

static void advance(const struct walk *walk, struct submounts *list)
{
	const struct jail_mount_table *table = walk->scene->table;
	for (; list->next < list->end; list->next++) {
		list->line = &table->lines[list->next];
		list->rest = jail_order_rest(list->line->mount_point, list->base);
		if (!list->rest || list->rest[0] == '\0' || !list->line->visible)
			continue;
		if (jail_drift_is_users(list->line))
			continue;
		if (list == &walk->host && !is_cloned(table, list->line, walk->home))
			continue;
		if (is_anothers(walk, list->rest))
			continue;
		list->next++;
		return;
	}
	list->line = NULL;
}

static void start(const struct walk *walk, struct submounts *list, const char *base)
{
	list->base = base;
	list->next = jail_mount_table_range(walk->scene->table, base, &list->end);
	advance(walk, list);
}

static int say(char **ret, const char *format, const char *what)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	if (asprintf(ret, format, what) >= 0)
		return 0;
#pragma GCC diagnostic pop
	*ret = NULL;
	return -ENOMEM;
}

static int drift_submounts(struct walk *walk, const struct jail_mount_line *top, char **ret_reason)
{
	const struct jail_mount_table *table = walk->scene->table;
	unsigned options = walk->scene->views->views[walk->view].entries[walk->entry].options;

	start(walk, &walk->host, walk->scene->facts[walk->view][walk->entry].path);
	start(walk, &walk->here, top->mount_point);
	while (walk->host.line || walk->here.line) {
		const struct jail_mount_line *host = walk->host.line;
		const struct jail_mount_line *here = walk->here.line;
		int order = !host ? 1 : !here ? -1 : jail_order_compare(walk->host.rest, walk->here.rest);
		if (order < 0) {
			if (!parent_mounts_by_itself(table, host))
				return say(ret_reason, "submount %s is missing", walk->host.rest);
			advance(walk, &walk->host);
		} else if (order > 0) {
			if (!may_be_extra(table, here))
				return say(ret_reason, "submount %s is not in the source", walk->here.rest);
			advance(walk, &walk->here);
		} else {
			if (!same_place(host, here))
				return say(ret_reason, "submount %s was replaced", walk->host.rest);
			if (here->options != (host->options | options))
				return say(ret_reason, "options of submount %s differ", walk->host.rest);
			advance(walk, &walk->host);
			advance(walk, &walk->here);
		}
	}
	return 0;
}

/* Where mountinfo does not tell the place, the inode does. */
static bool shows_source(const struct jail_fact *fact, const struct jail_mount_line *home,
			 const struct jail_mount_line *top)
{
	return jail_mount_shows(top, home, fact->path) &&
	       (!jail_mount_hides_root(home) || fact->inode == 0 || fact->target_inode == 0 ||
		fact->inode == fact->target_inode);
}

int jail_drift_bind(const struct jail_scene *scene, size_t v, size_t e, const struct jail_mount_line *top,
		    char **ret_reason)
{
	const struct jail_entry *entry = &scene->views->views[v].entries[e];
	const struct jail_fact *fact = &scene->facts[v][e];
	struct walk walk = {
		.scene = scene,
		.view = v,
		.entry = e,
		.home = fact->code == 0 ? jail_mount_table_by_id(scene->table, fact->mount_id) : NULL,
	};
	*ret_reason = NULL;
	if (!walk.home || !fact->path || !shows_source(fact, walk.home, top))
		return say(ret_reason, "%s was replaced", "source");
	if (top->options != (walk.home->options | entry->options))
		return say(ret_reason, "%s differ", "options");
	if (entry->options && (top->shared || top->master))
		return say(ret_reason, "%s follows its source", "it");
	unsigned leader = walk.home->shared ? walk.home->shared : walk.home->master;
	if (!entry->options && leader && top->master != leader)
		return say(ret_reason, "%s does not follow its source", "it");
	/* The marker's directory is empty, and bound without what may be below it. */
	return entry->kind == JAIL_ENTRY_MARKER ? 0 : drift_submounts(&walk, top, ret_reason);
}
