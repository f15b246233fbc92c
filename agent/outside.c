#include "agent/outside.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "lib/base/path.h"

/* Whether somebody other than root may go through the directory. */
static bool may_enter(const struct stat *st)
{
	return (st->st_mode & 001) || ((st->st_mode & 010) && st->st_gid != 0);
}

/* Whether the way to dir, itself included, is open to others. One that can't be looked at is not there yet,
 * or is no trusted directory, which the agent refuses anyway. */
static bool is_open(const char *dir)
{
	char path[PATH_MAX];
	struct stat st;

	for (const char *end = dir; *end != '\0';) {
		end += 1 + strcspn(end + 1, "/");
		snprintf(path, sizeof path, "%.*s", (int)(end - dir), dir);
		if (lstat(path, &st) < 0 || !may_enter(&st))
			return false;
	}
	return true;
}

static void parent_of(const char *root, char ret[static PATH_MAX])
{
	const char *slash = strrchr(root, '/');

	snprintf(ret, PATH_MAX, "%.*s", slash == root ? 1 : (int)(slash - root), root);
}

void jail_outside_warn(const struct jail_config *config, const struct jail_views *views,
		       struct jail_report *report)
{
	char parent[PATH_MAX], last[PATH_MAX] = "";

	for (size_t i = 0; i < views->n_views; i++) {
		const struct jail_view *view = &views->views[i];

		if (jail_path_is_below(view->root, config->roots))
			continue;
		parent_of(view->root, parent);
		/* Sorted by root: the roots of one jail's members follow each other. */
		if (strcmp(parent, last) == 0)
			continue;
		memcpy(last, parent, sizeof last);
		if (strcmp(parent, "/") == 0)
			jail_report_warn(report,
					 "the root %s of jail %s can be entered by everybody: put it into a "
					 "directory of its own "
					 "with mode 0700, or below %s",
					 view->root, view->jail, config->roots);
		else if (is_open(parent))
			jail_report_warn(report,
					 "the root %s of jail %s can be entered by everybody who can enter "
					 "%s, and shows them what "
					 "is mounted in it: chmod 0700 %s",
					 view->root, view->jail, parent, parent);
	}
}
