/* Carrying out one action: a mount, a change of one, a symlink. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/base/cleanup.h"
#include "lib/base/file.h"
#include "lib/base/path.h"
#include "lib/view/apply_parts.h"
#include "lib/view/mount.h"
#include "lib/view/scene.h"
#include "lib/view/syscalls.h"
#include "lib/view/walk.h"

/* The marker's own directory: 0700, so that no user can reach it to make another bind of it. */
static int open_marker(const struct jail_entry *entry, int *ret_fd, struct jail_error *err)
{
	struct stat st;
	jail_autoclose int fd = -1;
	int r = jail_dir_make(entry->source, 0700, &fd, err);
	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0)
		return jail_error_sys(err, errno, "cannot stat %s", entry->source);
	if (st.st_mode & 077)
		return jail_error_set(err, EPERM, "%s must be root's alone (mode 0700, it is %04o)",
				      entry->source, (unsigned)(st.st_mode & 07777));
	*ret_fd = JAIL_STEAL_FD(fd);
	return 0;
}

static int prepare(struct jail_applier *applier, const struct jail_action *action, struct jail_pending *ret,
		   struct jail_error *err)
{
	const struct jail_entry *entry = jail_applier_entry(applier, action);
	jail_autoclose int source = -1;
	int r;
	if (entry->kind != JAIL_ENTRY_BIND && entry->kind != JAIL_ENTRY_MARKER)
		return jail_mount_prepare_fs(entry, ret, err);
	if (entry->kind == JAIL_ENTRY_MARKER)
		r = open_marker(entry, &source, err);
	else
		r = jail_source_reopen(&applier->source, entry,
				       &applier->observation->facts[action->view][action->entry], &source,
				       err);
	if (r == 0)
		r = jail_mount_prepare_bind(entry, source, ret, err);
	if (r == 0)
		(void)JAIL_STEAL_FD(source);
	return r;
}

/* Size and options of a tmpfs or hide. A size that its users have outgrown is no reason to let nobody in. */
static int change(struct jail_applier *applier, const struct jail_action *action, struct jail_error *err)
{
	const struct jail_entry *entry = jail_applier_entry(applier, action);
	struct jail_error why;
	jail_autoclose int fd = -1;
	const struct jail_mount_line *line = jail_mount_table_on(&applier->observation->table, action->path);
	if (!line)
		return jail_error_set(err, ENOENT, "%s is not mounted", action->path);
	int r = jail_walk_mount(-1, action->path, line->id, &fd, err);
	if (r < 0)
		return r;
	int resized = jail_mount_resize(entry, fd, action->path, &why);
	r = jail_mount_set_options(fd, entry->options);
	if (r < 0)
		return jail_error_sys(err, -r, "cannot change the options of %s", action->path);
	if (resized == 0) {
		applier->applied->mounts++;
		return 0;
	}
	applier->applied->failures++;
	r = jail_applied_say(applier->applied, "%s", why.message);
	return r < 0 ? jail_error_sys(err, -r, "cannot change %s", action->path) : 0;
}

/* Whether the commonest case it was, and is done. */
static bool mount_quickly(struct jail_applier *applier, const struct jail_action *action)
{
	const struct jail_entry *entry = jail_applier_entry(applier, action);
	const struct jail_fact *fact = &applier->observation->facts[action->view][action->entry];
	const struct jail_place_cache *place = NULL;
	const char *name = NULL;
	struct jail_error why;
	if (entry->kind != JAIL_ENTRY_BIND || entry->options || action->how != JAIL_HOW_NEW)
		return false;
	int dir = jail_source_dir(&applier->source, fact, &name);
	if (dir < 0 || jail_target_parent(applier, action->view, entry->target, &place, &why) < 0 ||
	    place->zone != JAIL_ZONE_SKELETON)
		return false;
	/* A clone that comes to nothing is dear: the kernel waits for all CPUs when it goes. */
	const char *point = strrchr(entry->target, '/') + 1;
	return faccessat(place->fd, point, F_OK, AT_SYMLINK_NOFOLLOW) == 0 &&
	       jail_mount_quick(entry, dir, name, place->fd, point);
}

/* How many mounts are stacked on path. */
static size_t count_on(const struct jail_mount_table *table, const char *path)
{
	size_t end;
	size_t n = 0;
	for (size_t i = jail_mount_table_range(table, path, &end);
	     i < end && strcmp(table->lines[i].mount_point, path) == 0; i++)
		n++;
	return n;
}

/* Puts the new mount under the old one and takes that away (Linux 6.5), so that nothing beneath the two is
 * seen in between. 1, 0 where it can't be done so, or negative errno. */
