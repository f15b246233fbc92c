/* The same with mount(2), on /proc/self/fd: RHEL 8 (4.18) has nothing else, Debian 11 (5.10) lacks
 * mount_setattr. A bind gets its options after it is attached; the caller mounts the marker, without which
 * nobody enters, when all of them are on. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include "lib/base/cleanup.h"
#include "lib/base/path.h"
#include "lib/view/mount.h"
#include "lib/view/order.h"
#include "lib/view/walk.h"

enum { FD_PATH_MAX = 32 };

static const char *fd_path(int fd, char path[static FD_PATH_MAX])
{
	(void)snprintf(path, FD_PATH_MAX, "/proc/self/fd/%d", fd);
	return path;
}

static unsigned long mount_flags(unsigned options)
{
	unsigned long flags = 0;
	if (options & JAIL_OPT_RO)
		flags |= MS_RDONLY;
	if (options & JAIL_OPT_NOSUID)
		flags |= MS_NOSUID;
	if (options & JAIL_OPT_NODEV)
		flags |= MS_NODEV;
	if (options & JAIL_OPT_NOEXEC)
		flags |= MS_NOEXEC;
	return flags;
}

int jail_mount_propagation(int fd, unsigned long flags)
{
	char path[FD_PATH_MAX];
	return mount(NULL, fd_path(fd, path), NULL, flags, NULL) < 0 ? -errno : 0;
}

int jail_mount_set_options(int fd, unsigned options)
{
	char path[FD_PATH_MAX];
	unsigned long flags = MS_REMOUNT | MS_BIND | mount_flags(options);
	return mount(NULL, fd_path(fd, path), NULL, flags, NULL) < 0 ? -errno : 0;
}

/* Opens the mount that was just put on name, and makes sure that it is one. */
static int open_new(int parent, const char *name, int target, int *ret)
{
	int before = 0;
	int now = 0;
	jail_autoclose int fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int r = jail_fd_mount_id(target, &before);
	if (r == 0)
		r = jail_fd_mount_id(fd, &now);
	if (r < 0)
		return r;
	if (before == now)
		return -ENOTRECOVERABLE; /* it went elsewhere */
	*ret = JAIL_STEAL_FD(fd);
	return 0;
}

static void undo(int fd)
{
	char path[FD_PATH_MAX];
	(void)jail_mount_propagation(fd, MS_REC | MS_PRIVATE);
	(void)umount2(fd_path(fd, path), MNT_DETACH);
}

/* The same by name, when what was mounted can't be opened. Without being made private first its submounts
 * would go on the host as well. The directory is root's, and nobody moves a mount point in it. */
