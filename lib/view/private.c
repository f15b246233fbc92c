/* Directories of a user's own on this node. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/base/cleanup.h"
#include "lib/base/file.h"
#include "lib/view/namespace.h"

/* systemd-escape --path (systemd.unit(5), "String escaping for inclusion in unit names"). */
static int escape(const char *path, char *ret, size_t size)
{
	size_t n = 0;
	for (const char *p = path + 1; *p; p++) {
		bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
			     (*p >= '0' && *p <= '9') || *p == ':' || *p == '_' ||
			     (*p == '.' && p > path + 1);
		int len = *p == '/' ? snprintf(ret + n, size - n, "-")
			  : plain   ? snprintf(ret + n, size - n, "%c", *p)
				    : snprintf(ret + n, size - n, "\\x%02x", (unsigned)(unsigned char)*p);
		n += (size_t)len;
		if (n >= size)
			return -ENAMETOOLONG;
	}
	return 0;
}

/* Two sessions may be at it at once: each brings it to the same. */
static int make(int parent, const char *name, mode_t mode, int *ret_fd)
{
	struct stat st;
	if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	jail_autoclose int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid != 0)
		return -EPERM;
	/* slurmstepd has the job's group here, and any umask. */
	if (st.st_gid != 0 && fchown(fd, 0, 0) < 0)
		return -errno;
	if ((st.st_mode & 07777) != mode && fchmod(fd, mode) < 0)
		return -errno;
	*ret_fd = JAIL_STEAL_FD(fd);
	return 0;
}

char *jail_private_path(const char *base, uid_t owner, const char *target)
{
	char name[NAME_MAX + 1];
	char *path = NULL;
	/* A name that is too long is none that anything was made under. */
	if (escape(target, name, sizeof name) < 0)
		return strdup("/");
	return asprintf(&path, "%s/%u/%s", base, (unsigned)owner, name) < 0 ? NULL : path;
}

int jail_private_open(const char *base, uid_t owner, const char *target, mode_t mode, int *ret_fd,
		      struct jail_error *err)
{
	jail_autoclose int top = -1;
	jail_autoclose int user = -1;
	char number[16];
	char name[NAME_MAX + 1];

	int r = escape(target, name, sizeof name);
	if (r < 0)
		return jail_error_sys(err, -r, "cannot keep a private directory for %s", target);
	(void)snprintf(number, sizeof number, "%u", (unsigned)owner);
	r = jail_dir_make(base, 0700, &top, err);
	if (r < 0)
		return r;
	r = make(top, number, 0700, &user);
	if (r == 0)
		r = make(user, name, mode, ret_fd);
	return r < 0 ? jail_error_sys(err, -r, "cannot make the private directory %s/%s/%s", base, number,
				      name)
		     : 0;
}
