#include "agent/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include "lib/base/cleanup.h"
#include "lib/base/log.h"

/* The whole file, from its beginning to wherever it ends. */
static struct flock lock_of(bool shared)
{
	return (struct flock){.l_type = shared ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET};
}

/* " (pid N)" of whoever is in the way; "" when they are gone by now, or in another PID namespace. */
static void holder(int fd, bool shared, char text[static 32])
{
	struct flock lock = lock_of(shared);

	text[0] = '\0';
	if (fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK && lock.l_pid > 0)
		snprintf(text, 32, " (pid %d)", (int)lock.l_pid);
}

static int try_lock(int fd, bool shared)
{
	struct flock lock = lock_of(shared);

	return fcntl(fd, F_SETLK, &lock) < 0 ? -errno : 0;
}

int jail_lock_take(const char *path, bool shared, unsigned seconds, int *ret_fd, struct jail_error *err)
{
	const struct timespec pause = {.tv_nsec = 50000000};
	/* 0600: whoever can open the file could hold a lock on it for ever. */
	jail_autoclose int fd = open(
		path, (shared ? O_RDONLY : O_RDWR | O_CREAT) | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	char who[32];
	int r;

	if (fd < 0 && shared && errno == ENOENT) {
		*ret_fd = -1;
		return 0;
	}
	if (fd < 0)
		return jail_error_sys(err, errno, "cannot open %s", path);
	/* Polled, since F_SETLKW has no time limit but a signal, and 20 tries a second cost nothing. */
	for (unsigned tries = 0; (r = try_lock(fd, shared)) < 0; tries++) {
		if (r != -EAGAIN && r != -EACCES && r != -EINTR)
			return jail_error_sys(err, -r, "cannot lock %s", path);
		holder(fd, shared, who);
		if (tries >= seconds * 20)
			return jail_error_set(
				err, EWOULDBLOCK,
				"another jail-agent%s has been at work for %u s and more: nothing was done",
				who, seconds);
		if (tries == 0)
			jail_log_notice("another jail-agent%s is at work, waiting up to %u s", who, seconds);
		nanosleep(&pause, NULL);
	}
	*ret_fd = JAIL_STEAL_FD(fd);
	return 0;
}
