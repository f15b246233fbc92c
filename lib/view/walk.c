#include "lib/view/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include "lib/base/cleanup.h"
#include "lib/base/path.h"
#include "lib/view/mount.h"

static int walk(int dirfd, const char *rest, int *ret_fd)
{
	jail_autoclose int fd =
		dirfd < 0 ? open("/", O_PATH | O_DIRECTORY | O_CLOEXEC) : fcntl(dirfd, F_DUPFD_CLOEXEC, 3);
	while (fd >= 0 && *rest) {
		char name[NAME_MAX + 1];
		rest += strspn(rest, "/");
		size_t n = strcspn(rest, "/");
		if (n == 0)
			break;
		if (n > NAME_MAX)
			return -ENAMETOOLONG;
		memcpy(name, rest, n);
		name[n] = '\0';
		rest += n;
		int next = openat(fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return -errno;
		(void)close(fd);
		fd = next;
	}
	if (fd < 0)
		return -errno;
	*ret_fd = JAIL_STEAL_FD(fd);
	return 0;
}

int jail_walk_mount(int dirfd, const char *rest, int id, int *ret_fd, struct jail_error *err)
{
	jail_autoclose int fd = -1;
	int found = 0;
	int r = walk(dirfd, rest, &fd);
	if (r == 0)
		r = jail_fd_mount_id(fd, &found);
	if (r < 0)
		return jail_error_sys(err, -r, "cannot open the mount %s", rest);
	/* Where it can't be told (a user's FUSE mount shows root nothing, and before Linux 5.8 it must be
	 * asked) the call that comes next takes nothing but a mount's root. */
	if (found != id || jail_fd_is_mount_root(fd) == 0)
		return jail_error_set(err, EAGAIN, "%s is another mount than a moment ago", rest);
	*ret_fd = JAIL_STEAL_FD(fd);
	return 0;
}

/* Whether what is unmounted from parent is unmounted somewhere else in this namespace too. A mount that was
 * made shared later (mount --make-rshared /) is nobody's peer yet. */
static bool propagates(const struct jail_mount_table *table, const struct jail_mount_line *parent)
{
	if (!parent->shared)
		return false;
	for (size_t i = 0; i < table->n_lines; i++) {
		const struct jail_mount_line *line = &table->lines[i];
		if (line != parent && (line->shared == parent->shared || line->master == parent->shared))
			return true;
	}
	return false;
}

int jail_detach_one(const struct jail_mount_table *table, const struct jail_mount_line *line,
		    size_t *ret_count, struct jail_error *err)
{
	char path[32];
	jail_autoclose int fd = -1;
	const struct jail_mount_line *parent = jail_mount_table_by_id(table, line->parent);

	if (parent && propagates(table, parent) && !jail_mount_shows(line, parent, line->mount_point))
		return jail_error_set(err, EPERM,
				      "%s is not unmounted: what it is mounted on is shared with the host, "
				      "where something would be unmounted too",
				      line->mount_point);
	int r = jail_walk_mount(-1, line->mount_point, line->id, &fd, err);
	if (r < 0)
		return r;
	/* A bind that is a peer of its source takes the source's submounts with it (mount_namespaces(7)). */
	r = jail_mount_propagation(fd, MS_REC | MS_PRIVATE);
	if (r < 0)
		return jail_error_sys(err, -r, "cannot separate %s from the host", line->mount_point);
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (umount2(path, MNT_DETACH) < 0)
		return jail_error_sys(err, errno, "cannot unmount %s", line->mount_point);
	++*ret_count;
	return 0;
}

int jail_detach(const struct jail_mount_table *table, const char *path, size_t *ret_count,
		struct jail_error *err)
{
	const struct jail_mount_line *line = jail_mount_table_on(table, path);
	while (line && strcmp(line->mount_point, path) == 0) {
		int r = jail_detach_one(table, line, ret_count, err);
		if (r < 0)
			return r;
		line = jail_mount_table_by_id(table, line->parent);
	}
	return 0;
}
