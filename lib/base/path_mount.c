#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/base/buffer.h"
#include "lib/base/cleanup.h"
#include "lib/base/file.h"
#include "lib/base/path.h"

#ifndef STATX_ATTR_MOUNT_ROOT
#define STATX_ATTR_MOUNT_ROOT 0x2000
#endif

enum { STATX_QUIET = AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC };

/* proc_pid_fdinfo(5): mnt_id since Linux 3.15. */
static int mount_id_from_fdinfo(int fd, int *ret_id)
{
	char path[64];
	(void)snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	int r = jail_file_read(AT_FDCWD, path, 65536, &text, NULL);
	if (r < 0)
		return r;
	const char *line = strstr(text.data, "mnt_id:");
	int id = 0;
	if (!line || sscanf(line, "mnt_id: %d", &id) != 1)
		return -EBADMSG;
	*ret_id = id;
	return 0;
}

int jail_fd_mount_id(int fd, int *ret_id)
{
#ifdef STATX_MNT_ID
	struct statx sx;
	if (statx(fd, "", STATX_QUIET, STATX_MNT_ID, &sx) == 0 && (sx.stx_mask & STATX_MNT_ID)) {
		*ret_id = (int)sx.stx_mnt_id;
		return 0;
	}
#endif
	return mount_id_from_fdinfo(fd, ret_id);
}

/* The directory that fd lies in: a directory knows it, a file only by the name that the kernel tells. */
static int open_parent(int fd, const struct stat *st)
{
	char link[64];
	char path[PATH_MAX];
	int parent = -1;

	if (S_ISDIR(st->st_mode)) {
		parent = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		return parent < 0 ? -errno : parent;
	}
	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof path - 1);
	if (n < 0)
		return -errno;
	path[n] = '\0';
	char *slash = strrchr(path, '/');
	if (path[0] != '/' || !slash)
		return -ENOENT; /* a pipe or the like */
	slash[slash == path] = '\0';
	parent = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return parent < 0 ? -errno : parent;
}

/* Before Linux 5.8: a mount's root is what lies in another mount than its parent, or is its own parent. */
static int is_mount_root_by_id(int fd)
{
	struct stat st;
	struct stat parent_st;
	int id = 0;
	int parent_id = 0;

	if (fstat(fd, &st) < 0)
		return -errno;
	jail_autoclose int parent = open_parent(fd, &st);
	if (parent < 0)
		return parent;
	int r = jail_fd_mount_id(fd, &id);
	if (r == 0)
		r = jail_fd_mount_id(parent, &parent_id);
	if (r < 0)
		return r;
	if (id != parent_id)
		return 1;
	if (fstat(parent, &parent_st) < 0)
		return -errno;
	return st.st_dev == parent_st.st_dev && st.st_ino == parent_st.st_ino;
}

int jail_fd_is_mount_root(int fd)
{
	struct statx sx;
	if (statx(fd, "", STATX_QUIET, 0, &sx) < 0) {
		if (errno != ENOSYS && errno != EPERM && errno != EINVAL)
			return -errno;
	} else if (sx.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT)
		return (sx.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
	return is_mount_root_by_id(fd);
}
