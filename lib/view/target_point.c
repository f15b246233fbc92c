/* Mount points and symlinks themselves. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/base/cleanup.h"
#include "lib/base/path.h"
#include "lib/view/apply_parts.h"
#include "lib/view/mount.h"
#include "lib/view/syscalls.h"

/* A hide's mount stays read-only: what must be made in it is made through a copy of the mount that is
 * attached nowhere (Linux 5.12), else through the mount itself, writable for that moment: its root is 0555,
 * so only root could write anyway. */
int jail_hide_open(const struct jail_place_cache *place, int *ret_fd, struct jail_error *err)
{
	struct jail_mount_attr attr = {.clear = JAIL_MOUNT_ATTR_RDONLY};
	jail_autoclose int fd = -1;
	if (place->zone == JAIL_ZONE_HIDE) {
		fd = jail_open_tree(place->fd, JAIL_OPEN_TREE_CLONE);
		if (fd >= 0 && jail_mount_setattr(fd, 0, &attr) == 0) {
			*ret_fd = JAIL_STEAL_FD(fd);
			return 0;
		}
		unsigned options = JAIL_OPT_NOSUID | JAIL_OPT_NODEV | JAIL_OPT_NOEXEC;
		int r = jail_mount_set_options(place->zone_fd, options);
		if (r < 0)
			return jail_error_sys(err, -r, "cannot make a mount point in a hide");
		jail_cleanup_close(&fd);
	}
	fd = fcntl(place->fd, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return jail_error_sys(err, errno, "cannot open a directory of a view");
	*ret_fd = JAIL_STEAL_FD(fd);
	return 0;
}

void jail_hide_close(const struct jail_place_cache *place)
{
	unsigned options = JAIL_OPT_RO | JAIL_OPT_NOSUID | JAIL_OPT_NODEV | JAIL_OPT_NOEXEC;
	if (place->zone == JAIL_ZONE_HIDE)
		(void)jail_mount_set_options(place->zone_fd, options);
}

/* Takes away what the agent itself made there before, of another type than is needed now. A directory only
 * when it is empty. */
static int clear_way(const struct jail_applier *applier, const struct jail_place_cache *place,
		     const char *name, const struct stat *st, const char *path, struct jail_error *err)
{
	const struct jail_made *made = NULL;
	/* The observation has what was made before; the manifest already says what will be. */
	for (size_t i = 0; i < applier->observation->n_made; i++)
		if (strcmp(applier->observation->made[i].path, path) == 0)
			made = &applier->observation->made[i];
	if (!made || place->zone != JAIL_ZONE_SKELETON)
		return jail_error_set(err, S_ISLNK(st->st_mode) ? ELOOP : EEXIST,
				      "%s is %s that the agent did not make, where it needs something else; "
				      "remove it",
				      path,
				      S_ISLNK(st->st_mode)   ? "a symbolic link"
				      : S_ISDIR(st->st_mode) ? "a directory"
							     : "a file");
	if (S_ISREG(st->st_mode) && st->st_size != 0)
		return jail_error_set(err, EEXIST, "%s is not empty any more; remove it", path);
	if (unlinkat(place->fd, name, S_ISDIR(st->st_mode) ? AT_REMOVEDIR : 0) < 0)
		return jail_error_sys(err, errno, "cannot replace %s", path);
	return 0;
}

/* A name that nobody in a directory that all may write to can have taken before. */
static int make_aside(const struct jail_place_cache *place, bool is_dir, char name[static 32])
{
	enum { TRIES = 16 };
	for (unsigned i = 0; i < TRIES; i++) {
		unsigned number = 0;
		if (getrandom(&number, sizeof number, 0) < 0)
			return -errno;
		(void)snprintf(name, 32, "moved-%08x", number);
		jail_autoclose int file =
			is_dir ? -1 : openat(place->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
		if ((is_dir ? mkdirat(place->fd, name, 0755) : file) == -1) {
			if (errno != EEXIST)
				return -errno;
			continue;
		}
		if (fchownat(place->fd, name, 0, 0, AT_SYMLINK_NOFOLLOW) == 0 &&
		    fchmodat(place->fd, name, is_dir ? 0755 : 0444, 0) == 0)
			return 0;
		int r = -errno;
		(void)unlinkat(place->fd, name, is_dir ? AT_REMOVEDIR : 0);
		return r;
	}
	return -EEXIST;
}

int jail_target_claim(struct jail_applier *applier, const struct jail_place_cache *place, const char *name,
		      bool is_dir, const char *path, struct jail_error *err)
{
	char aside[32];
	int r = make_aside(place, is_dir, aside);
	if (r < 0)
		return jail_error_sys(err, -r, "cannot make the mount point %s", path);
	/* In one step: whoever has the name would take it again in between. */
	if (renameat2(place->fd, aside, place->fd, name, RENAME_EXCHANGE) < 0) {
		r = jail_error_sys(err, errno, "%s was taken by somebody, and cannot be moved aside", path);
		/* Still the agent's own: the directory is sticky. */
		(void)unlinkat(place->fd, aside, is_dir ? AT_REMOVEDIR : 0);
		return r;
	}
	if (jail_applied_say(applier->applied, "%s was taken by somebody; what was there is now %s beside it",
			     path, aside) < 0)
		return jail_error_sys(err, ENOMEM, "cannot go on with %s", path);
	return 0;
}

static int make_point(const struct jail_place_cache *place, const char *name, bool is_dir, const char *path,
		      struct jail_error *err)
{
	jail_autoclose int dir = -1;
	if (place->zone == JAIL_ZONE_FOREIGN)
		return jail_error_set(err, ENOENT,
				      "%s does not exist, and the agent makes no mount points in what is "
				      "mounted there; make it on the host",
				      path);
	int r = jail_hide_open(place, &dir, err);
	if (r < 0)
		return r;
	jail_autoclose int file =
		is_dir ? -1 : openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444);
	if ((is_dir ? mkdirat(dir, name, 0755) : file) < 0 ||
	    fchownat(dir, name, 0, 0, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchmodat(dir, name, is_dir ? 0755 : 0444, 0) < 0)
		r = jail_error_sys(err, errno, "cannot make the mount point %s", path);
	jail_hide_close(place);
	return r;
}

static int open_point(const struct jail_place_cache *place, const char *name, struct stat *st)
{
	int fd = openat(place->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, st) == 0)
		return fd;
	int r = -errno;
	(void)close(fd);
	return r;
}

int jail_target_open(struct jail_applier *applier, const struct jail_place_cache *place, const char *name,
		     bool is_dir, const char *path, int *ret_fd, struct jail_error *err)
{
	struct stat st = {0};
	for (unsigned i = 0; i < 3; i++) {
		jail_autoclose int fd = open_point(place, name, &st);
		int r = 0;
		if (fd == -ENOENT)
			r = make_point(place, name, is_dir, path, err);
		else if (fd < 0)
			return jail_error_sys(err, -fd, "cannot open the mount point %s", path);
		else if (place->zone == JAIL_ZONE_TMPFS && jail_fd_is_mount_root(fd) != 1 &&
			 (st.st_uid != 0 || S_ISDIR(st.st_mode) != is_dir || S_ISLNK(st.st_mode)))
			/* In a sticky directory everybody can make a name, but nobody can move root's. */
			r = jail_target_claim(applier, place, name, is_dir, path, err);
		else if (S_ISLNK(st.st_mode) || S_ISDIR(st.st_mode) != is_dir)
			r = clear_way(applier, place, name, &st, path, err);
		else {
			*ret_fd = JAIL_STEAL_FD(fd);
			return 0;
		}
		if (r < 0)
			return r;
	}
	return jail_error_set(err, EAGAIN, "%s changes while it is looked at", path);
}

int jail_target_link(struct jail_applier *applier, const struct jail_place_cache *place, const char *name,
		     const char *text, const char *path, struct jail_error *err)
{
	struct stat st;
	if (fstatat(place->fd, name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) == 0) {
		int r = clear_way(applier, place, name, &st, path, err);
		if (r < 0)
			return r;
	} else if (errno != ENOENT)
		return jail_error_sys(err, errno, "cannot look at %s", path);
	if (place->zone == JAIL_ZONE_FOREIGN)
		return jail_error_set(
			err, EROFS, "%s is not there, and the agent makes no links in what is mounted there",
			path);
	jail_autoclose int dir = -1;
	int r = jail_hide_open(place, &dir, err);
	if (r < 0)
		return r;
	if (symlinkat(text, dir, name) < 0)
		r = jail_error_sys(err, errno, "cannot make the link %s", path);
	jail_hide_close(place);
	return r;
}
