/* Carrying out what a plan revokes. Nothing is ever deleted recursively: rmdir and unlinkat by descriptor,
 * after the mount table has shown that nothing is mounted there or below. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/base/cleanup.h"
#include "lib/base/path.h"
#include "lib/view/apply_parts.h"
#include "lib/view/order.h"
#include "lib/view/walk.h"

/* Is it what the agent made? An unlink must not take somebody's file. A mount point is a directory or an
 * empty file as the source was when it was mounted, which can be another moment than when the manifest was
 * written. */
static bool is_as_made(char type, const struct stat *st)
{
	if (type == 'l')
		return S_ISLNK(st->st_mode);
	return S_ISDIR(st->st_mode) || (type != 'r' && S_ISREG(st->st_mode) && st->st_size == 0);
}

/* What made lies in: the nearest root of the manifest above it, else the directory of all roots. Copied into
 * dir, which has made's path. False: neither, a directory above a root that lies elsewhere. */
static bool find_root_above(const struct jail_manifest *manifest, const char *roots_dir, char *dir)
{
	for (char *slash; (slash = strrchr(dir, '/')) != NULL && slash != dir;) {
		*slash = '\0';
		const struct jail_made *made = jail_manifest_find(manifest, dir);
		if ((made && made->type == 'r') || strcmp(dir, roots_dir) == 0)
			return true;
	}
	return false;
}

/* Whether the directory parent lies in the mount that its root is in, and not in something that is mounted in
 * between: there the name is the host's. 1, 0 or negative errno. */
static int is_in_skeleton(const struct jail_manifest *manifest, const char *roots_dir, const char *path,
			  int parent, struct jail_error *why)
{
	int id = 0;
	int root_id = 0;
	jail_autoclose int root = -1;
	jail_autofree char *dir = strdup(path);
	if (!dir)
		return jail_error_sys(why, ENOMEM, "cannot look at %s", path);
	if (!find_root_above(manifest, roots_dir, dir))
		return 1;
	int r = jail_path_open_trusted(-1, dir, &root, why);
	if (r < 0)
		return r;
	r = jail_fd_mount_id(root, &root_id);
	if (r == 0)
		r = jail_fd_mount_id(parent, &id);
	if (r < 0)
		return jail_error_sys(why, -r, "cannot tell which mount %s is in", path);
	return id == root_id;
}

static int remove_from(int parent, const char *name, const struct jail_made *made, struct jail_error *why)
{
	struct stat st;
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0)
		return errno == ENOENT ? 1 : jail_error_sys(why, errno, "cannot look at %s", made->path);
	if (!is_as_made(made->type, &st)) {
		(void)jail_error_set(why, EEXIST, "%s is not what the agent made there; it is left alone",
				     made->path);
		return 0;
	}
	if (unlinkat(parent, name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0) == 0 || errno == ENOENT)
		return 1;
	if (errno == ENOTEMPTY || errno == EEXIST) {
		(void)jail_error_set(why, ENOTEMPTY,
				     "%s has files that the agent did not make; it is left alone",
				     made->path);
		return 0;
	}
	return jail_error_sys(why, errno, "cannot remove %s", made->path);
}

int jail_leftover_remove(const struct jail_mount_table *table, const struct jail_manifest *manifest,
			 const char *roots_dir, const struct jail_made *made, struct jail_error *why)
{
	size_t end;
	jail_autoclose int parent = -1;
	size_t first = jail_mount_table_range(table, made->path, &end);
	if (first < end)
		return jail_error_set(why, EBUSY, "%s is kept: %s is still mounted", made->path,
				      table->lines[first].mount_point);
	const char *slash = strrchr(made->path, '/');
	jail_autofree char *dir = strndup(made->path, slash == made->path ? 1 : (size_t)(slash - made->path));
	if (!dir)
		return jail_error_sys(why, ENOMEM, "cannot remove %s", made->path);
	int r = jail_path_open_trusted(-1, dir, &parent, why);
	if (r == -ENOENT)
		return 1;
	if (r == 0)
		r = is_in_skeleton(manifest, roots_dir, made->path, parent, why);
	if (r < 0)
		return jail_error_prefix(why, "cannot remove %s", made->path);
	if (r == 0) {
		(void)jail_error_set(why, EXDEV,
				     "%s lies in what is mounted above it, which is not the agent's; it is "
				     "left alone",
				     made->path);
		return 0;
	}
	return remove_from(parent, slash + 1, made, why);
}

