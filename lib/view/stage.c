/* A place where only root can look, to put a mount and what stands in it together before anybody sees it. It
 * lies in the directory of all roots: 0700, private, unbindable. */
#include "lib/view/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>
#include "lib/base/cleanup.h"
#include "lib/base/file.h"
#include "lib/base/path.h"
#include "lib/view/apply_parts.h"
#include "lib/view/mount.h"
#include "lib/view/order.h"
#include "lib/view/scene.h"
#include "lib/view/walk.h"

#define POINT "new"

void jail_stage_leave(struct jail_applier *applier)
{
	applier->stage.view = SIZE_MAX;
	jail_target_forget(applier);
}

int jail_stage_begin(struct jail_applier *applier, const struct jail_action *action,
		     const struct jail_pending *pending, struct jail_error *err)
{
	jail_autoclose int dir = -1;
	jail_autoclose int point = -1;
	jail_autofree char *path = jail_order_join(applier->node->roots_dir, JAIL_STAGE_DIR);
	if (!path)
		return jail_error_sys(err, ENOMEM, "cannot make %s", action->path);
	/* Elsewhere it would reach whoever shares the host's mounts. */
	if (applier->roots_fail || jail_scene_view_of(applier->views, path) != SIZE_MAX)
		return jail_error_set(err, EBUSY, "%s is not there to make %s in", path, action->path);
	int r = jail_dir_make(path, 0700, &dir, err);
	if (r < 0)
		return r;
	if (mkdirat(dir, POINT, 0700) < 0 && errno != EEXIST)
		return jail_error_sys(err, errno, "cannot make %s/" POINT, path);
	r = jail_path_open_trusted(dir, POINT, &point, err);
	if (r < 0)
		return r;
	if (jail_fd_is_mount_root(point) != 0)
		return jail_error_set(err, EBUSY, "something is mounted on %s/" POINT, path);
	r = jail_mount_attach(pending, dir, POINT, point, path, err);
	if (r < 0)
		return r;
	applier->stage.fd = openat(dir, POINT, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (applier->stage.fd < 0)
		return jail_error_sys(err, errno, "cannot open %s/" POINT, path);
	jail_target_forget(applier);
	applier->stage.view = action->view;
	applier->stage.entry = action->entry;
	return 0;
}

int jail_stage_drop_users(struct jail_applier *applier, struct jail_error *err)
{
	jail_automounttable struct jail_mount_table table = {0};
	const char *last = NULL;
	size_t unmounts = 0; /* never seen, so not counted */
	size_t end;
	jail_autofree char *path = jail_order_join(applier->node->roots_dir, JAIL_STAGE_DIR "/" POINT);
	if (!path)
		return jail_error_sys(err, ENOMEM, "cannot take users' mounts out of a bind");
	int r = jail_mount_table_read(&table, err);
	for (size_t i = jail_mount_table_range(&table, path, &end); i < end && r == 0; i++) {
		const struct jail_mount_line *line = &table.lines[i];
		if (!line->visible || !jail_drift_is_users(line) ||
		    (last && jail_order_rest(line->mount_point, last)))
			continue;
		last = line->mount_point;
		r = jail_detach(&table, last, &unmounts, err);
	}
	return r;
}

void jail_stage_drop(struct jail_applier *applier)
{
	char path[32];
	int fd = applier->stage.fd;
	jail_stage_leave(applier);
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	/* A follower of the host's is none any more when its submounts go. */
	if (fd >= 0 && jail_mount_propagation(fd, MS_REC | MS_PRIVATE) == 0)
		(void)umount2(path, MNT_DETACH);
	jail_cleanup_close(&applier->stage.fd);
	applier->stage.fd = -1;
}

void jail_stage_end(struct jail_applier *applier)
{
	if (applier->stage.fd >= 0)
		jail_stage_drop(applier);
	jail_stage_remove(applier->node->roots_dir);
}

void jail_stage_remove(const char *roots_dir)
{
	jail_autoclose int roots = -1;
	jail_autoclose int dir = -1;
	if (jail_path_open_trusted(-1, roots_dir, &roots, NULL) < 0 ||
	    jail_path_open_trusted(roots, JAIL_STAGE_DIR + 1, &dir, NULL) < 0)
		return;
	(void)unlinkat(dir, POINT, AT_REMOVEDIR);
	(void)unlinkat(roots, JAIL_STAGE_DIR + 1, AT_REMOVEDIR);
}
