#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "api/policy/published.h"
#include "lib/base/cleanup.h"
#include "lib/base/file.h"
#include "lib/wire/json.h"

static const char file_name[] = "policy.json";
/* One name is enough under the lock, and a crash leaves one file at most. */
static const char new_name[] = ".policy.json.new";

void jail_published_release(struct jail_published *published)
{
	jail_cleanup_close(&published->fd);
	free(published->path);
	*published = JAIL_PUBLISHED_INIT;
}

/* Opens name in dirfd, making it first where it is missing; then the parent is fsynced as well. */
static int open_directory(int dirfd, const char *name, int flags, int *ret_fd, struct jail_error *err)
{
	jail_autoclose int fd = -1;
	bool made = mkdirat(dirfd, name, 0755) == 0;

	if (!made && errno != EEXIST)
		return jail_error_sys(err, errno, "cannot make the directory %s", name);
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
	if (fd < 0)
		return jail_error_sys(err, errno, "cannot open the directory %s", name);
	/* The endpoint runs as somebody else, whatever the umask here. */
	if (made && (fchmod(fd, 0755) < 0 || (dirfd != AT_FDCWD && fsync(dirfd) < 0)))
		return jail_error_sys(err, errno, "cannot make the directory %s", name);
	*ret_fd = JAIL_STEAL_FD(fd);
	return 0;
}

int jail_published_open(const char *directory, struct jail_published *ret, struct jail_error *err)
{
	jail_autopublished struct jail_published published = JAIL_PUBLISHED_INIT;
	jail_autoclose int top = -1;
	struct stat st;
	int r = open_directory(AT_FDCWD, directory, 0, &top, err);

	if (r == 0) {
		r = open_directory(top, "v1", O_NOFOLLOW, &published.fd, err);
		if (r < 0)
			return jail_error_prefix(err, "%s", directory);
	}
	if (r < 0)
		return r;
	if (asprintf(&published.path, "%s/v1/%s", directory, file_name) < 0) {
		published.path = NULL;
		return jail_error_sys(err, ENOMEM, "cannot publish in %s", directory);
	}
	while (flock(published.fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return jail_error_sys(err, errno, "cannot lock %s/v1", directory);
	if (fstatat(published.fd, file_name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		published.exists = true;
		published.modified = st.st_mtim.tv_sec + (st.st_mtim.tv_nsec > 0);
	} else if (errno != ENOENT) {
		return jail_error_sys(err, errno, "cannot look at %s", published.path);
	}
	*ret = (struct jail_published){
		.fd = JAIL_STEAL_FD(published.fd),
		.path = JAIL_STEAL_PTR(published.path),
		.exists = published.exists,
		.modified = published.modified,
	};
	return 0;
}

int jail_published_read(const struct jail_published *published, struct jail_buffer *ret,
			struct jail_error *err)
{
	struct jail_error why;
	int r = jail_file_read(published->fd, file_name, JAIL_JSON_LIMITS_ENVELOPE.bytes, ret, &why);

	if (r == 0)
		return 0;
	return jail_error_set(err, -r, "%s: %s", published->path, why.message);
}

static int write_new(const struct jail_published *published, const struct jail_buffer *text)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = time(NULL)}};
	jail_autoclose int fd = -1;
	int r;

	if (published->exists && times[1].tv_sec <= published->modified)
		times[1].tv_sec = published->modified + 1;
	if (unlinkat(published->fd, new_name, 0) < 0 && errno != ENOENT)
		return -errno;
	fd = openat(published->fd, new_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	r = jail_write_all(fd, text->data, text->len);
	if (r < 0)
		return r;
	if (fchmod(fd, 0644) < 0 || futimens(fd, times) < 0 || fsync(fd) < 0)
		return -errno;
	if (renameat(published->fd, new_name, published->fd, file_name) < 0 || fsync(published->fd) < 0)
		return -errno;
	return 0;
}

int jail_published_write(const struct jail_published *published, const struct jail_buffer *text,
			 struct jail_error *err)
{
	int r = write_new(published, text);

	if (r == 0)
		return 0;
	(void)unlinkat(published->fd, new_name, 0);
	return jail_error_sys(err, -r, "cannot replace %s", published->path);
}
