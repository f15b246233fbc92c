/* Changing an open namespace view from inside. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/base/cleanup.h"
#include "lib/base/path.h"
#include "lib/view/live.h"
#include "lib/view/namespace_parts.h"
#include "lib/view/order.h"
#include "lib/view/syscalls.h"

static int open_namespace(const struct jail_live *live, int *ret_fd, struct jail_error *err)
{
	char path[64];
	struct stat st;
	(void)snprintf(path, sizeof path, "/proc/%d/ns/mnt", (int)live->pid);
	jail_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_ino != live->inode)
		return jail_error_set(err, ESTALE, "the session ended meanwhile");
	*ret_fd = JAIL_STEAL_FD(fd);
	return 0;
}

/* Clones can be made on the host alone: in the session's namespace its mounts are foreign. */
static int prepare(struct jail_builder *builder, const struct jail_live_plan *plan, struct jail_error *err)
{
	int r = 0;
	for (size_t i = 0; i < builder->view->n_entries && r == 0; i++) {
		const struct jail_entry entry = jail_builder_as_mounted(builder, i);
		if (plan->acts[i] != JAIL_LIVE_ADD)
			continue;
		r = jail_builder_open_source(builder, i, err);
		if (r == 0 && !builder->sites[i].absent)
			r = jail_builder_prepare(builder, i, &entry, err);
		if (r == 0 && !builder->sites[i].absent && builder->sites[i].pending.tree < 0)
			r = jail_error_set(err, ENOSYS,
					   "this kernel cannot change the mounts of an open session");
	}
	return r;
}

static int set_read_only(int fd, bool on)
{
	struct jail_mount_attr attr = {.set = on ? JAIL_MOUNT_ATTR_RDONLY : 0,
				       .clear = on ? 0 : JAIL_MOUNT_ATTR_RDONLY};
	return jail_mount_setattr(fd, 0, &attr) < 0 ? -errno : 0;
}

/* Hides that stand and that something is to be made or removed in are opened for it. Their own mode, and that
 * they are root's, keeps users from writing meanwhile. */
static int unseal(struct jail_builder *builder, const struct jail_live_plan *plan, struct jail_error *err)
{
	for (size_t i = 0; i < builder->view->n_entries; i++) {
		const struct jail_entry *entry = &builder->view->entries[i];
		struct jail_site *site = &builder->sites[i];
		if ((entry->kind != JAIL_ENTRY_HIDE && entry->kind != JAIL_ENTRY_TMPFS) || site->absent ||
		    plan->acts[i] != JAIL_LIVE_KEEP)
			continue;
		jail_autoclose int fd = open(entry->target, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 || jail_fd_is_mount_root(fd) != 1)
			return jail_error_set(err, ESTALE, "%s changed meanwhile", entry->target);
		int r = entry->kind == JAIL_ENTRY_HIDE ? set_read_only(fd, false) : 0;
		if (r < 0)
			return jail_error_sys(err, -r, "cannot open %s for a change", entry->target);
		site->own = JAIL_STEAL_FD(fd);
	}
	return 0;
}

static int seal(const struct jail_builder *builder, struct jail_error *err)
{
	int r = 0;
	for (size_t i = 0; i < builder->view->n_entries; i++) {
		const struct jail_entry *entry = &builder->view->entries[i];
		if (entry->kind != JAIL_ENTRY_HIDE || builder->sites[i].own < 0)
			continue;
		int one = set_read_only(builder->sites[i].own, true);
		if (one < 0)
			r = jail_error_sys(err, -one, "cannot make %s read-only again", entry->target);
	}
	return r;
}

static int add(struct jail_builder *builder, const struct jail_live_plan *plan, bool hides,
	       struct jail_error *err)
{
	int r = 0;
	for (size_t i = 0; i < builder->view->n_entries && r == 0; i++) {
		bool is_hide = builder->view->entries[i].kind == JAIL_ENTRY_HIDE;
		if (plan->acts[i] == JAIL_LIVE_ADD && is_hide == hides)
			r = jail_builder_mount(builder, i, err);
	}
	return r;
}

/* The mount, with what is below it; and its mount point, where the view made that. */
static int drop(const char *path, bool remove, struct jail_error *err)
{
	char dir[PATH_MAX];
	const char *name = strrchr(path, '/') + 1;
	size_t len = (size_t)(name - 1 - path);
	jail_autoclose int parent = -1;

	memcpy(dir, path, len);
	memcpy(dir + len, len ? "" : "/", len ? 1 : 2);
	int r = jail_path_open_trusted(-1, dir, &parent, err);
	if (r < 0)
		return r;
	if (fchdir(parent) < 0 || umount2(name, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
		return jail_error_sys(err, errno, "cannot unmount %s", path);
	if (remove && unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno == ENOTDIR)
		(void)unlinkat(parent, name, 0);
	return 0;
}

static int change(struct jail_builder *builder, const struct jail_live_plan *plan, struct jail_error *err)
{
	struct jail_error why;
	int r = add(builder, plan, true, err);
	if (r == 0)
		r = unseal(builder, plan, err);
	/* Deepest first: they are in the order of mounting. */
	for (size_t i = plan->n_denied; i-- > 0 && r == 0;)
		r = drop(plan->denied[i], true, err);
	if (r == 0)
		r = add(builder, plan, false, err);
	for (size_t i = plan->n_granted; i-- > 0 && r == 0;)
		r = drop(plan->granted[i], false, err);
	int sealed = seal(builder, r == 0 ? err : &why);
	return r < 0 ? r : sealed;
}

int jail_live_apply(const struct jail_live *live, const struct jail_view *view,
		    const struct jail_places_of_node *places, const struct jail_live_plan *plan,
		    struct jail_error *err)
{
	jail_autobuilder struct jail_builder builder = {0};
	jail_autoclose int ns = -1;

	int r = jail_builder_init(&builder, view, places, live->uid, err);
	if (r == 0)
		r = open_namespace(live, &ns, err);
	if (r == 0)
		r = prepare(&builder, plan, err);
	if (r == 0 && (unshare(CLONE_FS) < 0 || setns(ns, CLONE_NEWNS) < 0 || chdir("/") < 0))
		r = jail_error_sys(err, errno, "cannot enter the mount namespace of process %d",
				   (int)live->pid);
	return r < 0 ? r : change(&builder, plan, err);
}