static int replace_from_below(struct jail_applier *applier, const struct jail_action *action,
			      const struct jail_pending *pending, const struct jail_place_cache *place,
			      const char *name, struct jail_error *err)
{
	const struct jail_mount_table *table = &applier->observation->table;
	const struct jail_mount_line *line = jail_mount_table_on(table, action->path);
	int id = 0;
	jail_autoclose int top = openat(place->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (pending->tree < 0 || top < 0 || !line || count_on(table, action->path) != 1 ||
	    jail_fd_mount_id(top, &id) < 0 || id != line->id ||
	    jail_move_mount_beneath(pending->tree, top) < 0)
		return 0;
	int r = jail_detach_one(table, line, &applier->applied->unmounts, err);
	return r < 0 ? r : 1;
}

/* Takes the old mount away, unless it covers something of a bind, which would be seen then: there the new one
 * comes from below, or (on kernels that can't do that) on top of the old, within reason. Returns 1 when the
 * new one stands already, 0 or negative errno. */
static int make_room(struct jail_applier *applier, const struct jail_action *action,
		     const struct jail_pending *pending, const struct jail_place_cache *place,
		     const char *name, struct jail_error *err)
{
	enum { STACKED_MAX = 8 };
	const struct jail_mount_table *table = &applier->observation->table;
	if (place->zone == JAIL_ZONE_FOREIGN) {
		int r = replace_from_below(applier, action, pending, place, name, err);
		if (r != 0 || count_on(table, action->path) < STACKED_MAX)
			return r;
	}
	return jail_detach(table, action->path, &applier->applied->unmounts, err);
}

/* The new mount is ready before the old one goes. */
static int put(struct jail_applier *applier, const struct jail_action *action,
	       const struct jail_pending *pending, struct jail_error *err)
{
	const struct jail_entry *entry = jail_applier_entry(applier, action);
	const struct jail_fact *fact = &applier->observation->facts[action->view][action->entry];
	bool is_dir = entry->kind != JAIL_ENTRY_BIND || fact->is_dir;
	const char *name = strrchr(entry->target, '/') + 1;
	const struct jail_place_cache *place = NULL;
	jail_autoclose int target = -1;

	int r = jail_target_parent(applier, action->view, entry->target, &place, err);
	if (r == 0 && action->how == JAIL_HOW_REPLACE)
		r = make_room(applier, action, pending, place, name, err);
	if (r == 0)
		r = jail_target_open(applier, place, name, is_dir, action->path, &target, err);
	if (r == 0 && target >= 0)
		r = jail_mount_attach(pending, place->fd, name, target, action->path, err);
	if (r < 0)
		return r;
	applier->applied->mounts++;
	if (entry->kind == JAIL_ENTRY_BIND && entry->options)
		applier->read_back = true;
	return 0;
}

/* Whether users have mounts of their own below the source of a bind that does not follow it: they would be
 * kept there after their owners took them away on the host. */
static bool would_pin(const struct jail_applier *applier, const struct jail_action *action)
{
	const struct jail_mount_table *table = &applier->observation->table;
	const struct jail_entry *entry = jail_applier_entry(applier, action);
	const struct jail_fact *fact = &applier->observation->facts[action->view][action->entry];
	size_t end;
	if (entry->kind != JAIL_ENTRY_BIND || !entry->options || !fact->path || !fact->is_dir)
		return false;
	for (size_t i = jail_mount_table_range(table, fact->path, &end); i < end; i++)
		if (jail_drift_is_users(&table->lines[i]))
			return true;
	return false;
}

/* By way of the private place, where users' mounts can be taken out of it unseen. */
static int mount_without_users(struct jail_applier *applier, const struct jail_action *action,
			       struct jail_error *err)
{
	int r = jail_apply_stage(applier, action, err);
	return r < 0 ? r : jail_apply_unstage(applier, action, err);
}

int jail_apply_mount(struct jail_applier *applier, const struct jail_action *action, struct jail_error *err)
{
	jail_autopending struct jail_pending pending = JAIL_PENDING_INIT;
	if (action->how == JAIL_HOW_REMOUNT)
		return change(applier, action, err);
	if (mount_quickly(applier, action)) {
		applier->applied->mounts++;
		return 0;
	}
	if (applier->stage.fd < 0 && would_pin(applier, action))
		return mount_without_users(applier, action, err);
	int r = prepare(applier, action, &pending, err);
	return r < 0 ? r : put(applier, action, &pending, err);
}

int jail_apply_stage(struct jail_applier *applier, const struct jail_action *action, struct jail_error *err)
{
	jail_autopending struct jail_pending pending = JAIL_PENDING_INIT;
	int r = prepare(applier, action, &pending, err);
	if (r == 0)
		r = jail_stage_begin(applier, action, &pending, err);
	if (r == 0 && would_pin(applier, action))
		r = jail_stage_drop_users(applier, err);
	if (r < 0 && applier->stage.fd >= 0)
		jail_stage_drop(applier);
	return r;
}

int jail_apply_unstage(struct jail_applier *applier, const struct jail_action *action, struct jail_error *err)
{
	const struct jail_pending pending = {
		.tree = applier->stage.fd,
		.source = -1,
		.entry = jail_applier_entry(applier, action),
		.staged = true,
	};
	jail_stage_leave(applier);
	int r = put(applier, action, &pending, err);
	if (r < 0)
		jail_stage_drop(applier);
	else
		jail_cleanup_close(&applier->stage.fd);
	return r;
}

int jail_apply_link(struct jail_applier *applier, const struct jail_action *action, struct jail_error *err)
{
	const struct jail_entry *entry = jail_applier_entry(applier, action);
	const struct jail_fact *fact = &applier->observation->facts[action->view][action->entry];
	const struct jail_place_cache *place = NULL;
	int r = jail_target_parent(applier, action->view, entry->target, &place, err);
	if (r == 0 && action->how == JAIL_HOW_REPLACE)
		r = jail_detach(&applier->observation->table, action->path, &applier->applied->unmounts, err);
	if (r == 0)
		r = jail_target_link(applier, place, strrchr(entry->target, '/') + 1, fact->link,
				     action->path, err);
	if (r == 0)
		applier->applied->others++;
	return r;
}
