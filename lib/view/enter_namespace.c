/* Moving the calling thread into a mount namespace of its own, and back. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/base/cleanup.h"
#include "lib/base/path.h"
#include "lib/view/enter.h"
#include "lib/view/enter_parts.h"
#include "lib/view/namespace.h"

/* Not /proc/self: slurmstepd has threads, and each has its own. */
#define OWN_NAMESPACE "/proc/thread-self/ns/mnt"

/* setns(2) refuses a thread that shares root and working directory with others. */
static int go_back(const struct jail_entered *saved)
{
	struct stat st;
	if (unshare(CLONE_FS) < 0 || setns(saved->ns.fd, CLONE_NEWNS) < 0)
		return -errno;
	/* setns leaves the thread at the namespace's root, which need not be the one it had. */
	if (stat("/", &st) < 0 || !jail_place_is(&saved->root, &st)) {
		if (fchdir(saved->root.fd) < 0 || chroot(".") < 0)
			return -errno;
	}
	if (jail_place_is_open(&saved->cwd))
		(void)!fchdir(saved->cwd.fd);
	return 0;
}

/* The roots of chroot jails, with everything that is mounted in them, are not this session's: a descriptor of
 * the way there would show them, and they would stay busy. */
static int detach_roots(const char *roots, struct jail_error *err)
{
	if (!*roots || umount2(roots, MNT_DETACH | UMOUNT_NOFOLLOW) == 0 || errno == EINVAL ||
	    errno == ENOENT)
		return 0;
	return jail_error_sys(err, errno, "cannot leave %s out of the view", roots);
}

static int make_view(const struct jail_door *door, struct jail_place *ret_view, struct jail_error *err)
{
	/* Slave, not private: what is mounted on the host later (autofs, CVMFS) still comes, outside of what
	 * is hidden. */
	if (mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
		return jail_error_sys(err, errno, "cannot keep the session's mounts to itself");
	int r = jail_place_open(OWN_NAMESPACE, O_RDONLY, ret_view);
	if (r < 0)
		return jail_error_sys(err, -r, "cannot tell the session's mount namespace");
	jail_cleanup_close(&ret_view->fd);
	r = detach_roots(door->places.roots, err);
	return r < 0 ? r : jail_namespace_mount(door->view, &door->places, door->owner, err);
}

int jail_enter_namespace(const struct jail_door *door, struct jail_entered *ret, struct jail_error *err)
{
	struct jail_entered saved = JAIL_ENTERED_INIT;

	int r = jail_place_open("/", O_PATH | O_DIRECTORY, &saved.root);
	if (r == 0)
		r = jail_place_open(".", O_PATH | O_DIRECTORY, &saved.cwd);
	if (r == 0)
		r = jail_place_open(OWN_NAMESPACE, O_RDONLY, &saved.ns);
	if (r == 0 && unshare(CLONE_NEWNS) < 0)
		r = -errno;
	if (r < 0) {
		jail_enter_forget(&saved);
		return jail_error_sys(err, -r, "cannot make a mount namespace for the session");
	}
	r = make_view(door, &saved.view, err);
	if (r == 0) {
		/* No working directory is left beneath what is hidden. */
		if (chdir("/") < 0)
			r = jail_error_sys(err, errno, "cannot change to / of the view");
	}
	if (r < 0) {
		int back = go_back(&saved);
		jail_enter_forget(&saved);
		return back < 0 ? jail_error_prefix(err, "the way back failed too (%s)", strerror(-back)) : r;
	}
	jail_autoclose int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root >= 0)
		jail_enter_home(root, door->home);
	*ret = saved;
	return 0;
}

int jail_enter_namespace_leave(const struct jail_entered *entered, struct jail_error *err)
{
	struct stat st;

	if (stat(OWN_NAMESPACE, &st) == 0 && !jail_place_is(&entered->view, &st))
		return 0;
	if (!jail_place_is_open(&entered->ns) || !jail_place_is_open(&entered->root))
		return jail_error_set(err, EBADF,
				      "the way back to the host is closed; the process stays in the view");
	int r = go_back(entered);
	return r < 0 ? jail_error_sys(err, -r, "cannot go back to the host's mount namespace") : 0;
}

int jail_enter_is_namespace_of(int host, const struct jail_places_of_node *places, const char *jail)
{
	char path[PATH_MAX];
	struct jail_error why;
	struct stat here;
	jail_autoclose int dir = -1;

	if (stat(places->run, &here) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (snprintf(path, sizeof path, "%s/%s", places->marker + 1, jail) >= (int)sizeof path)
		return -ENAMETOOLONG;
	int r = jail_path_open_trusted(host, path, &dir, &why);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	int list = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = list < 0 ? NULL : fdopendir(list);
	if (!stream) {
		r = -errno;
		if (list >= 0)
			(void)close(list);
		return r;
	}
	bool found = false;
	for (const struct dirent *entry; !found && (entry = readdir(stream));) {
		struct stat st;
		found = strcmp(entry->d_name, "..") != 0 && strcmp(entry->d_name, ".") != 0 &&
			fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			st.st_dev == here.st_dev && st.st_ino == here.st_ino;
	}
	(void)closedir(stream);
	return found;
}
