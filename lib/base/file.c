#include "lib/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/base/cleanup.h"

int jail_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;
	while (len > 0) {
		ssize_t n = write(fd, p, len);
		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* O_NONBLOCK: opening a FIFO returns at once, and reading regular files ignores it. */
static int open_regular(int dirfd, const char *path, struct stat *ret_st, struct jail_error *err)
{
	int fd = openat(dirfd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0) {
		if (errno == ELOOP)
			return jail_error_set(err, ELOOP, "%s is a symbolic link, which is not followed here",
					      path);
		return jail_error_sys(err, errno, "cannot open %s", path);
	}
	struct stat st;
	int r = 0;
	if (fstat(fd, &st) < 0)
		r = jail_error_sys(err, errno, "cannot stat %s", path);
	else if (!S_ISREG(st.st_mode))
		r = jail_error_set(err, EINVAL, "%s is not a regular file", path);
	if (r < 0) {
		(void)close(fd);
		return r;
	}
	*ret_st = st;
	return fd;
}

static int read_all(int fd, const char *path, size_t max, struct jail_buffer *ret, struct jail_error *err)
{
	jail_autobuffer struct jail_buffer buffer = JAIL_BUFFER_INIT;
	for (;;) {
		if (jail_buffer_reserve(&buffer, 4096) < 0)
			return jail_error_sys(err, ENOMEM, "cannot read %s", path);
		ssize_t n = read(fd, buffer.data + buffer.len, buffer.capacity - buffer.len - 1);
		if (n < 0) {
			if (errno == EINTR)
				continue;
			return jail_error_sys(err, errno, "cannot read %s", path);
		}
		if (n == 0)
			break;
		buffer.len += (size_t)n;
		buffer.data[buffer.len] = '\0';
		if (buffer.len > max)
			return jail_error_set(err, EFBIG, "%s is larger than %zu bytes", path, max);
	}
	jail_buffer_release(ret);
	*ret = buffer;
	buffer = JAIL_BUFFER_INIT;
	return 0;
}

static int read_file(int dirfd, const char *path, size_t max, bool trusted, struct jail_buffer *ret,
		     struct jail_error *err)
{
	struct stat st;
	jail_autoclose int fd = open_regular(dirfd, path, &st, err);
	if (fd < 0)
		return fd;
	if (trusted && st.st_uid != 0)
		return jail_error_set(err, EPERM, "%s belongs to uid %u, not to root", path,
				      (unsigned)st.st_uid);
	if (trusted && (st.st_mode & 022))
		return jail_error_set(err, EPERM, "%s may be written by others than root (mode %04o)", path,
				      (unsigned)(st.st_mode & 07777));
	if (st.st_size > 0 && (uintmax_t)st.st_size > max)
		return jail_error_set(err, EFBIG, "%s is larger than %zu bytes", path, max);
	return read_all(fd, path, max, ret, err);
}

int jail_file_read(int dirfd, const char *path, size_t max, struct jail_buffer *ret, struct jail_error *err)
{
	return read_file(dirfd, path, max, false, ret, err);
}

int jail_file_read_trusted(int dirfd, const char *path, size_t max, struct jail_buffer *ret,
			   struct jail_error *err)
{
	return read_file(dirfd, path, max, true, ret, err);
}

/* Where a file is to be replaced: its directory, its name, and a temporary name beside it. */
struct place {
	int dir;
	const char *name;
	char temporary[NAME_MAX + 1];
};

static int place_open(int dirfd, const char *path, struct place *ret, struct jail_error *err)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	char dir[PATH_MAX];

	size_t len = slash ? (size_t)(slash - path) : 0;
	if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return jail_error_set(err, EINVAL, "\"%s\" does not name a file", path);
	if (len >= sizeof dir)
		return jail_error_sys(err, ENAMETOOLONG, "cannot replace %.200s", path);
	if (!slash)
		memcpy(dir, ".", 2);
	else if (len == 0)
		memcpy(dir, "/", 2);
	else {
		memcpy(dir, path, len);
		dir[len] = '\0';
	}
	uint32_t noise = 0;
	if (getrandom(&noise, sizeof noise, 0) != sizeof noise)
		return jail_error_sys(err, errno, "cannot get random bytes");
	(void)snprintf(ret->temporary, sizeof ret->temporary, ".%.200s.%08x", name, (unsigned)noise);
	ret->name = name;
	ret->dir = openat(dirfd, dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (ret->dir < 0)
		return jail_error_sys(err, errno, "cannot open the directory of %s", path);
	return 0;
}

static int write_temporary(const struct place *place, const char *path, const void *data, size_t len,
			   mode_t mode, gid_t gid, struct jail_error *err)
{
	jail_autoclose int fd = openat(place->dir, place->temporary,
				       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return jail_error_sys(err, errno, "cannot make a file beside %s", path);
	int r = jail_write_all(fd, data, len);
	/* The group first: a change of it may take mode bits away (chown(2)). */
	if (r == 0 && gid != (gid_t)-1 && fchown(fd, (uid_t)-1, gid) < 0)
		r = -errno;
	if (r == 0 && fchmod(fd, mode) < 0)
		r = -errno;
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlinkat(place->dir, place->temporary, 0);
		return jail_error_sys(err, -r, "cannot write the new %s (the old one is kept)", path);
	}
	return 0;
}

int jail_file_replace_group(int dirfd, const char *path, const void *data, size_t len, mode_t mode, gid_t gid,
			    struct jail_error *err)
{
	struct place place = {.dir = -1};
	int r = place_open(dirfd, path, &place, err);
	if (r < 0)
		return r;
	jail_autoclose int dir = place.dir;
	r = write_temporary(&place, path, data, len, mode, gid, err);
	if (r < 0)
		return r;
	if (renameat(dir, place.temporary, dir, place.name) < 0) {
		r = jail_error_sys(err, errno, "cannot replace %s (the old one is kept)", path);
		(void)unlinkat(dir, place.temporary, 0);
		return r;
	}
	/* EINVAL: a file system that knows no fsync of directories. */
	if (fsync(dir) < 0 && errno != EINVAL)
		return jail_error_sys(err, errno, "%s was replaced, but its directory cannot be synced",
				      path);
	return 0;
}

int jail_file_replace(int dirfd, const char *path, const void *data, size_t len, mode_t mode,
		      struct jail_error *err)
{
	return jail_file_replace_group(dirfd, path, data, len, mode, (gid_t)-1, err);
}

/* Whether path is a regular file of ours with exactly these bytes and this mode. */
static bool same_file(int dirfd, const char *path, const void *data, size_t len, mode_t mode)
{
	struct stat st;
	jail_autoclose int fd = open_regular(dirfd, path, &st, NULL);
	if (fd < 0 || st.st_uid != geteuid() || (st.st_mode & 07777) != mode || st.st_size < 0 ||
	    (uintmax_t)st.st_size != len)
		return false;
	jail_autobuffer struct jail_buffer old = JAIL_BUFFER_INIT;
	if (read_all(fd, path, len, &old, NULL) < 0)
		return false;
	return old.len == len && (len == 0 || memcmp(old.data, data, len) == 0);
}

int jail_file_update(int dirfd, const char *path, const void *data, size_t len, mode_t mode,
		     bool *ret_changed, struct jail_error *err)
{
	bool changed = !same_file(dirfd, path, data, len, mode);
	if (changed) {
		int r = jail_file_replace(dirfd, path, data, len, mode, err);
		if (r < 0)
			return r;
	}
	if (ret_changed)
		*ret_changed = changed;
	return 0;
}
