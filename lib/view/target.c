/* Where mounts go: the directories on the way, by descriptor, each checked. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/base/cleanup.h"
#include "lib/base/path.h"
#include "lib/view/apply_parts.h"
#include "lib/view/order.h"
#include "lib/view/scene.h"

void jail_target_forget(struct jail_applier *applier)
{
	struct jail_place_cache *place = &applier->place;
	jail_cleanup_close(&place->root);
	jail_cleanup_close(&place->fd);
	jail_cleanup_close(&place->zone_fd);
	free(place->dir);
	*place = (struct jail_place_cache){.view = SIZE_MAX, .root = -1, .fd = -1, .zone_fd = -1};
}

/* Steps into name, which must be a directory. Not triggering what is no directory: no O_DIRECTORY for links.
 */
static int open_dir(int dirfd, const char *name, struct stat *st)
{
	int fd = openat(dirfd, name, O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, st) < 0) {
		int r = -errno;
		(void)close(fd);
		return r;
	}
	return fd;
}

static int make_dir(const struct jail_place_cache *place, const char *name, const char *path,
		    struct jail_error *err)
{
	jail_autoclose int dir = -1;
	if (place->zone == JAIL_ZONE_FOREIGN)
		return jail_error_set(err, ENOENT,
				      "%s does not exist, and the agent makes no directories in what is "
				      "mounted there; make it on the host",
				      path);
	int r = jail_hide_open(place, &dir, err);
	if (r < 0)
		return r;
	/* The umask takes bits away and a setgid parent hands its group down; nobody else can be in between.
	 */
	if (mkdirat(dir, name, 0755) < 0 || fchownat(dir, name, 0, 0, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchmodat(dir, name, 0755, 0) < 0)
		r = jail_error_sys(err, errno, "cannot make the directory %s", path);
	jail_hide_close(place);
	return r;
}

/* The entry whose target is exactly this, or NULL. */
static const struct jail_entry *entry_at(const struct jail_view *view, const char *target)
{
	size_t e = jail_scene_first(view, target);
	return e < view->n_entries && strcmp(view->entries[e].target, target) == 0 ? &view->entries[e] : NULL;
}

/* A mount was entered: what may be done in it. */
static int enter_zone(struct jail_place_cache *place, const struct jail_entry *entry)
{
	place->zone = entry && entry->kind == JAIL_ENTRY_HIDE	 ? JAIL_ZONE_HIDE
		      : entry && entry->kind == JAIL_ENTRY_TMPFS ? JAIL_ZONE_TMPFS
								 : JAIL_ZONE_FOREIGN;
	jail_cleanup_close(&place->zone_fd);
	place->zone_fd = -1;
	if (place->zone == JAIL_ZONE_HIDE)
		place->zone_fd = fcntl(place->fd, F_DUPFD_CLOEXEC, 3);
	return place->zone == JAIL_ZONE_HIDE && place->zone_fd < 0 ? -errno : 0;
}

static int check_dir(const struct stat *st, bool is_tmpfs, const char *path, struct jail_error *err)
{
	if (st->st_uid != 0)
		return jail_error_set(err, EPERM,
				      "%s belongs to uid %u, not to root, so nothing is mounted "
				      "below it",
				      path, (unsigned)st->st_uid);
	if ((st->st_mode & 022) && !(is_tmpfs && (st->st_mode & S_ISVTX)))
		return jail_error_set(err, EPERM,
				      "%s may be written by others than root (mode %04o), so nothing is "
				      "mounted below it",
				      path, (unsigned)(st->st_mode & 07777));
	return 0;
}

/* Opens name, and makes it where it is missing, or taken by a user of a tmpfs. */
static int open_or_make(struct jail_applier *applier, const char *name, const char *path, struct stat *st,
			struct jail_error *err)
{
	struct jail_place_cache *place = &applier->place;
	int fd = open_dir(place->fd, name, st);
	int r = 0;
	if (fd == -ENOENT)
		r = make_dir(place, name, path, err);
	else if (place->zone == JAIL_ZONE_TMPFS &&
		 (fd == -ENOTDIR || fd == -ELOOP ||
		  (fd >= 0 && st->st_uid != 0 && jail_fd_is_mount_root(fd) != 1))) {
		jail_cleanup_close(&fd);
		r = jail_target_claim(applier, place, name, true, path, err);
	} else if (fd >= 0)
		return fd;
	else
		return jail_error_sys(err, fd == -ENOTDIR || fd == -ELOOP ? ENOTDIR : -fd,
				      "cannot open %s, which must be a directory and no link", path);
	if (r < 0)
		return r;
	fd = open_dir(place->fd, name, st);
	return fd < 0 ? jail_error_sys(err, -fd, "cannot open %s", path) : fd;
}

/* One component of the way. target: path inside the view so far. */
static int step(struct jail_applier *applier, const char *name, const char *target, struct jail_error *err)
{
	struct jail_place_cache *place = &applier->place;
	const struct jail_view *view = &applier->views->views[place->view];
	struct stat st = {0};
	jail_autofree char *path = jail_order_join(view->root, target);
	if (!path)
		return jail_error_sys(err, ENOMEM, "cannot open %s", target);
	int fd = open_or_make(applier, name, path, &st, err);
	if (fd < 0)
		return fd;
	(void)close(place->fd);
	place->fd = fd;
	int mounted = jail_fd_is_mount_root(fd);
	int r = mounted < 0 ? mounted : 0;
	if (mounted == 1)
		r = enter_zone(place, entry_at(view, target));
	if (r < 0)
		return jail_error_sys(err, -r, "cannot look at %s", path);
	return check_dir(&st, mounted == 1 && place->zone == JAIL_ZONE_TMPFS, path, err);
}

/* From the directory that the first from bytes of dir are. */
static int walk(struct jail_applier *applier, const char *dir, size_t from, struct jail_error *err)
{
	char target[PATH_MAX] = "";
	for (const char *p = dir + from; *p;) {
		char name[NAME_MAX + 1];
		size_t n = strcspn(p + 1, "/");
		if (n > NAME_MAX || (size_t)(p + 1 + n - dir) >= sizeof target)
			return jail_error_sys(err, ENAMETOOLONG, "cannot open %.200s", dir);
		memcpy(name, p + 1, n);
		name[n] = '\0';
		p += 1 + n;
		memcpy(target, dir, (size_t)(p - dir));
		target[p - dir] = '\0';
		int r = step(applier, name, target, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Where the walk to target begins: the root of its view, or of what is put together in private. *ret_len: how
 * much of target that is. */
static int open_start(const struct jail_applier *applier, size_t v, const char *target,
		      struct jail_place_cache *place, size_t *ret_len, struct jail_error *err)
{
	const struct jail_view *view = &applier->views->views[v];
	const struct jail_entry *staged =
		applier->stage.view == v ? &view->entries[applier->stage.entry] : NULL;
	struct stat st;
	*ret_len = 0;
	place->zone = JAIL_ZONE_SKELETON;
	if (!staged || !jail_order_rest(target, staged->target)) {
		if (place->root < 0) {
			int r = jail_path_open_trusted(-1, view->root, &place->root, err);
			if (r < 0)
				return r;
		}
		place->fd = fcntl(place->root, F_DUPFD_CLOEXEC, 3);
		return place->fd < 0 ? jail_error_sys(err, errno, "cannot open %s", view->root) : 0;
	}
	*ret_len = strlen(staged->target);
	place->fd = fcntl(applier->stage.fd, F_DUPFD_CLOEXEC, 3);
	if (place->fd < 0 || fstat(place->fd, &st) < 0 || enter_zone(place, staged) < 0)
		return jail_error_sys(err, errno, "cannot open %s%s", view->root, staged->target);
	return check_dir(&st, place->zone == JAIL_ZONE_TMPFS, staged->target, err);
}

int jail_target_parent(struct jail_applier *applier, size_t v, const char *target,
		       const struct jail_place_cache **ret, struct jail_error *err)
{
	struct jail_place_cache *place = &applier->place;
	size_t len = (size_t)(strrchr(target, '/') - target);

	if (place->view == v && place->dir && strlen(place->dir) == len &&
	    memcmp(place->dir, target, len) == 0) {
		*ret = place;
		return 0;
	}
	if (place->view != v)
		jail_target_forget(applier);
	place->view = v;
	free(place->dir);
	place->dir = NULL;
	jail_cleanup_close(&place->fd);
	jail_cleanup_close(&place->zone_fd);
	place->fd = place->zone_fd = -1;
	jail_autofree char *dir = strndup(target, len);
	if (!dir)
		return jail_error_sys(err, ENOMEM, "cannot open %s%s", applier->views->views[v].root, target);
	size_t from = 0;
	int r = open_start(applier, v, dir, place, &from, err);
	if (r == 0)
		r = walk(applier, dir, from, err);
	if (r < 0)
		return r;
	place->dir = JAIL_STEAL_PTR(dir);
	*ret = place;
	return 0;
}
