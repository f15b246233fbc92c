#include "agent/child_run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "lib/base/cleanup.h"

static int find_program(const char *name, char path[static 256])
{
	static const char *const directories[] = {"/usr/sbin", "/usr/bin", "/sbin", "/bin"};

	for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++) {
		(void)snprintf(path, 256, "%s/%s", directories[i], name);
		if (access(path, X_OK) == 0)
			return 0;
	}
	return -ENOENT;
}

__attribute__((noreturn)) static void child(const char *path, const char *const *argv, int out)
{
	static char path_is[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", language[] = "LC_ALL=C";
	static char *const environment[] = {path_is, language, NULL};
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	signal(SIGPIPE, SIG_DFL);
	/* A group of its own, so that what it starts ends with it. */
	if (null < 0 || setpgid(0, 0) < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
		_exit(127);
	execve(path, (char *const *)argv, environment);
	_exit(127);
}

static long left_ms(const struct timespec *end)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (end->tv_sec - now.tv_sec) * 1000 + (end->tv_nsec - now.tv_nsec) / 1000000;
}

/* 0, -ETIMEDOUT, -EFBIG or another negative errno. */
static int collect(int in, unsigned seconds, size_t max, struct jail_buffer *ret)
{
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += seconds;
	for (;;) {
		struct pollfd poll_in = {.fd = in, .events = POLLIN};
		long ms = left_ms(&end);
		ssize_t n;

		if (ms <= 0)
			return -ETIMEDOUT;
		if (poll(&poll_in, 1, (int)ms) <= 0)
			continue;
		if (jail_buffer_reserve(ret, 4096) < 0)
			return -ENOMEM;
		n = read(in, ret->data + ret->len, 4096);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			return 0;
		ret->len += n > 0 ? (size_t)n : 0;
		ret->data[ret->len] = '\0';
		if (ret->len > max)
			return -EFBIG;
	}
}

static int reap(const char *name, pid_t pid, const struct jail_buffer *said, struct jail_error *err)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return jail_error_sys(err, errno, "cannot wait for %s", name);
	if (WIFSIGNALED(status))
		return jail_error_set(err, EIO, "%s died of signal %d", name, WTERMSIG(status));
	if (WEXITSTATUS(status) != 0)
		return jail_error_set(err, EIO, "%s ended with %d: %.*s", name, WEXITSTATUS(status),
				      (int)strcspn(said->data, "\r\n"), said->data);
	return 0;
}

int jail_child_run(const char *const *argv, unsigned seconds, size_t max, struct jail_buffer *ret,
		   struct jail_error *err)
{
	jail_autobuffer struct jail_buffer said = JAIL_BUFFER_INIT;
	char path[256];
	int ends[2], r, reaped;
	pid_t pid;

	if (find_program(argv[0], path) < 0)
		return jail_error_set(err, ENOENT, "there is no %s on this node", argv[0]);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return jail_error_sys(err, errno, "cannot make a pipe for %s", argv[0]);
	pid = fork();
	if (pid == 0)
		child(path, argv, ends[1]);
	r = pid < 0 ? -errno : 0;
	close(ends[1]);
	if (r == 0)
		r = collect(ends[0], seconds, max, &said);
	close(ends[0]);
	if (pid < 0)
		return jail_error_sys(err, -r, "cannot start %s", argv[0]);
	if (r < 0 && kill(-pid, SIGKILL) < 0)
		kill(pid, SIGKILL);
	reaped = reap(argv[0], pid, &said, err);
	if (r < 0)
		return jail_error_sys(err, -r, "cannot read what %s says", argv[0]);
	if (reaped < 0)
		return reaped;
	jail_buffer_release(ret);
	*ret = said;
	said = JAIL_BUFFER_INIT;
	return 0;
}