static int undo_at(int parent, const char *name)
{
	char path[FD_PATH_MAX + NAME_MAX + 2];
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d/%s", parent, name);
	if (mount(NULL, path, NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
		return -errno;
	return 0;
}

static int not_found(int parent, const char *name, const char *path, int code, struct jail_error *err)
{
	if (code == ENOTRECOVERABLE || undo_at(parent, name) < 0)
		return jail_error_set(err, ENOTRECOVERABLE,
				      "what was mounted on %s can neither be opened nor unmounted: %s", path,
				      strerror(code));
	return jail_error_sys(err, code, "cannot find what was mounted on %s", path);
}

/* Options on the mount fd and on every mount below it, each opened without following anything and known by
 * its identifier: the directories on the way may be a user's. */
static int set_all(int fd, unsigned options, struct jail_error *err)
{
	jail_automounttable struct jail_mount_table table = {0};
	int id = 0;
	int r = jail_fd_mount_id(fd, &id);
	if (r < 0)
		return jail_error_sys(err, -r, "cannot tell the identifier of a new mount");
	r = jail_mount_table_read(&table, err);
	if (r < 0)
		return r;
	const struct jail_mount_line *top = jail_mount_table_by_id(&table, id);
	if (!top)
		return jail_error_set(err, ENOENT, "a new mount is not in the mount table");
	size_t end;
	for (size_t i = jail_mount_table_range(&table, top->mount_point, &end); i < end; i++) {
		const struct jail_mount_line *line = &table.lines[i];
		jail_autoclose int below = -1;
		if (!line->visible)
			continue;
		r = jail_walk_mount(fd, jail_order_rest(line->mount_point, top->mount_point), line->id,
				    &below, err);
		if (r < 0)
			return r;
		r = jail_mount_set_options(below, line->options | options);
		if (r < 0)
			return jail_error_sys(err, -r, "cannot set options on %s", line->mount_point);
	}
	return 0;
}

int jail_mount_old_bind(const struct jail_entry *entry, int source, bool recursive, int parent,
			const char *name, int target, const char *path, struct jail_error *err)
{
	char from[FD_PATH_MAX];
	char to[FD_PATH_MAX];
	unsigned long recurse = recursive ? MS_REC : 0;
	jail_autoclose int fd = -1;

	if (mount(fd_path(source, from), fd_path(target, to), NULL, MS_BIND | recurse, NULL) < 0)
		return jail_error_sys(err, errno, "cannot bind %s on %s", entry->source, path);
	int r = open_new(parent, name, target, &fd);
	if (r < 0)
		return not_found(parent, name, path, -r, err);
	r = jail_mount_propagation(fd, recurse | (entry->options ? MS_PRIVATE : MS_SLAVE));
	if (r < 0)
		(void)jail_error_sys(err, -r, "cannot set the propagation of %s", path);
	else if (entry->options)
		r = set_all(fd, entry->options, err);
	if (r < 0)
		undo(fd);
	return r;
}

int jail_mount_old_fs(const struct jail_entry *entry, int parent, const char *name, int target,
		      const char *path, struct jail_error *err)
{
	char to[FD_PATH_MAX];
	char data[64];
	const char *fstype = entry->kind == JAIL_ENTRY_PROC ? "proc" : "tmpfs";
	jail_autoclose int fd = -1;

	/* MS_RDONLY would be the file system's too, and mount points below a hide must be made. */
	jail_mount_data(entry, data);
	unsigned long flags = mount_flags(entry->options & ~(unsigned)JAIL_OPT_RO);
	if (mount(fstype, fd_path(target, to), fstype, flags, data) < 0)
		return jail_error_sys(err, errno, "cannot mount a %s on %s", fstype, path);
	int r = open_new(parent, name, target, &fd);
	if (r < 0)
		return not_found(parent, name, path, -r, err);
	r = entry->options & JAIL_OPT_RO ? jail_mount_set_options(fd, entry->options) : 0;
	if (r < 0) {
		undo(fd);
		return jail_error_sys(err, -r, "cannot make %s read-only", path);
	}
	return 0;
}

int jail_mount_old_move(int tree, int target, const char *path, struct jail_error *err)
{
	char from[FD_PATH_MAX];
	char to[FD_PATH_MAX];
	if (mount(fd_path(tree, from), fd_path(target, to), NULL, MS_MOVE, NULL) < 0)
		return jail_error_sys(err, errno, "cannot mount on %s", path);
	return 0;
}

int jail_mount_resize(const struct jail_entry *entry, int fd, const char *path, struct jail_error *err)
{
	char at[FD_PATH_MAX];
	char data[64];
	if (entry->kind != JAIL_ENTRY_TMPFS || !entry->size)
		return 0;
	(void)snprintf(data, sizeof data, "size=%llu", (unsigned long long)entry->size);
	unsigned long flags = MS_REMOUNT | mount_flags(entry->options & ~(unsigned)JAIL_OPT_RO);
	if (mount(NULL, fd_path(fd, at), NULL, flags, data) == 0)
		return 0;
	/* mm/shmem.c */
	if (errno == EINVAL)
		return jail_error_set(err, EINVAL, "cannot change the size of %s: more than that is in use",
				      path);
	return jail_error_sys(err, errno, "cannot change the size of %s", path);
}
