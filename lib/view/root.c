/* Roots: directories of root's that nothing propagates out of and no recursive bind copies. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/base/cleanup.h"
#include "lib/base/file.h"
#include "lib/base/path.h"
#include "lib/view/apply_parts.h"
#include "lib/view/mount.h"
#include "lib/view/order.h"
#include "lib/view/walk.h"

/* A bind of path on itself (unless the table has one), private, then unbindable: attached to a shared parent
 * it becomes shared, and an unbindable mount can't be attached to one, so both come after
 * (mount_namespaces(7)). */
static int bind_self(const struct jail_mount_table *table, const char *path, size_t *mounts,
		     struct jail_error *err)
{
	char at[32];
	jail_autoclose int fd = -1;
	int r = jail_path_open_trusted(-1, path, &fd, err);
	if (r < 0)
		return r;
	if (!jail_mount_table_self_bind(table, path)) {
		(void)snprintf(at, sizeof at, "/proc/self/fd/%d", fd);
		if (mount(at, at, NULL, MS_BIND, NULL) < 0)
			return jail_error_sys(err, errno, "cannot bind %s on itself", path);
		++*mounts;
		(void)close(fd);
		fd = -1;
		r = jail_path_open_trusted(-1, path, &fd, err);
		if (r < 0)
			return r;
		if (jail_fd_is_mount_root(fd) != 1)
			return jail_error_set(err, EAGAIN, "%s was bound on itself, but is no mount", path);
	}
	r = jail_mount_propagation(fd, MS_PRIVATE);
	if (r == 0)
		r = jail_mount_propagation(fd, MS_UNBINDABLE);
	return r < 0 ? jail_error_sys(err, -r, "cannot make %s private and unbindable", path) : 0;
}

/* Makes the directory path with mode when it is missing, and all above it with 0700. */
static int make_root_dir(const char *path, mode_t mode, struct jail_error *err)
{
	jail_autoclose int parent = -1;
	const char *slash = strrchr(path, '/');
	jail_autofree char *above = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	if (!above)
		return jail_error_sys(err, ENOMEM, "cannot make %s", path);
	int r = jail_dir_make(above, 0700, &parent, err);
	if (r < 0)
		return r;
	if (mkdirat(parent, slash + 1, mode) < 0) {
		if (errno != EEXIST)
			return jail_error_sys(err, errno, "cannot make the root %s", path);
	} else if (fchownat(parent, slash + 1, 0, 0, AT_SYMLINK_NOFOLLOW) < 0 ||
		   fchmodat(parent, slash + 1, mode, 0) < 0)
		return jail_error_sys(err, errno, "cannot set owner and mode of %s", path);
	jail_autoclose int fd = -1;
	return jail_path_open_trusted(parent, slash + 1, &fd, err);
}

int jail_root_make(struct jail_applier *applier, size_t v, struct jail_error *err)
{
	const char *roots_dir = applier->node->roots_dir;
	bool all = v == SIZE_MAX;
	const char *path = all ? roots_dir : applier->views->views[v].root;

	int r = make_root_dir(path, all ? 0700 : 0755, err);
	if (r == 0 && (all || !jail_order_rest(path, roots_dir)))
		r = bind_self(&applier->observation->table, path, &applier->applied->mounts, err);
	if (r == 0)
		applier->applied->others++;
	return r;
}

int jail_root_release(const char *path, size_t *ret_count, struct jail_error *err)
{
	jail_automounttable struct jail_mount_table table = {0};
	int r = jail_mount_table_read(&table, err);
	if (r < 0)
		return r;
	size_t end;
	for (size_t i = jail_mount_table_range(&table, path, &end); i < end; i++)
		if (strcmp(table.lines[i].mount_point, path) != 0)
			return jail_error_set(err, EBUSY, "%s is kept: %s is still mounted", path,
					      table.lines[i].mount_point);
	/* A file system of the administrator's that is mounted there stays. */
	const struct jail_mount_line *line = jail_mount_table_self_bind(&table, path);
	return line ? jail_detach_one(&table, line, ret_count, err) : 0;
}
