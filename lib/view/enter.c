/* Moving the calling thread into a view and back. */
#include "lib/view/enter.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/base/cleanup.h"
#include "lib/base/path.h"
#include "lib/view/enter_parts.h"
#include "lib/view/plain_open.h"

int jail_place_open(const char *path, int flags, struct jail_place *ret)
{
	struct stat st;
	jail_autoclose int fd = open(path, flags | O_CLOEXEC);
	/* A program that closed its standard streams gets none of them back like this. */
	if (fd >= 0 && fd <= STDERR_FILENO) {
		int low = fd;
		fd = fcntl(low, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		int code = errno;
		(void)close(low);
		errno = code;
	}
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	ret->device = st.st_dev;
	ret->inode = st.st_ino;
	ret->fd = JAIL_STEAL_FD(fd);
	return 0;
}

bool jail_place_is(const struct jail_place *place, const struct stat *st)
{
	return st->st_dev == place->device && st->st_ino == place->inode;
}

bool jail_place_is_open(const struct jail_place *place)
{
	struct stat st;
	return place->fd >= 0 && fstat(place->fd, &st) == 0 && jail_place_is(place, &st);
}

static void place_close(struct jail_place *place)
{
	if (jail_place_is_open(place))
		(void)close(place->fd);
	place->fd = -1;
}

void jail_enter_forget(struct jail_entered *entered)
{
	place_close(&entered->root);
	place_close(&entered->cwd);
	place_close(&entered->ns);
}

/* The user may own directories above home: no symlink there may take the process elsewhere. Failing is no
 * error: root can't enter every home (NFS with root_squash), and a program changes to home as the user. */
void jail_enter_home(int root, const char *home)
{
	if (!home || !jail_path_is_normal(home) || !home[1])
		return;
	jail_autoclose int fd = jail_plain_open(root, home + 1, O_DIRECTORY);
	if (fd >= 0)
		(void)!fchdir(fd);
}

static int enter_chroot(int root, const char *home, struct jail_entered *ret, struct jail_error *err)
{
	struct jail_entered saved = JAIL_ENTERED_INIT;
	struct stat st;

	int r = jail_place_open("/", O_PATH | O_DIRECTORY, &saved.root);
	if (r == 0)
		r = jail_place_open(".", O_PATH | O_DIRECTORY, &saved.cwd);
	if (r < 0) {
		jail_enter_forget(&saved);
		return jail_error_sys(err, -r, "cannot keep the place that the session comes from");
	}
	if (fstat(root, &st) < 0 || unshare(CLONE_FS) < 0 || fchdir(root) < 0) {
		r = -errno;
		jail_enter_forget(&saved);
		return jail_error_sys(err, -r, "cannot enter the root of the view");
	}
	saved.view.device = st.st_dev;
	saved.view.inode = st.st_ino;
	if (chroot(".") < 0) {
		r = -errno;
		(void)!fchdir(saved.cwd.fd);
		jail_enter_forget(&saved);
		return jail_error_sys(err, -r, "cannot change the root to the view");
	}
	jail_enter_home(root, home);
	*ret = saved;
	return 0;
}

int jail_enter(const struct jail_door *door, struct jail_entered *ret, struct jail_error *err)
{
	return door->view ? jail_enter_namespace(door, ret, err)
			  : enter_chroot(door->root, door->home, ret, err);
}

int jail_enter_leave(const struct jail_entered *entered, struct jail_error *err)
{
	struct stat st;

	if (entered->ns.inode != 0)
		return jail_enter_namespace_leave(entered, err);
	if (stat("/", &st) < 0)
		return jail_error_sys(err, errno, "cannot stat /");
	if (!jail_place_is(&entered->view, &st))
		return 0;
	if (!jail_place_is_open(&entered->root))
		return jail_error_set(err, EBADF,
				      "the way back to the host is closed; the process stays in the view");
	if (fchdir(entered->root.fd) < 0 || chroot(".") < 0)
		return jail_error_sys(err, errno, "cannot change the root back to the host");
	if (jail_place_is_open(&entered->cwd))
		(void)!fchdir(entered->cwd.fd);
	return 0;
}

int jail_enter_is_inside(int root)
{
	struct stat st;
	struct stat here;

	if (fstat(root, &st) < 0 || stat("/", &here) < 0)
		return -errno;
	return st.st_dev == here.st_dev && st.st_ino == here.st_ino;
}
