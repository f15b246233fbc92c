#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/base/cleanup.h"
#include "lib/base/file.h"
#include "lib/base/path.h"

/*
 * Makes name below parent, which is root's, so that only root can be in between: another agent that starts at
 * the same time. Its directory is as good; the caller opens and checks whichever is there.
 */
static int make_one(int parent, const char *name, const char *path, mode_t mode, struct jail_error *err)
{
	if (mkdirat(parent, name, 0700) < 0)
		return errno == EEXIST ? 0 : jail_error_sys(err, errno, "cannot make the directory %s", path);
	jail_autoclose int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return jail_error_sys(err, errno, "cannot open the new directory %s", path);
	/* A setgid parent hands its group down, and the umask takes bits of the mode away. */
	if (fchown(fd, 0, 0) < 0 || fchmod(fd, mode) < 0)
		return jail_error_sys(err, errno, "cannot set owner and mode of %s", path);
	return 0;
}

int jail_dir_make(const char *path, mode_t mode, int *ret_fd, struct jail_error *err)
{
	if (!jail_path_is_normal(path) || (mode & 022))
		return jail_error_set(err, EINVAL,
				      "cannot make \"%s\" with mode %04o: not a path in normal "
				      "form, or writable by others than root",
				      path, (unsigned)mode);
	jail_autoclose int fd = -1;
	/* Mostly it is there, and each session waits for this. */
	int r = jail_path_open_trusted(-1, path, ret_fd, NULL);
	if (r == 0)
		return 0;
	r = jail_path_open_trusted(-1, "/", &fd, err);
	if (r < 0)
		return r;
	for (const char *p = path; p[strspn(p, "/")] != '\0';) {
		p += strspn(p, "/");
		size_t n = strcspn(p, "/");
		char name[NAME_MAX + 1];
		if (n > NAME_MAX)
			return jail_error_sys(err, ENAMETOOLONG, "cannot make %.200s...", path);
		memcpy(name, p, n);
		name[n] = '\0';
		int next = -1;
		struct jail_error why;
		r = jail_path_open_trusted(fd, name, &next, &why);
		if (r == -ENOENT) {
			r = make_one(fd, name, path, mode, err);
			if (r < 0)
				return r;
			r = jail_path_open_trusted(fd, name, &next, &why);
		}
		if (r < 0)
			return jail_error_set(err, why.code, "cannot make %s: %s", path, why.message);
		(void)close(fd);
		fd = next;
		p += n;
	}
	*ret_fd = JAIL_STEAL_FD(fd);
	return 0;
}
