#include "lib/base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "lib/base/cleanup.h"
#include "lib/base/openat2.h"
#include "lib/base/path_step.h"

bool jail_path_is_normal(const char *path)
{
	size_t len = strlen(path);
	if (path[0] != '/' || len >= PATH_MAX)
		return false;
	for (const char *p = path; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return false;
	}
	if (len == 1)
		return true;
	for (const char *p = path; *p;) {
		p++; /* the slash */
		size_t n = strcspn(p, "/");
		if (n == 0 || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		p += n;
	}
	return true;
}

bool jail_path_is_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);
	if (len == 1)
		return true;
	return strncmp(path, dir, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

bool jail_path_is_root_only(const struct stat *st)
{
	return S_ISDIR(st->st_mode) && st->st_uid == 0 && !(st->st_mode & 022);
}

/* openat2(2) where the kernel has it. A single component opened with O_NOFOLLOW cannot leave dirfd either
 * way; the resolve flags hold the same in the kernel once more. */
static int open_component(int dirfd, const char *name, int flags)
{
	static atomic_bool missing;

	if (!atomic_load_explicit(&missing, memory_order_relaxed)) {
		struct open_how how = {
			.flags = (unsigned)flags,
			.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
		};
		long fd = syscall(SYS_openat2, dirfd, name, &how, sizeof how);
		/* EPERM: a seccomp filter written before openat2; opening with O_PATH never gives it. */
		if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
			return fd < 0 ? -errno : (int)fd;
		atomic_store_explicit(&missing, true, memory_order_relaxed);
	}
	int fd = openat(dirfd, name, flags);
	return fd < 0 ? -errno : fd;
}

int jail_path_step(int dirfd, const char *name)
{
	int flags = O_PATH | O_CLOEXEC | O_NOFOLLOW;
	int fd = open_component(dirfd, name, flags | O_DIRECTORY);
	if (fd == -ENOTDIR || fd == -ELOOP)
		fd = open_component(dirfd, name, flags);
	return fd;
}

static int check_trusted(int fd, const char *path, int len, struct jail_error *err)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return jail_error_sys(err, errno, "cannot stat %.*s", len, path);
	if (S_ISLNK(st.st_mode))
		return jail_error_set(err, ELOOP, "%.*s is a symbolic link where a directory must be", len,
				      path);
	if (!S_ISDIR(st.st_mode))
		return jail_error_set(err, ENOTDIR, "%.*s is not a directory", len, path);
	if (st.st_uid != 0)
		return jail_error_set(err, EPERM, "%.*s belongs to uid %u, not to root", len, path,
				      (unsigned)st.st_uid);
	if (st.st_mode & 022)
		return jail_error_set(err, EPERM, "%.*s may be written by others than root (mode %04o)", len,
				      path, (unsigned)(st.st_mode & 07777));
	return 0;
}

/* The descriptor a trusted walk begins at, checked. */
static int open_start(int dirfd, struct jail_error *err)
{
	int fd = dirfd < 0 ? open("/", O_PATH | O_DIRECTORY | O_CLOEXEC) : fcntl(dirfd, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return jail_error_sys(err, errno, "cannot open %s",
				      dirfd < 0 ? "/" : "the directory that a path begins at");
	const char *name = dirfd < 0 ? "/" : "the directory that a path begins at";
	int r = check_trusted(fd, name, (int)strlen(name), err);
	if (r < 0) {
		(void)close(fd);
		return r;
	}
	return fd;
}

int jail_path_open_trusted(int dirfd, const char *path, int *ret_fd, struct jail_error *err)
{
	if (strlen(path) >= PATH_MAX)
		return jail_error_sys(err, ENAMETOOLONG, "cannot open %.200s...", path);
	jail_autoclose int fd = open_start(dirfd, err);
	if (fd < 0)
		return fd;
	for (const char *p = path; *p;) {
		p += strspn(p, "/");
		size_t n = strcspn(p, "/");
		if (n == 0)
			break;
		int len = (int)(p + n - path);
		char name[NAME_MAX + 1];
		if (n > NAME_MAX)
			return jail_error_sys(err, ENAMETOOLONG, "cannot open %.200s...", path);
		memcpy(name, p, n);
		name[n] = '\0';
		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			return jail_error_set(err, EINVAL, "%s is not a path in normal form", path);
		int next = jail_path_step(fd, name);
		if (next < 0)
			return jail_error_sys(err, -next, "cannot open %.*s", len, path);
		(void)close(fd);
		fd = next;
		int r = check_trusted(fd, path, len, err);
		if (r < 0)
			return r;
		p += n;
	}
	*ret_fd = JAIL_STEAL_FD(fd);
	return 0;
}
