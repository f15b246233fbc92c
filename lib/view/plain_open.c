#include "lib/view/plain_open.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "lib/base/openat2.h"

enum { PLAIN = O_PATH | O_NOFOLLOW | O_CLOEXEC };

static int walk(int dirfd, const char *path, int flags)
{
	int dir = dirfd;
	for (const char *p = path;;) {
		char name[NAME_MAX + 1];
		size_t n = strcspn(p, "/");
		int fd = -1;
		int code = ENAMETOOLONG;
		if (n <= NAME_MAX) {
			memcpy(name, p, n);
			name[n] = '\0';
			fd = openat(dir, name, p[n] ? PLAIN | O_DIRECTORY : PLAIN | flags);
			code = errno;
		}
		if (dir != dirfd)
			(void)close(dir);
		if (fd < 0)
			return -code;
		if (!p[n])
			return fd;
		dir = fd;
		p += n + 1;
	}
}

int jail_plain_open(int dirfd, const char *path, int flags)
{
	struct open_how how = {
		.flags = (unsigned)(PLAIN | flags),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, dirfd, path, &how, sizeof how);
	if (fd >= 0)
		return (int)fd;
	/* EPERM: a seccomp filter written before openat2; opening with O_PATH never gives it. */
	return errno == ENOSYS || errno == EPERM ? walk(dirfd, path, flags) : -errno;
}
