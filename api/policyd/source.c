#include "api/policyd/source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/base/cleanup.h"
#include "lib/wire/json.h"

enum { ATTEMPTS = 5 };

static struct policyd_stamp stamp_of(const struct stat *st)
{
	struct timespec now;

	/* The coarse clock is the one that the kernel stamps files with. */
	(void)clock_gettime(CLOCK_REALTIME_COARSE, &now);
	return (struct policyd_stamp){
		.device = st->st_dev,
		.inode = st->st_ino,
		.size = (uint64_t)st->st_size,
		.modified = st->st_mtim,
		.changed = st->st_ctim,
		.recent = now.tv_sec - st->st_ctim.tv_sec < 2,
	};
}

static bool time_same(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool policyd_stamp_same(const struct policyd_stamp *a, const struct policyd_stamp *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       time_same(a->modified, b->modified) && time_same(a->changed, b->changed);
}

/* The descriptor of the file, or negative errno. */
static int walk(const char *dir, const char *name)
{
	jail_autoclose int at = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (at < 0)
		return -errno;
	for (const char *slash; (slash = strchr(name, '/')); name = slash + 1) {
		char component[64];
		size_t len = (size_t)(slash - name);
		if (len >= sizeof component)
			return -ENAMETOOLONG;
		memcpy(component, name, len);
		component[len] = '\0';
		int next = openat(at, component, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return -errno;
		(void)close(at);
		at = next;
	}
	/* Without blocking: a FIFO there must not hang the endpoint. */
	int fd = openat(at, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int policyd_source_open(const char *dir, const char *name, int *ret_fd, struct policyd_stamp *ret_stamp,
			struct jail_error *err)
{
	jail_autoclose int fd = walk(dir, name);
	struct stat st;

	if (fd == -ENOENT)
		return jail_error_set(err, ENOENT, "nothing is published: there is no %s", name);
	/* ELOOP: a symlink; ENXIO: a socket. */
	if (fd == -ELOOP || fd == -ENOTDIR || fd == -ENXIO)
		return jail_error_set(err, ENOENT, "%s/%s is not a plain file in plain directories", dir,
				      name);
	if (fd < 0)
		return jail_error_sys(err, -fd, "cannot open %s", name);
	if (fstat(fd, &st) < 0)
		return jail_error_sys(err, errno, "cannot look at %s", name);
	if (!S_ISREG(st.st_mode))
		return jail_error_set(err, ENOENT, "%s is not a plain file", name);
	*ret_stamp = stamp_of(&st);
	*ret_fd = JAIL_STEAL_FD(fd);
	return 0;
}

/* size bytes and not one more: 0, -EAGAIN when the file has another length by now, or negative errno. */
static int read_exactly(int fd, size_t size, struct jail_buffer *ret)
{
	jail_autobuffer struct jail_buffer buffer = JAIL_BUFFER_INIT;
	int r = jail_buffer_reserve(&buffer, size + 1);

	if (r < 0)
		return r;
	for (;;) {
		ssize_t n = pread(fd, buffer.data + buffer.len, size + 1 - buffer.len, (off_t)buffer.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		buffer.len += (size_t)n;
		if (buffer.len > size)
			return -EAGAIN;
	}
	if (buffer.len != size)
		return -EAGAIN;
	buffer.data[buffer.len] = '\0';
	*ret = buffer;
	buffer = JAIL_BUFFER_INIT;
	return 0;
}

int policyd_source_read(int fd, struct policyd_stamp *stamp, struct jail_buffer *ret, struct jail_error *err)
{
	for (int i = 0; i < ATTEMPTS; i++) {
		jail_autobuffer struct jail_buffer buffer = JAIL_BUFFER_INIT;
		struct stat st;

		if (stamp->size > JAIL_JSON_LIMITS_ENVELOPE.bytes)
			return jail_error_set(
				err, EFBIG,
				"it has %llu bytes, and nodes take %llu at most: was it made by "
				"jail-policy sign?",
				(unsigned long long)stamp->size,
				(unsigned long long)JAIL_JSON_LIMITS_ENVELOPE.bytes);
		int r = read_exactly(fd, (size_t)stamp->size, &buffer);
		if (r < 0 && r != -EAGAIN)
			return jail_error_sys(err, -r, "cannot read it");
		if (fstat(fd, &st) < 0)
			return jail_error_sys(err, errno, "cannot look at it");
		struct policyd_stamp after = stamp_of(&st);
		bool same = r == 0 && policyd_stamp_same(stamp, &after);
		*stamp = after;
		if (same) {
			*ret = buffer;
			buffer = JAIL_BUFFER_INIT;
			return 0;
		}
	}
	return jail_error_set(err, EAGAIN,
			      "it keeps changing while it is read: publish it with jail-policy publish");
}
