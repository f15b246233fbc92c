/* May this view be entered: the root's path, the marker, every mount of the member. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "lib/base/cleanup.h"
#include "lib/base/openat2.h"
#include "lib/base/path.h"
#include "lib/view/enter.h"
#include "lib/view/plain_open.h"
#include "lib/view/view.h"

#ifndef STATX_ATTR_MOUNT_ROOT
#define STATX_ATTR_MOUNT_ROOT 0x2000
#endif

/* What stands at one target of a view. */
struct standing {
	mode_t mode;
	uid_t uid;
	int mount_root; /* 1, 0, or negative errno: before Linux 5.8 and without /proc it can't be told */
};

/* Neither a server nor an automount daemon is asked: a session must open when one of them is dead. */
enum { QUIET = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC };

static int look_by_fd(int fd, struct standing *ret)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return -errno;
	*ret = (struct standing){
		.mode = st.st_mode, .uid = st.st_uid, .mount_root = jail_fd_is_mount_root(fd)};
	return 0;
}

static int look(int dirfd, const char *name, int flags, struct standing *ret)
{
	struct statx sx;
	if (statx(dirfd, name, QUIET | flags, STATX_TYPE | STATX_MODE | STATX_UID, &sx) < 0) {
		/* EINVAL: glibc's own statx, where the kernel has none, knows no AT_STATX_DONT_SYNC. */
		if (errno != ENOSYS && errno != EPERM && errno != EINVAL)
			return -errno;
	} else if (sx.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) {
		*ret = (struct standing){
			.mode = sx.stx_mode,
			.uid = sx.stx_uid,
			.mount_root = (sx.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0,
		};
		return 0;
	}
	/* Before Linux 5.8 the mount's identifier tells. */
	if (flags & AT_EMPTY_PATH)
		return look_by_fd(dirfd, ret);
	jail_autoclose int fd = openat(dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : look_by_fd(fd, ret);
}

/* To a target with more than one component: a user may own a directory on the way (their home, below which
 * something else is mounted), and a symlink put there must not lead the check astray. */
static int look_below(int root, const char *path, struct standing *ret)
{
	jail_autoclose int fd = jail_plain_open(root, path, 0);
	return fd < 0 ? fd : look(fd, "", AT_EMPTY_PATH, ret);
}

/* Where it can't be told whether it is mounted it counts as the marker: inside a view less is allowed. */
static bool is_marker(const struct standing *at)
{
	return at->mount_root != 0 && S_ISDIR(at->mode) && at->uid == 0 && !(at->mode & 077);
}

/* Whether what stands at a target is what an entry of this kind asks for: 1, 0 or negative errno. */
static int is_in_place(int root, enum jail_entry_kind kind, const char *target, struct standing *ret_at)
{
	const char *path = target + 1;
	int r = strchr(path, '/') ? look_below(root, path, ret_at) : look(root, path, 0, ret_at);
	if (r < 0)
		return r;
	/* Root's own symlink in a root-only directory (/bin on a merged /usr) is reproduced as one. */
	if (kind == JAIL_ENTRY_BIND && S_ISLNK(ret_at->mode) && ret_at->uid == 0)
		return 1;
	return ret_at->mount_root;
}

static int check_entry(int root, const struct jail_view *view, const struct jail_entry *entry,
		       struct jail_error *err)
{
	struct standing at = {0};
	int r = is_in_place(root, entry->kind, entry->target, &at);
	if (r == -ENOENT || r == -ELOOP || r == -ENOTDIR)
		return jail_error_sys(err, ENOTCONN, "%s%s is not mounted", view->root, entry->target);
	if (r < 0)
		return jail_error_sys(err, -r, "cannot tell whether %s%s is mounted", view->root,
				      entry->target);
	if (r == 0)
		return jail_error_set(err, ENOTCONN, "%s%s is there, but nothing is mounted on it",
				      view->root, entry->target);
	if (entry->kind == JAIL_ENTRY_MARKER && (!S_ISDIR(at.mode) || at.uid != 0 || (at.mode & 077)))
		return jail_error_set(err, EPERM, "%s%s is not root's alone: this is not the agent's marker",
				      view->root, entry->target);
	return 0;
}

/* The view as it should be, entry by entry, and which one is missing. */
static int check_view(int root, const struct jail_cache *cache, size_t jail, const struct jail_member *member,
		      struct jail_error *err)
{
	jail_autoview struct jail_view view = {0};

	/* Where the marker comes from is the agent's concern; here it must only be there. */
	int r = jail_view_build(cache, jail, member, 1, "/", &view, err);
	for (size_t i = 0; i < view.n_entries && r == 0; i++) {
		if (!view.entries[i].optional)
			r = check_entry(root, &view, &view.entries[i], err);
	}
	return r;
}

/* Whether another mount of the jail has the target of number i, as it is for this member: what that comes to
 * is told by building the view. */
static bool is_claimed_twice(const struct jail_cache *cache, const struct jail_cache_jail *record, size_t i,
			     const struct jail_member *member)
{
	jail_autofree char *own = NULL;
	struct jail_mount mount;
	if (jail_cache_mount(cache, record, i, &mount, NULL) < 0 ||
	    jail_template_expand(mount.target, member, &own, NULL) < 0)
		return true;
	for (size_t j = 0; j < record->n_mounts; j++) {
		jail_autofree char *others = NULL;
		if (j != i && (jail_cache_mount(cache, record, j, &mount, NULL) < 0 ||
			       jail_template_expand(mount.target, member, &others, NULL) < 0 ||
			       strcmp(own, others) == 0))
			return true;
	}
	return false;
}

static bool mount_is_in_place(int root, const struct jail_mount *mount, const struct jail_member *member)
{
	struct standing at = {0};
	enum jail_entry_kind kind = mount->verb == JAIL_VERB_BIND ? JAIL_ENTRY_BIND : JAIL_ENTRY_HIDE;
	jail_autofree char *expanded = NULL;
	const char *target = mount->target;

	if (strchr(target, '%')) {
		if (jail_template_expand(target, member, &expanded, NULL) < 0)
			return false;
		target = expanded;
	}
	return jail_path_is_normal(target) && is_in_place(root, kind, target, &at) == 1;
}

/* Whether every mount that the policy lists is there: true in nearly every session, and told without building
 * the view. false says nothing yet: one bind may bring another. */
static bool all_in_place(int root, const struct jail_cache *cache, size_t jail,
			 const struct jail_member *member)
{
	struct jail_cache_jail record;
	struct standing marker = {0};

	if (jail_cache_jail(cache, jail, &record, NULL) < 0 ||
	    look(root, JAIL_MARKER_TARGET + 1, 0, &marker) < 0 || marker.mount_root != 1 ||
	    !is_marker(&marker))
		return false;
	for (size_t i = 0; i < record.n_mounts; i++) {
		struct jail_mount mount;
		if (jail_cache_mount(cache, &record, i, &mount, NULL) < 0)
			return false;
		if (strchr(mount.target, '%') && is_claimed_twice(cache, &record, i, member))
			return false;
		if (!mount.optional && !mount_is_in_place(root, &mount, member))
			return false;
	}
	return true;
}

/* The whole path in one call, and the directories above it looked at through "..": half the calls of the
 * walk, and as good. What they show is where the opened directory lies now, and nobody but root could have
 * put it there when all of them are root's. Returns a descriptor, or -1 for the walk to say why. */
static int open_at_once(int host, const char *path)
{
	static const char up[] = "../../../../../../../..";
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	struct stat st;
	size_t depth = path[0] == '/' ? 0 : 1;

	for (const char *p = path; *p; p++)
		depth += *p == '/';
	if (3 * depth > sizeof up)
		return -1;
	jail_autoclose int fd = (int)syscall(SYS_openat2, host < 0 ? AT_FDCWD : host, path, &how, sizeof how);
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_uid != 0 || (st.st_mode & 022))
		return -1;
	for (size_t i = 1; i <= depth; i++) {
		if (fstatat(fd, up + sizeof up - 3 * i, &st, 0) < 0 || st.st_uid != 0 || (st.st_mode & 022))
			return -1;
	}
	return JAIL_STEAL_FD(fd);
}

int jail_enter_open_root(int host, const struct jail_cache_jail *jail, const struct jail_member *member,
			 int *ret_root, struct jail_error *err)
{
	jail_autofree char *expanded = NULL;
	int r = jail_template_expand(jail->root, member, &expanded, err);
	if (r < 0)
		return jail_error_prefix(err, "root of jail %s", jail->name);
	if (!jail_path_is_normal(expanded) || !expanded[1])
		return jail_error_set(err, EINVAL, "the root of jail %s would be %s", jail->name, expanded);
	/* Relative to a descriptor there is no leading slash. */
	const char *path = host < 0 ? expanded : expanded + 1;
	int fd = open_at_once(host, path);
	if (fd < 0)
		return jail_path_open_trusted(host, path, ret_root, err);
	*ret_root = fd;
	return 0;
}

/* A root with the member's name in it must not be, hold or lie in one that is the same for everybody: an
 * account named like another jail's root would be let into that. */
static int check_own_root(const struct jail_cache *cache, size_t jail, const struct jail_cache_jail *record,
			  const struct jail_member *member, struct jail_error *err)
{
	jail_autofree char *own = NULL;
	if (!strchr(record->root, '%'))
		return 0;
	int r = jail_template_expand(record->root, member, &own, err);
	for (size_t i = 0; i < jail_cache_n_jails(cache) && r == 0; i++) {
		struct jail_cache_jail other;
		r = jail_cache_jail(cache, i, &other, err);
		if (r == 0 && i != jail && other.confine == JAIL_CONFINE_CHROOT && other.used &&
		    !strchr(other.root, '%') &&
		    (jail_path_is_below(own, other.root) || jail_path_is_below(other.root, own)))
			r = jail_error_set(err, EEXIST, "the root %s of user %s and that of jail %s meet",
					   own, member->user, other.name);
	}
	return r;
}

int jail_enter_open(const struct jail_cache *cache, size_t jail, const struct jail_member *member,
		    int *ret_root, struct jail_error *err)
{
	struct jail_cache_jail record;
	jail_autoclose int root = -1;

	int r = jail_cache_jail(cache, jail, &record, err);
	if (r == 0)
		r = check_own_root(cache, jail, &record, member, err);
	if (r == 0)
		r = jail_enter_open_root(-1, &record, member, &root, err);
	if (r == 0 && !all_in_place(root, cache, jail, member))
		r = check_view(root, cache, jail, member, err);
	if (r == 0)
		*ret_root = JAIL_STEAL_FD(root);
	return r;
}

static int has_marker(int dirfd, const char *path)
{
	struct standing at = {0};
	int r = look(dirfd, path, 0, &at);
	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : is_marker(&at);
}

int jail_enter_inside_any(const char *run)
{
	int r = has_marker(AT_FDCWD, JAIL_MARKER_TARGET);
	return r != 0 ? r : has_marker(AT_FDCWD, run);
}

int jail_enter_host_root(const char *run, int *ret_host, struct jail_error *err)
{
	struct statfs fs;
	jail_autoclose int proc = open("/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (proc < 0 || fstatfs(proc, &fs) < 0)
		return jail_error_sys(err, errno, "cannot look at the host through /proc");
	if (fs.f_type != PROC_SUPER_MAGIC)
		return jail_error_set(err, ENOENT, "this view has no procfs to look at the host through");
	jail_autoclose int host = openat(proc, "1/root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (host < 0)
		return jail_error_sys(err, errno, "cannot look at the host through /proc/1/root");
	int r = has_marker(host, JAIL_MARKER_TARGET + 1);
	if (r == 0)
		r = has_marker(host, run + 1);
	if (r < 0)
		return jail_error_sys(err, -r, "cannot look at the host through /proc/1/root");
	if (r > 0)
		return jail_error_set(err, ELOOP, "/proc/1/root is a view itself, not the host");
	*ret_host = JAIL_STEAL_FD(host);
	return 0;
}