static int no_memory(struct jail_error *err)
{
	return jail_error_sys(err, ENOMEM, "cannot go on with taking away");
}

static int unmount_all(struct jail_applier *applier, struct jail_error *err)
{
	const struct jail_plan *plan = &applier->observation->plan;
	for (size_t i = 0; i < plan->n_revoke; i++) {
		struct jail_error why;
		const struct jail_action *action = &plan->revoke[i];
		if (action->kind != JAIL_ACTION_UNMOUNT)
			continue;
		if (jail_detach(&applier->observation->table, action->path, &applier->applied->unmounts,
				&why) == 0)
			continue;
		applier->applied->failures++;
		if (jail_applied_say(applier->applied, "%s", why.message) < 0)
			return no_memory(err);
	}
	return 0;
}

static int remove_one(struct jail_applier *applier, const struct jail_mount_table *table, const char *path,
		      struct jail_error *err)
{
	struct jail_error why;
	const struct jail_made *made = jail_manifest_find(&applier->manifest, path);
	if (!made)
		return 0;
	int r = jail_leftover_remove(table, &applier->manifest, applier->node->roots_dir, made, &why);
	if (r != 1 && jail_applied_say(applier->applied, "%s", why.message) < 0)
		return no_memory(err);
	if (r < 0) {
		applier->applied->failures++;
		return 0;
	}
	applier->applied->others++;
	jail_manifest_drop(&applier->manifest, path);
	return 0;
}

/* Self-binds of roots that lie elsewhere and are gone from the policy. */
static int release_roots(struct jail_applier *applier, struct jail_error *err)
{
	const struct jail_plan *plan = &applier->observation->plan;
	for (size_t i = 0; i < plan->n_revoke; i++) {
		struct jail_error why;
		const char *path = plan->revoke[i].path;
		const struct jail_made *made = jail_manifest_find(&applier->manifest, path);
		if (plan->revoke[i].kind != JAIL_ACTION_REMOVE || !made || made->type != 'r' ||
		    jail_order_rest(path, applier->node->roots_dir))
			continue;
		if (jail_root_release(path, &applier->applied->unmounts, &why) == 0)
			continue;
		applier->applied->failures++;
		if (jail_applied_say(applier->applied, "%s", why.message) < 0)
			return no_memory(err);
	}
	return 0;
}

static int remove_all(struct jail_applier *applier, struct jail_error *err)
{
	const struct jail_plan *plan = &applier->observation->plan;
	jail_automounttable struct jail_mount_table table = {0};
	int r = release_roots(applier, err);
	if (r == 0)
		r = jail_mount_table_read(&table, err);
	for (size_t i = 0; i < plan->n_revoke && r == 0; i++)
		if (plan->revoke[i].kind == JAIL_ACTION_REMOVE)
			r = remove_one(applier, &table, plan->revoke[i].path, err);
	return r;
}

int jail_apply_revoke(const struct jail_node *node, const struct jail_views *views,
		      const struct jail_observation *observation, struct jail_applied *ret,
		      struct jail_error *err)
{
	struct jail_applier applier = {
		.node = node, .views = views, .observation = observation, .applied = ret};
	const struct jail_plan *plan = &observation->plan;
	if (plan->n_revoke == 0)
		return 0;
	int r = unmount_all(&applier, err);
	/* Unmounts come first in the plan: with none to remove there is nothing to write either. */
	if (r < 0 || plan->revoke[plan->n_revoke - 1].kind != JAIL_ACTION_REMOVE)
		return r;
	/* Granting has added lines since the observation. */
	r = jail_manifest_read(node->manifest, &applier.manifest, err);
	if (r == 0)
		r = remove_all(&applier, err);
	if (r == 0)
		r = jail_manifest_write(node->manifest, &applier.manifest, NULL, err);
	jail_manifest_release(&applier.manifest);
	return r;
}
