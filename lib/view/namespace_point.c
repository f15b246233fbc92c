/* Mount points in what a view itself mounts. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/base/cleanup.h"
#include "lib/view/namespace_parts.h"

/* slurmstepd has the job's group and any umask. */
static int make_dir(int parent, const char *name)
{
	if (mkdirat(parent, name, 0755) < 0)
		return errno == EEXIST ? 0 : -errno;
	if (fchownat(parent, name, 0, 0, AT_SYMLINK_NOFOLLOW) < 0 || fchmodat(parent, name, 0755, 0) < 0)
		return -errno;
	return 0;
}

static int make_file(int parent, const char *name)
{
	jail_autoclose int fd =
		openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444);
	if (fd < 0)
		return errno == EEXIST ? 0 : -errno;
	return fchown(fd, 0, 0) < 0 ? -errno : 0;
}

static int step(int parent, const char *name, bool is_dir, int *ret)
{
	int r = is_dir ? make_dir(parent, name) : make_file(parent, name);
	if (r < 0)
		return r;
	*ret = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC | (is_dir ? O_DIRECTORY : 0));
	return *ret < 0 ? -errno : 0;
}

int jail_namespace_make_point(int own, const char *rest, bool is_dir, const char *target, int *ret_parent,
			      int *ret_target, struct jail_error *err)
{
	jail_autoclose int parent = -1;
	jail_autoclose int at = fcntl(own, F_DUPFD_CLOEXEC, 3);
	int r = at < 0 ? -errno : 0;

	while (*rest && r == 0) {
		char name[NAME_MAX + 1];
		size_t len = strcspn(rest + 1, "/");
		bool last = rest[1 + len] == '\0';
		if (len > NAME_MAX) {
			r = -ENAMETOOLONG;
			break;
		}
		memcpy(name, rest + 1, len);
		name[len] = '\0';
		rest += 1 + len;
		jail_cleanup_close(&parent);
		parent = JAIL_STEAL_FD(at);
		r = step(parent, name, is_dir || !last, &at);
	}
	if (r < 0)
		return jail_error_sys(err, -r, "cannot make the mount point %s", target);
	*ret_parent = JAIL_STEAL_FD(parent);
	*ret_target = JAIL_STEAL_FD(at);
	return 0;
}
